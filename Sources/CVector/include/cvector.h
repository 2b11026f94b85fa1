/// Dot products of float vectors, as fast as the memory delivers them. Pure functions over the caller's memory: nothing here
/// keeps state, takes a lock or fails, and every call may be made from any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The instruction sets that have a kernel of their own. The values are stable.
typedef enum CVLevel {
    CV_LEVEL_PLAIN = 0,   ///< portable C++; on every machine
    CV_LEVEL_AVX2 = 1,    ///< x86-64 with AVX2 and FMA
    CV_LEVEL_AVX512 = 2,  ///< x86-64 with AVX-512F
    CV_LEVEL_NEON = 3,    ///< arm64; compiled there only, and unverified: no such machine has run the tests yet
} CVLevel;

/// 1 where this processor (and the operating system, which must save the registers) can run `level`, else 0.
int cv_level_is_available(CVLevel level);

/// The fastest available level.
CVLevel cv_best_level(void);

/// Dot products of every query with consecutive rows: scores[q * row_count + r] = queries[q] . rows[r].
/// `queries` is [query_count, dimension] without gaps; row r begins at rows + r * stride, stride >= dimension (both in floats).
/// No pointer need be aligned; rows aligned to 64 bytes are fastest. `scores` must not overlap the inputs.
/// A pair's score depends on the level and on the two vectors alone, never on the other rows or queries of the call.
/// `level` must be available.
void cv_scores(CVLevel level, const float *queries, size_t query_count, const float *rows, size_t row_count, size_t stride,
               size_t dimension, float *scores);

/// The same for chosen rows: scores[q * row_count + i] = queries[q] . rows[chosen[i]].
void cv_scores_of_rows(CVLevel level, const float *queries, size_t query_count, const float *rows, const uint32_t *chosen,
                       size_t row_count, size_t stride, size_t dimension, float *scores);

/// Zeroed memory for `count` floats, aligned to 64 bytes, on huge pages where the system grants them; NULL when there is none,
/// or when count is 0. The caller owns it and returns it with cv_free and the same count.
float *cv_allocate(size_t count);
void cv_free(float *memory, size_t count);

#ifdef __cplusplus
}
#endif
