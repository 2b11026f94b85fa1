/// Integer kernels over codes, one struct per instruction set, all of one shape:
///
/// - `rows<Coding, Q>` takes one row after the other and multiplies it with Q queries; consecutive rows are a single ascending
///   stream, as in kernels.h.
/// - `group<Coding>` multiplies one query with `together` rows at once, whose loads and additions then overlap: a walk over a
///   graph has rows far apart.
///
/// Sums of integers have no order, so every level gives the same. int8 codes are at most 127 in size, which the 8-bit
/// multiplication of AVX2 depends on: vpmaddubsw adds two products in 16 bits, 2 * 127 * 127 = 32,258 < 32,768. A width of
/// 4,096 gives at most 6.7e7; the unsigned detour of VNNI (see there) 1.4e8.
#pragma once

#include "cvector.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace cvector {

/// Rows that a walk scores at once.
constexpr int together = 4;

/// Coded queries as kernels see them.
struct CodedQueries {
    const int8_t *codes;
    const float *scales;
    const int32_t *sums;
    size_t width;
};

/// What is known of rows beside their bytes.
struct CodedRows {
    const float *scales;
    const int32_t *sums;
};

inline float scored(int32_t dot, float queryScale, float rowScale) { return (float(dot) * queryScale) * rowScale; }

/// A row's byte holds codes 0…15 that stand for 2 * code - 15.
inline int32_t centred(int32_t dot, int32_t querySum) { return 2 * dot - 15 * querySum; }

struct PlainCodes {
    static constexpr int most = 4;

    template <CVCoding Coding> static int32_t dot(const int8_t *query, const int8_t *row, size_t width) {
        int32_t sum = 0;
        if constexpr (Coding == CV_CODING_INT8) {
            for (size_t d = 0; d < width; d++) sum += int32_t(query[d]) * int32_t(row[d]);
        } else {
            auto packed = reinterpret_cast<const uint8_t *>(row);
            for (size_t d = 0; d < width; d += 128, packed += 64) {
                for (size_t b = 0; b < 64; b++) {
                    sum += int32_t(query[d + b]) * int32_t(packed[b] & 15) + int32_t(query[d + 64 + b]) * int32_t(packed[b] >> 4);
                }
            }
        }
        return sum;
    }

    template <CVCoding Coding, int Q, typename Rows>
    static void rows(CodedQueries queries, Rows rows, CodedRows beside, size_t row_count, size_t score_stride, float *scores) {
        for (size_t r = 0; r < row_count; r++) {
            const int8_t *row = rows(r);
            float scale = beside.scales[rows.number(r)];
            for (int q = 0; q < Q; q++) {
                int32_t sum = dot<Coding>(queries.codes + q * queries.width, row, queries.width);
                if constexpr (Coding == CV_CODING_ROTATED4) sum = centred(sum, queries.sums[q]);
                scores[q * score_stride + r] = scored(sum, queries.scales[q], scale);
            }
        }
    }

    template <CVCoding Coding> static void group(const int8_t *query, const int8_t *const *rows, size_t width, int32_t *dots) {
        for (int r = 0; r < together; r++) dots[r] = dot<Coding>(query, rows[r], width);
    }
};

#if defined(__x86_64__)

#define CV_AVX2 __attribute__((target("avx2")))
#define CV_AVX2_INLINE __attribute__((target("avx2"), always_inline))

struct AVX2Codes {
    static constexpr int most = 4;

    CV_AVX2_INLINE static __m256i load(const int8_t *at) { return _mm256_loadu_si256((const __m256i *)at); }

    CV_AVX2_INLINE static __m256i widened(__m256i sums16) { return _mm256_madd_epi16(sums16, _mm256_set1_epi16(1)); }

