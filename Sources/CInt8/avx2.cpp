#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "weights.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

namespace cint8 {
namespace {

/// Products of bytes, two of them added up in 16 bits, which our 7-bit weights can't overflow, then widened: two multiplications for 32
/// products, where floats need four.
struct Kernel {
    static constexpr int rows = 6;
    static constexpr int panels = 1;

    template <int R, int P>
    static void tile(const uint8_t *const *from, size_t taps, size_t steps, const int8_t *panel, size_t, Ints (&sums)[R][P]) {
        static_assert(P == 1);
        const __m256i ones = _mm256_set1_epi16(1);
        __m256i left[R], right[R];
        for (int r = 0; r < R; r++) left[r] = right[r] = _mm256_setzero_si256();
        for (size_t tap = 0; tap < taps; tap++, from += R) {
            const uint8_t *bytes[R];
            for (int r = 0; r < R; r++) bytes[r] = from[r];
            for (size_t step = 0; step < steps; step++, panel += 4 * CI_PANEL) {
                const __m256i a = _mm256_load_si256((const __m256i *)panel);
                const __m256i b = _mm256_load_si256((const __m256i *)(panel + 32));
#pragma clang loop unroll(full)
                for (int r = 0; r < R; r++) {
                    int32_t word;
                    std::memcpy(&word, bytes[r] + 4 * step, 4);
                    const __m256i x = _mm256_set1_epi32(word);
                    left[r] = _mm256_add_epi32(left[r], _mm256_madd_epi16(_mm256_maddubs_epi16(x, a), ones));
                    right[r] = _mm256_add_epi32(right[r], _mm256_madd_epi16(_mm256_maddubs_epi16(x, b), ones));
                }
            }
        }
        for (int r = 0; r < R; r++) {
            std::memcpy(&sums[r][0], &left[r], 32);
            std::memcpy((char *)&sums[r][0] + 32, &right[r], 32);
        }
    }
};

} // namespace
} // namespace cint8

#include "level.h"

#pragma clang attribute pop

namespace cint8 {
const Level avx2 = {extent, round, roundWeights, linear, convolution, attention};
}

#endif
