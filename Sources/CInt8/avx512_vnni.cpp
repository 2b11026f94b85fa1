#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "weights.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)

namespace cint8 {
namespace {

/// 1 / x within 2^-26: an estimate of 14 bits, which one step of Newton's doubles. A division takes sixteen cycles.
inline __attribute__((always_inline)) Floats reciprocal(Floats x) {
    __m512 estimate, exact;
    std::memcpy(&exact, &x, sizeof x);
    estimate = _mm512_rcp14_ps(exact);
    estimate = _mm512_mul_ps(estimate, _mm512_fnmadd_ps(exact, estimate, _mm512_set1_ps(2)));
    std::memcpy(&x, &estimate, sizeof x);
    return x;
}

/// A panel is one register, and there are 32: twelve rows by two panels leave enough for what is loaded.
struct Kernel {
    static constexpr int rows = 12;
    static constexpr int panels = 2;

    /// Not to be inlined: what becomes of the sums would take registers from the loop.
    template <int R, int P>
    __attribute__((noinline)) static void tile(
        const uint8_t *const *from, size_t taps, size_t steps, const int8_t *panel, size_t panel_bytes, Ahead &ahead,
        Ints (&sums)[R][P]) {
        __m512i acc[R][P];
        for (int r = 0; r < R; r++) {
            for (int p = 0; p < P; p++) acc[r][p] = _mm512_setzero_si512();
        }
        Ahead next = ahead;
        for (size_t tap = 0; tap < taps; tap++, from += R) {
            const uint8_t *bytes[R];
            for (int r = 0; r < R; r++) bytes[r] = from[r];
            for (size_t step = 0; step < steps; step++, panel += 4 * CI_PANEL) {
                next.step();
                __m512i weights[P];
                for (int p = 0; p < P; p++) weights[p] = _mm512_load_si512(panel + p * panel_bytes);
#pragma clang loop unroll(full)
                for (int r = 0; r < R; r++) {
                    int32_t word;
                    std::memcpy(&word, bytes[r] + 4 * step, 4);
                    const __m512i x = _mm512_set1_epi32(word);
                    for (int p = 0; p < P; p++) acc[r][p] = _mm512_dpbusd_epi32(acc[r][p], x, weights[p]);
                }
            }
        }
        ahead = next;
        for (int r = 0; r < R; r++) {
            for (int p = 0; p < P; p++) std::memcpy(&sums[r][p], &acc[r][p], 64);
        }
    }
};

} // namespace
} // namespace cint8

#include "level.h"

#pragma clang attribute pop

namespace cint8 {
const Level avx512VNNI = {extent, round, roundWeights, linear, convolution, attention, block, bottleneck};
}

#endif