    CV_AVX2_INLINE static int32_t sum(__m256i v) {
        __m128i four = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
        __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
        return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 1)));
    }

    /// Four sums at once.
    CV_AVX2_INLINE static __m128i sums(__m256i a, __m256i b, __m256i c, __m256i d) {
        __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
        return _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    }

    /// 64 bytes of a row of 4-bit codes with 128 codes of a query, in 16 bits: at most 2 * 2 * 15 * 127 * 2 = 15,240.
    CV_AVX2_INLINE static __m256i nibbles(const int8_t *query, const int8_t *row) {
        __m256i mask = _mm256_set1_epi8(15), first = load(row), second = load(row + 32);
        __m256i low = _mm256_add_epi16(
            _mm256_maddubs_epi16(_mm256_and_si256(first, mask), load(query)),
            _mm256_maddubs_epi16(_mm256_and_si256(second, mask), load(query + 32)));
        __m256i high = _mm256_add_epi16(
            _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(first, 4), mask), load(query + 64)),
            _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(second, 4), mask), load(query + 96)));
        return _mm256_add_epi16(low, high);
    }

    template <CVCoding Coding, int Q, typename Rows>
    CV_AVX2 static void rows(CodedQueries queries, Rows rows, CodedRows beside, size_t row_count, size_t score_stride,
                             float *scores) {
        size_t width = queries.width;
        for (size_t r = 0; r < row_count; r++) {
            const int8_t *row = rows(r);
            __m256i even[Q], odd[Q];
            for (int q = 0; q < Q; q++) even[q] = odd[q] = _mm256_setzero_si256();
            if constexpr (Coding == CV_CODING_INT8) {
                for (size_t d = 0; d < width; d += 64) {
                    // The first factor must be unsigned: the row's size, with its sign moved to the query.
                    __m256i first = load(row + d), second = load(row + d + 32);
                    __m256i firstSize = _mm256_abs_epi8(first), secondSize = _mm256_abs_epi8(second);
                    for (int q = 0; q < Q; q++) {
                        const int8_t *query = queries.codes + q * width + d;
                        __m256i a = _mm256_maddubs_epi16(firstSize, _mm256_sign_epi8(load(query), first));
                        __m256i b = _mm256_maddubs_epi16(secondSize, _mm256_sign_epi8(load(query + 32), second));
                        even[q] = _mm256_add_epi32(even[q], widened(a));
                        odd[q] = _mm256_add_epi32(odd[q], widened(b));
                    }
                }
            } else {
                size_t d = 0;
                for (; d + 256 <= width; d += 256) {
                    for (int q = 0; q < Q; q++) {
                        const int8_t *query = queries.codes + q * width + d;
                        __m256i both = _mm256_add_epi16(nibbles(query, row + d / 2), nibbles(query + 128, row + d / 2 + 64));
                        even[q] = _mm256_add_epi32(even[q], widened(both));
                    }
                }
                if (d < width) {
                    for (int q = 0; q < Q; q++) odd[q] = widened(nibbles(queries.codes + q * width + d, row + d / 2));
                }
            }
            float scale = beside.scales[rows.number(r)];
            for (int q = 0; q < Q; q++) {
                int32_t dot = sum(_mm256_add_epi32(even[q], odd[q]));
                if constexpr (Coding == CV_CODING_ROTATED4) dot = centred(dot, queries.sums[q]);
                scores[q * score_stride + r] = scored(dot, queries.scales[q], scale);
            }
        }
    }

    template <CVCoding Coding>
    CV_AVX2 static void group(const int8_t *query, const int8_t *const *rows, size_t width, int32_t *dots) {
        __m256i total[together];
        for (int r = 0; r < together; r++) total[r] = _mm256_setzero_si256();
        if constexpr (Coding == CV_CODING_INT8) {
            for (size_t d = 0; d < width; d += 32) {
                __m256i codes = load(query + d), size = _mm256_abs_epi8(codes);
                for (int r = 0; r < together; r++) {
                    __m256i product = _mm256_maddubs_epi16(size, _mm256_sign_epi8(load(rows[r] + d), codes));
                    total[r] = _mm256_add_epi32(total[r], widened(product));
                }
            }
        } else {
            size_t d = 0;
            for (; d + 256 <= width; d += 256) {
                for (int r = 0; r < together; r++) {
                    __m256i both =
                        _mm256_add_epi16(nibbles(query + d, rows[r] + d / 2), nibbles(query + d + 128, rows[r] + d / 2 + 64));
                    total[r] = _mm256_add_epi32(total[r], widened(both));
                }
            }
            if (d < width) {
                for (int r = 0; r < together; r++) {
                    total[r] = _mm256_add_epi32(total[r], widened(nibbles(query + d, rows[r] + d / 2)));
                }
            }
        }
        _mm_storeu_si128((__m128i *)dots, sums(total[0], total[1], total[2], total[3]));
    }
};

