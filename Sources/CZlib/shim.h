#include<zlib.h>
