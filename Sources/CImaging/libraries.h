#pragma once

#include "cimaging.h"

/// A function of a library, and where its address goes.
struct ci_symbol {
    const char *name;
    void *place;
    /// Whether the library may be of a version that has none; its place then stays null.
    int optional;
};

/// Loads a library under the first of its names that is there, and fills the places. To be called once: it keeps the library for good.
CIStatus ci_load(CILibrary library, const struct ci_symbol *symbols, size_t count, char *message);

/// Load each once, for all threads, and remember how that went.
CIStatus ci_tiff_load(char *message);
CIStatus ci_heif_load(char *message);
