// libgomp's threads spin while they wait, which costs ten times the time on a machine with other work. It reads OMP_WAIT_POLICY when it is
// initialised, before `main`: so the program starts itself once more with the variable set, before any library is initialised. In `main` it would be
// too late to be cheap: libtorch's initialisation takes longer than all that most commands do.

#include "cstart.h"

#ifdef __linux__

#include <stddef.h>
#include <string.h>
#include <unistd.h>

static void wait_passively(int argc, char **argv, char **environment) {
    (void)argc;
    static char passive[] = "OMP_WAIT_POLICY=PASSIVE";
    const size_t name = sizeof "OMP_WAIT_POLICY=" - 1;
    size_t count = 0;
    for (; environment[count]; count++) {
        if (strncmp(environment[count], passive, name) == 0) return;
    }
    char *more[count + 2];
    memcpy(more, environment, count * sizeof *more);
    more[count] = passive;
    more[count + 1] = NULL;
    execve("/proc/self/exe", argv, more);
    // Where it can't start itself it goes on as it is: slower under load, not wrong.
}

__attribute__((section(".preinit_array"), used)) static void (*const before_libraries)(int, char **, char **) = wait_passively;

#endif