#undef CV_AVX2
#undef CV_AVX2_INLINE
#define CV_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2")))
#define CV_VNNI_INLINE __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2"), always_inline))

/// vpdpbusd multiplies unsigned with signed bytes. An int8 query is taken as code + 128, and 128 times the sum of the row's codes
/// is subtracted in the end; 4-bit codes are unsigned as they are.
struct VNNICodes {
    static constexpr int most = 6;
    /// Bytes that a pass asks for before it needs them.
    static constexpr size_t ahead = 8192;

    CV_VNNI_INLINE static __m512i load(const int8_t *at) { return _mm512_loadu_si512(at); }

    CV_VNNI_INLINE static __m512i nibbles(__m512i total, const int8_t *query, __m512i packed) {
        __m512i mask = _mm512_set1_epi8(15);
        total = _mm512_dpbusd_epi32(total, _mm512_and_si512(packed, mask), load(query));
        return _mm512_dpbusd_epi32(total, _mm512_and_si512(_mm512_srli_epi16(packed, 4), mask), load(query + 64));
    }

    template <CVCoding Coding, int Q, typename Rows>
    CV_VNNI static void rows(CodedQueries queries, Rows rows, CodedRows beside, size_t row_count, size_t score_stride,
                             float *scores) {
        size_t width = queries.width;
        __m512i offset = _mm512_set1_epi8(int8_t(-128));
        for (size_t r = 0; r < row_count; r++) {
            const int8_t *row = rows(r);
            __m512i total[Q];
            for (int q = 0; q < Q; q++) total[q] = _mm512_setzero_si512();
            if constexpr (Coding == CV_CODING_INT8) {
                for (size_t d = 0; d < width; d += 64) {
                    // The products take less time than the bytes: a Xeon's own prefetcher, which stops at every page, left a tenth of it.
                    if constexpr (Rows::areConsecutive) _mm_prefetch((const char *)row + d + ahead, _MM_HINT_T0);
                    __m512i codes = load(row + d);
                    for (int q = 0; q < Q; q++) {
                        __m512i query = _mm512_xor_si512(load(queries.codes + q * width + d), offset);
                        total[q] = _mm512_dpbusd_epi32(total[q], query, codes);
                    }
                }
            } else {
                for (size_t d = 0; d < width; d += 128) {
                    __m512i packed = load(row + d / 2);
                    for (int q = 0; q < Q; q++) total[q] = nibbles(total[q], queries.codes + q * width + d, packed);
                }
            }
            size_t number = rows.number(r);
            for (int q = 0; q < Q; q++) {
                int32_t dot = _mm512_reduce_add_epi32(total[q]);
                dot = Coding == CV_CODING_INT8 ? dot - 128 * beside.sums[number] : centred(dot, queries.sums[q]);
                scores[q * score_stride + r] = scored(dot, queries.scales[q], beside.scales[number]);
            }
        }
    }

