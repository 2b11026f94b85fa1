#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "weights.h"

namespace cint8 {
namespace {

inline Floats reciprocal(Floats x) { return 1.0f / x; }

struct Kernel {
    static constexpr int rows = 4;
    static constexpr int panels = 1;

    /// R rows times P panels. `from` is [taps][R], a row's bytes are `steps` times 4; a panel is [taps * steps][16][4], the next one
    /// `panel_bytes` behind it.
    template <int R, int P>
    static void tile(const uint8_t *const *from, size_t taps, size_t steps, const int8_t *panel, size_t, Ahead &, Ints (&sums)[R][P]) {
        static_assert(P == 1);
        for (int r = 0; r < R; r++) sums[r][0] = 0;
        for (size_t tap = 0; tap < taps; tap++, from += R) {
            for (size_t step = 0; step < steps; step++, panel += 4 * CI_PANEL) {
                for (int r = 0; r < R; r++) {
                    const uint8_t *bytes = from[r] + 4 * step;
                    for (int n = 0; n < CI_PANEL; n++) {
                        const int8_t *weights = panel + 4 * n;
                        sums[r][0][n] += bytes[0] * weights[0] + bytes[1] * weights[1] + bytes[2] * weights[2] + bytes[3] * weights[3];
                    }
                }
            }
        }
    }
};

} // namespace
} // namespace cint8

#include "level.h"

namespace cint8 {
const Level plain = {extent, round, roundWeights, linear, convolution, attention, block, bottleneck};
}
