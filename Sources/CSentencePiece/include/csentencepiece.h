/// The C face of Google's SentencePiece library: a model loaded from memory, and a text's ids.
///
/// No function throws; every C++ exception becomes a status. On failure no `out` parameter is touched and `csp_last_error` (per
/// thread) holds one line of explanation. The library trusts what it loads (it reads beyond the double array of a broken normalizer),
/// so callers validate a model first; `SentencePieceModel` in Sources/CLIP does.
/// A model may be used from several threads at once: encoding only reads it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum CSPStatus {
    CSP_OK = 0,
    CSP_ERR_ARGUMENT = 1,  // a null pointer
    CSP_ERR_MODEL = 2,     // the library refuses the model
    CSP_ERR_ENCODE = 3,    // the library can't encode the text
    CSP_ERR_MEMORY = 4,    // out of memory
    CSP_ERR_INTERNAL = 5,  // any other C++ exception
    CSP_ERR_LIBRARY = 6,   // libsentencepiece is not on this machine, or another version of it
} CSPStatus;

typedef struct CSPModel CSPModel;

/// The message of this thread's last failed call, or "" after a success. Valid until this thread's next call.
const char *csp_last_error(void);

/// Loads a serialized `ModelProto`, and the library with the first one; the bytes are copied. `*out` becomes a new handle owned by the caller (`csp_model_free`).
CSPStatus csp_model_load(const void *bytes, size_t count, CSPModel **out);
void csp_model_free(CSPModel *model);
int32_t csp_piece_count(const CSPModel *model);

/// Ids of `length` bytes of UTF-8. `*ids` becomes a new array of `*count` ids owned by the caller (`csp_ids_free`); it is null if there
/// are none.
CSPStatus csp_encode(const CSPModel *model, const char *text, size_t length, int32_t **ids, size_t *count);
void csp_ids_free(int32_t *ids);

#ifdef __cplusplus
}
#endif
