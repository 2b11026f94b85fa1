#include "libraries.h"

#include "failure.h"

#include <dlfcn.h>
#include <string.h>

/// The names that are tried, the newest first; all have the functions that are asked for with the types that are declared here. On macOS the loader
/// does not look where Homebrew puts them.
static const char *const tiff_names[] = {
    "libtiff.so.6", "libtiff.so.5", "libtiff.6.dylib", "/opt/homebrew/lib/libtiff.6.dylib", "/usr/local/lib/libtiff.6.dylib", NULL,
};
static const char *const heif_names[] = {
    "libheif.so.1", "libheif.1.dylib", "/opt/homebrew/lib/libheif.1.dylib", "/usr/local/lib/libheif.1.dylib", NULL,
};

CIStatus ci_load(CILibrary library, const struct ci_symbol *symbols, size_t count, char *message) {
    const char *const *names = library == CI_LIBRARY_TIFF ? tiff_names : heif_names;
    void *handle = NULL;
    for (size_t i = 0; names[i] != NULL && handle == NULL; i++) handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) return ci_fail(CI_ERR_LIBRARY, message, "");
    for (size_t i = 0; i < count; i++) {
        void *symbol = dlsym(handle, symbols[i].name);
        if (symbol == NULL && !symbols[i].optional) {
            char text[CI_MESSAGE_SIZE];
            snprintf(text, sizeof text, "it has no %s", symbols[i].name);
            return ci_fail(CI_ERR_LIBRARY, message, text);
        }
        // An object pointer becomes a function's by its bytes: POSIX makes both alike, C has no other way to say it.
        memcpy(symbols[i].place, &symbol, sizeof symbol);
    }
    return CI_OK;
}

CIStatus ci_library_load(CILibrary library, char *message) {
    return library == CI_LIBRARY_TIFF ? ci_tiff_load(message) : ci_heif_load(message);
}