    /// The sum of a row's codes is not asked for: vpdpbusd with ones gives it beside.
    template <CVCoding Coding>
    CV_VNNI static void group(const int8_t *query, const int8_t *const *rows, size_t width, int32_t *dots) {
        __m512i total[together];
        for (int r = 0; r < together; r++) total[r] = _mm512_setzero_si512();
        if constexpr (Coding == CV_CODING_INT8) {
            __m512i offset = _mm512_set1_epi8(int8_t(-128)), sums[together];
            for (int r = 0; r < together; r++) sums[r] = _mm512_setzero_si512();
            for (size_t d = 0; d < width; d += 64) {
                __m512i codes = _mm512_xor_si512(load(query + d), offset);
                for (int r = 0; r < together; r++) {
                    __m512i row = load(rows[r] + d);
                    total[r] = _mm512_dpbusd_epi32(total[r], codes, row);
                    sums[r] = _mm512_dpbusd_epi32(sums[r], offset, row);
                }
            }
            for (int r = 0; r < together; r++) total[r] = _mm512_sub_epi32(total[r], sums[r]);
        } else {
            for (size_t d = 0; d < width; d += 128) {
                for (int r = 0; r < together; r++) total[r] = nibbles(total[r], query + d, load(rows[r] + d / 2));
            }
        }
        for (int r = 0; r < together; r++) dots[r] = _mm512_reduce_add_epi32(total[r]);
    }
};

#undef CV_VNNI
#undef CV_VNNI_INLINE

#elif defined(__aarch64__)

struct NEONCodes {
    static constexpr int most = 4;

    /// Pairs of products in 16 bits, 127 * 127 each, added to 32 bits.
    static int32x4_t multiplied(int32x4_t total, int8x16_t a, int8x16_t b) {
        total = vpadalq_s16(total, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
        return vpadalq_s16(total, vmull_high_s8(a, b));
    }

    template <CVCoding Coding> static int32_t dot(const int8_t *query, const int8_t *row, size_t width) {
        int32x4_t even = vdupq_n_s32(0), odd = even;
        if constexpr (Coding == CV_CODING_INT8) {
            for (size_t d = 0; d < width; d += 32) {
                even = multiplied(even, vld1q_s8(query + d), vld1q_s8(row + d));
                odd = multiplied(odd, vld1q_s8(query + d + 16), vld1q_s8(row + d + 16));
            }
        } else {
            uint8x16_t mask = vdupq_n_u8(15);
            for (size_t d = 0; d < width; d += 128, row += 64) {
                for (size_t b = 0; b < 64; b += 16) {
                    uint8x16_t packed = vld1q_u8(reinterpret_cast<const uint8_t *>(row) + b);
                    even = multiplied(even, vld1q_s8(query + d + b), vreinterpretq_s8_u8(vandq_u8(packed, mask)));
                    odd = multiplied(odd, vld1q_s8(query + d + 64 + b), vreinterpretq_s8_u8(vshrq_n_u8(packed, 4)));
                }
            }
        }
        return vaddvq_s32(vaddq_s32(even, odd));
    }

    template <CVCoding Coding, int Q, typename Rows>
    static void rows(CodedQueries queries, Rows rows, CodedRows beside, size_t row_count, size_t score_stride, float *scores) {
        for (size_t r = 0; r < row_count; r++) {
            const int8_t *row = rows(r);
            float scale = beside.scales[rows.number(r)];
            for (int q = 0; q < Q; q++) {
                int32_t sum = dot<Coding>(queries.codes + q * queries.width, row, queries.width);
                if constexpr (Coding == CV_CODING_ROTATED4) sum = centred(sum, queries.sums[q]);
                scores[q * score_stride + r] = scored(sum, queries.scales[q], scale);
            }
        }
    }

    template <CVCoding Coding> static void group(const int8_t *query, const int8_t *const *rows, size_t width, int32_t *dots) {
        for (int r = 0; r < together; r++) dots[r] = dot<Coding>(query, rows[r], width);
    }
};

#endif

} // namespace cvector
