#include "cimaging.h"

#include <string.h>

/// Bits after the point of a weight, and one half in that unit: sums start from it, so that the shift rounds to nearest.
#define PRECISION 22
#define HALF (1 << (PRECISION - 1))

static inline uint8_t clamped(int32_t sum) {
    const int32_t value = sum >> PRECISION;
    return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

static inline int32_t weight(const CIWeights *weights, size_t index) { return weights->high[index] * (1 << 15) + weights->low[index]; }

static void horizontally_plain(const uint8_t *in, size_t in_stride, size_t rows, const CIWeights *weights, uint8_t *out) {
    for (size_t y = 0; y < rows; y++) {
        const uint8_t *row = in + in_stride * y;
        for (size_t x = 0; x < weights->count; x++) {
            const uint8_t *pixel = row + 3 * (size_t)weights->first[x];
            int32_t red = HALF, green = HALF, blue = HALF;
            for (size_t t = 0; t < (size_t)weights->used[x]; t++) {
                const int32_t w = weight(weights, x * weights->taps + t);
                red += pixel[3 * t] * w;
                green += pixel[3 * t + 1] * w;
                blue += pixel[3 * t + 2] * w;
            }
            uint8_t *result = out + 3 * (y * weights->count + x);
            result[0] = clamped(red);
            result[1] = clamped(green);
            result[2] = clamped(blue);
        }
    }
}

static void vertically_plain(const uint8_t *in, size_t in_stride, size_t row_bytes, const CIWeights *weights, uint8_t *out) {
    enum { CHUNK = 64 };
    for (size_t y = 0; y < weights->count; y++) {
        const uint8_t *top = in + in_stride * (size_t)weights->first[y];
        for (size_t x = 0; x < row_bytes; x += CHUNK) {
            const size_t columns = row_bytes - x < CHUNK ? row_bytes - x : CHUNK;
            int32_t sums[CHUNK];
            for (size_t i = 0; i < columns; i++) sums[i] = HALF;
            for (size_t t = 0; t < (size_t)weights->used[y]; t++) {
                const int32_t w = weight(weights, y * weights->taps + t);
                const uint8_t *row = top + in_stride * t + x;
                for (size_t i = 0; i < columns; i++) sums[i] += row[i] * w;
            }
            for (size_t i = 0; i < columns; i++) out[row_bytes * y + x + i] = clamped(sums[i]);
        }
    }
}

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/// The 22-bit weights do not fit pmaddwd's 16 bits, so each is split: w = high·2^15 + low. Both halves are summed on their own and joined at the end.
/// All of it is arithmetic modulo 2^32, and the joined sum fits, so overflows of a half cancel out.
AVX2 static inline __m256i joined(__m256i low, __m256i high) {
    const __m256i sum = _mm256_add_epi32(_mm256_add_epi32(low, _mm256_slli_epi32(high, 15)), _mm256_set1_epi32(HALF));
    return _mm256_srai_epi32(sum, PRECISION);
}

/// Adds the two halves of the taps, rounds and stores three bytes.
AVX2 static inline void store_pixel(uint8_t *out, __m256i low, __m256i high) {
    const __m128i low4 = _mm_add_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
    const __m128i high4 = _mm_add_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1));
    const __m128i sum = _mm_add_epi32(_mm_add_epi32(low4, _mm_slli_epi32(high4, 15)), _mm_set1_epi32(HALF));
    const __m128i words = _mm_packs_epi32(_mm_srai_epi32(sum, PRECISION), _mm_setzero_si128());
    const uint32_t pixel = (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    memcpy(out, &pixel, 2);
    out[2] = (uint8_t)(pixel >> 16);
}

/// Four taps at a time: the lower half of a register holds taps 0 and 1 of red, green, blue side by side, the upper half taps 2 and 3.
/// `ROWS` rows share the weights. Reads 16 bytes at each group of four pixels, the last four of which may lie behind the pixels that count.
#define HORIZONTALLY(NAME, ROWS)                                                                                                            \
    AVX2 static void NAME(const uint8_t *in, size_t in_stride, const CIWeights *weights, uint8_t *out) {                                    \
        const __m256i pairs = _mm256_setr_epi8(                                                                                             \
            0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, 6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);           \
        const __m256i spread = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);                                                                   \
        const size_t out_stride = weights->count * 3;                                                                                       \
        for (size_t x = 0; x < weights->count; x++) {                                                                                       \
            const uint8_t *pixel = in + 3 * (size_t)weights->first[x];                                                                      \
            __m256i low[ROWS], high[ROWS];                                                                                                  \
            for (size_t r = 0; r < ROWS; r++) low[r] = high[r] = _mm256_setzero_si256();                                                    \
            for (size_t t = 0; t < (size_t)weights->used[x]; t += 4) {                                                                      \
                const size_t index = x * weights->taps + t;                                                                                 \
                const __m256i low_weights = _mm256_permutevar8x32_epi32(                                                                    \
                    _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *)(weights->low + index))), spread);                              \
                const __m256i high_weights = _mm256_permutevar8x32_epi32(                                                                   \
                    _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *)(weights->high + index))), spread);                             \
                for (size_t r = 0; r < ROWS; r++) {                                                                                         \
                    const __m128i bytes = _mm_loadu_si128((const __m128i *)(pixel + in_stride * r + 3 * t));                                \
                    const __m256i samples = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), pairs);                                 \
                    low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(samples, low_weights));                                             \
                    high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(samples, high_weights));                                          \
                }                                                                                                                           \
            }                                                                                                                               \
            for (size_t r = 0; r < ROWS; r++) store_pixel(out + out_stride * r + 3 * x, low[r], high[r]);                                   \
        }                                                                                                                                   \
    }

