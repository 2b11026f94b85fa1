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
inline __attribute__((always_inline)) __m256i accumulate(__m256i sums, __m256i x, __m256i weights) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_maddubs_epi16(x, weights), _mm256_set1_epi16(1)));
}

} // namespace
} // namespace cint8

#include "ymm.h"
#include "level.h"

#pragma clang attribute pop

namespace cint8 {
const Level avx2 = {extent, round, roundWeights, linear, convolution, attention, block, bottleneck};
}

#endif
