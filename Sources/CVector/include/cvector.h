/// Dot products of vectors, as fast as the memory delivers them: floats, float16, int8 codes and rotated 4-bit codes. Pure
/// functions over the caller's memory: nothing here keeps state, takes a lock or fails, and every call may be made from any
/// thread. The graph over codes is in cvgraph.h.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The instruction sets that have a kernel of their own. The values are stable.
typedef enum CVLevel {
    CV_LEVEL_PLAIN = 0,   ///< portable C++; on every machine
    CV_LEVEL_AVX2 = 1,    ///< x86-64 with AVX2, FMA and F16C
    CV_LEVEL_AVX512 = 2,  ///< x86-64 with AVX-512F
    CV_LEVEL_NEON = 3,    ///< arm64; compiled there only, and unverified: no such machine has run the tests yet
    /// x86-64 with AVX-512F, BW and VNNI: codes by vpdpbusd, floats as on CV_LEVEL_AVX512. AVX-VNNI, the 256-bit form of
    /// processors without AVX-512, has no level: CV_LEVEL_AVX2 there needs four instructions where it would need two, and both
    /// wait for memory. Unverified: no such machine has run the tests yet; its integer kernels were compared with the portable
    /// ones by emulated instructions.
    CV_LEVEL_VNNI = 4,
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

// Float16 -------------------------------------------------------------------------------------------------------------------

/// Converts to IEEE 754 binary16, to nearest, ties to even: what is larger than 65,504 becomes infinite, NaN stays NaN. Both
/// arrays have `count` elements. The same bits on every level.
void cv_halves_of_floats(CVLevel level, const float *floats, size_t count, uint16_t *halves);

/// Converts back, without a loss.
void cv_floats_of_halves(CVLevel level, const uint16_t *halves, size_t count, float *floats);

/// As cv_scores, of float16 rows: row r begins at rows + r * stride, stride >= dimension (both in halves). Bit for bit what
/// cv_scores gives of the converted rows on the same level.
void cv_half_scores(CVLevel level, const float *queries, size_t query_count, const uint16_t *rows, size_t row_count,
                    size_t stride, size_t dimension, float *scores);

/// The same for chosen rows: scores[q * row_count + i] = queries[q] . rows[chosen[i]].
void cv_half_scores_of_rows(CVLevel level, const float *queries, size_t query_count, const uint16_t *rows,
                            const uint32_t *chosen, size_t row_count, size_t stride, size_t dimension, float *scores);

// Codes ---------------------------------------------------------------------------------------------------------------------
//
// A row is coded as small integers and one scale. The dot product of two codes is computed in integers, without a saturation
// on any level, and so are scores bit-equal on all levels:
//
//     score = (float(dot) * scale of the query) * scale of the row
//
// A query is coded as int8 in either coding. Dimensions go up to 4,096; the integers then have room in 32 bits.

/// How rows are coded. The values are stable.
typedef enum CVCoding {
    /// Int8: row[d] ~ scale * code[d], code[d] from -127 to 127 (-128 does not occur, on which CV_LEVEL_AVX2 depends),
    /// scale = max |row[d]| / 127. One byte a coordinate.
    CV_CODING_INT8 = 0,
    /// Four bits a coordinate, after a rotation by cv_rotate: rotated[d] ~ scale * (2 * code[d] - 15), code[d] from 0 to 15.
    CV_CODING_ROTATED4 = 1,
} CVCoding;

/// Coordinates that a row has in a coding: `dimension` and zeros behind it, up to a multiple of 64 (int8) or 128 (4 bits).
/// A coded row has cv_row_bytes of them, and a coded query has as many bytes as coordinates.
size_t cv_width(CVCoding coding, size_t dimension);

/// Bytes of a coded row, a multiple of 64: width, or width / 2 at 4 bits.
size_t cv_row_bytes(CVCoding coding, size_t width);

/// Coded rows, in the caller's memory. Row r begins at codes + r * cv_row_bytes(coding, width); rows aligned to 64 bytes are
/// fastest.
typedef struct CVCodes {
    CVCoding coding;
    size_t width;          ///< as cv_width says
    size_t count;          ///< rows
    const void *codes;     ///< int8_t, or packed pairs of 4 bits
    const float *scales;   ///< [count]
    const int32_t *sums;   ///< [count], the sum of each row's codes; int8 only, else NULL
} CVCodes;

/// Coded queries, in the caller's memory.
typedef struct CVQueries {
    size_t count;
    const int8_t *codes;   ///< [count, width] of the rows they are compared with
    const float *scales;   ///< [count]
    const int32_t *sums;   ///< [count], the sum of each query's codes
} CVQueries;

/// Codes float rows as int8. Row r begins at rows + r * stride (in floats); they must be finite. Rounds to nearest, ties to
/// even, so that |row[d] - scale * code[d]| <= scale / 2 (and some 1e-7 of the row's largest element); a zero row has zero codes
/// and scale 0.
/// Writes `codes` [row_count, cv_width(CV_CODING_INT8, dimension)] with zeros behind the dimension, `scales` [row_count] and
/// `sums` [row_count]. Queries are coded by the same call; those for 4-bit rows after cv_rotate, with `dimension` the width.
void cv_encode(const float *rows, size_t row_count, size_t stride, size_t dimension, int8_t *codes, float *scales,
               int32_t *sums);

/// Rotates float rows by an orthogonal matrix drawn from `seed`: dot products stay what they are (up to rounding), and the
/// coordinates of any row become about normally distributed, so that four bits describe all of them equally well. Rounds of
/// random signs and a Walsh-Hadamard transform (P of RaBitQ, Gao & Long 2024, arXiv:2405.12497, in the fast form of their
/// library); where the width is no power of two, the transform takes the first and the last power of two below it in turns.
/// Row r begins at rows + r * stride; `rotated` is [row_count, cv_width(CV_CODING_ROTATED4, dimension)] and may not overlap
/// `rows`. The same bits on every machine.
void cv_rotate(uint64_t seed, const float *rows, size_t row_count, size_t stride, size_t dimension, float *rotated);

/// Codes rotated rows [row_count, width], finite, at 4 bits. Of several steps takes the one whose code lies in the direction
/// nearest to the row's (extended RaBitQ, Gao et al. 2024, arXiv:2409.09913), and scale = |row|^2 / (row . code), which makes the
/// estimate of a row's product with itself exact and with any other vector unbiased over rotations. A zero row has scale 0.
/// Writes `codes` [row_count, width / 2] and `scales` [row_count]. Of 128 coordinates, byte b of 64 holds coordinate b in its
/// low and 64 + b in its high half.
void cv_encode4(const float *rotated, size_t row_count, size_t width, uint8_t *codes, float *scales);

/// Scores of every query with consecutive rows: scores[q * row_count + i] is of query q and row first + i.
/// `scores` must not overlap the inputs. `level` must be available.
void cv_code_scores(CVLevel level, const CVQueries *queries, const CVCodes *rows, size_t first, size_t row_count, float *scores);

/// The same for chosen rows: scores[q * row_count + i] is of query q and row chosen[i] < rows->count.
void cv_code_scores_of_rows(CVLevel level, const CVQueries *queries, const CVCodes *rows, const uint32_t *chosen,
                            size_t row_count, float *scores);

// Memory --------------------------------------------------------------------------------------------------------------------

/// Zeroed memory for `count` floats, aligned to 64 bytes, on huge pages where the system grants them; NULL when there is none,
/// or when count is 0. The caller owns it and returns it with cv_free and the same count.
float *cv_allocate(size_t count);
void cv_free(float *memory, size_t count);

/// The same, counted in bytes.
void *cv_allocate_bytes(size_t bytes);
void cv_free_bytes(void *memory, size_t bytes);

#ifdef __cplusplus
}
#endif
