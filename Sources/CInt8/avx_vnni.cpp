#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "weights.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,avxvnni"))), apply_to = function)

namespace cint8 {
namespace {

/// One instruction for 32 products and their sums.
inline __attribute__((always_inline)) __m256i accumulate(__m256i sums, __m256i x, __m256i weights) {
    return _mm256_dpbusd_avx_epi32(sums, x, weights);
}

} // namespace
} // namespace cint8

#include "ymm.h"
#include "level.h"

#pragma clang attribute pop

namespace cint8 {
const Level avxVNNI = {extent, round, roundWeights, linear, convolution, attention, block, bottleneck};
}

#endif