HORIZONTALLY(four_rows_avx2, 4)
HORIZONTALLY(one_row_avx2, 1)

/// How many of the rows can be read 16 bytes at a time without leaving the buffer: all but the last, as a rule.
static size_t safe_rows(size_t in_count, size_t in_stride, size_t rows, const CIWeights *weights) {
    size_t end = 0;
    for (size_t x = 0; x < weights->count; x++) {
        const size_t groups = ((size_t)weights->used[x] + 3) / 4;
        const size_t reach = 3 * ((size_t)weights->first[x] + 4 * groups) + 4;
        if (reach > end) end = reach;
    }
    if (end > in_count) return 0;
    const size_t safe = (in_count - end) / in_stride + 1;
    return safe < rows ? safe : rows;
}

AVX2 static void horizontally_avx2(
    const uint8_t *in, size_t in_count, size_t in_stride, size_t rows, const CIWeights *weights, uint8_t *out) {
    const size_t safe = safe_rows(in_count, in_stride, rows, weights);
    const size_t out_stride = weights->count * 3;
    size_t y = 0;
    for (; y + 4 <= safe; y += 4) four_rows_avx2(in + in_stride * y, in_stride, weights, out + out_stride * y);
    for (; y < safe; y++) one_row_avx2(in + in_stride * y, in_stride, weights, out + out_stride * y);
    if (y < rows) horizontally_plain(in + in_stride * y, in_stride, rows - y, weights, out + out_stride * y);
}

/// 16 columns of one output row, two taps at a time.
AVX2 static inline void sixteen_columns(
    const uint8_t *top, size_t in_stride, const int16_t *low_weights, const int16_t *high_weights, size_t used, uint8_t *out) {
    __m256i low_a = _mm256_setzero_si256(), low_b = low_a, high_a = low_a, high_b = low_a;
    for (size_t t = 0; t < used; t += 2) {
        const uint8_t *row = top + in_stride * t;
        // With an odd number of taps the last one is paired with itself under a weight of zero.
        const uint8_t *next = t + 1 < used ? row + in_stride : row;
        int32_t low_pair, high_pair;
        memcpy(&low_pair, low_weights + t, 4);
        memcpy(&high_pair, high_weights + t, 4);
        const __m256i low_w = _mm256_set1_epi32(low_pair), high_w = _mm256_set1_epi32(high_pair);
        const __m128i even = _mm_loadu_si128((const __m128i *)row), odd = _mm_loadu_si128((const __m128i *)next);
        const __m256i a = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(even, odd));
        const __m256i b = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(even, odd));
        low_a = _mm256_add_epi32(low_a, _mm256_madd_epi16(a, low_w));
        low_b = _mm256_add_epi32(low_b, _mm256_madd_epi16(b, low_w));
        high_a = _mm256_add_epi32(high_a, _mm256_madd_epi16(a, high_w));
        high_b = _mm256_add_epi32(high_b, _mm256_madd_epi16(b, high_w));
    }
    // Packing works in halves of a register, so the words come out as a0 b0 a1 b1 and are put in order.
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(joined(low_a, high_a), joined(low_b, high_b)), 0xD8);
    const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128((__m128i *)out, bytes);
}

AVX2 static void vertically_avx2(const uint8_t *in, size_t in_stride, size_t row_bytes, const CIWeights *weights, uint8_t *out) {
    for (size_t y = 0; y < weights->count; y++) {
        const uint8_t *top = in + in_stride * (size_t)weights->first[y];
        const int16_t *low = weights->low + y * weights->taps, *high = weights->high + y * weights->taps;
        uint8_t *row = out + row_bytes * y;
        size_t x = 0;
        for (; x + 16 <= row_bytes; x += 16) sixteen_columns(top + x, in_stride, low, high, (size_t)weights->used[y], row + x);
        // The last columns once more with some of their neighbours, rather than one by one.
        if (x < row_bytes) sixteen_columns(top + row_bytes - 16, in_stride, low, high, (size_t)weights->used[y], row + row_bytes - 16);
    }
}

static int has_avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") != 0;
}

#endif

void ci_resample_horizontally(
    const uint8_t *in, size_t in_count, size_t in_stride, size_t rows, const CIWeights *weights, uint8_t *out, CIKernel kernel) {
#if defined(__x86_64__)
    if (kernel == CI_KERNEL_BEST && has_avx2()) {
        horizontally_avx2(in, in_count, in_stride, rows, weights, out);
        return;
    }
#else
    (void)in_count;
    (void)kernel;
#endif
    horizontally_plain(in, in_stride, rows, weights, out);
}

void ci_resample_vertically(const uint8_t *in, size_t in_stride, size_t row_bytes, const CIWeights *weights, uint8_t *out, CIKernel kernel) {
#if defined(__x86_64__)
    if (kernel == CI_KERNEL_BEST && row_bytes >= 16 && has_avx2()) {
        vertically_avx2(in, in_stride, row_bytes, weights, out);
        return;
    }
#else
    (void)kernel;
#endif
    vertically_plain(in, in_stride, row_bytes, weights, out);
}
