/// Tiles of six rows by one panel in sixteen registers of 256 bits. Included by levels that have them, behind their `accumulate`, which adds the
/// products of 32 bytes to eight sums.

namespace cint8 {
namespace {

/// The division is quick enough here.
inline __attribute__((always_inline)) Floats reciprocal(Floats x) { return 1.0f / x; }

struct Kernel {
    static constexpr int rows = 6;
    static constexpr int panels = 1;

    /// Not to be inlined: what becomes of the sums would take registers from the loop.
    template <int R, int P>
    __attribute__((noinline)) static void tile(const uint8_t *const *from, size_t taps, size_t steps, const int8_t *panel, size_t, Ahead &ahead, Ints (&sums)[R][P]) {
        static_assert(P == 1);
        __m256i left[R], right[R];
        for (int r = 0; r < R; r++) left[r] = right[r] = _mm256_setzero_si256();
        Ahead next = ahead;
        for (size_t tap = 0; tap < taps; tap++, from += R) {
            const uint8_t *bytes[R];
            for (int r = 0; r < R; r++) bytes[r] = from[r];
            for (size_t step = 0; step < steps; step++, panel += 4 * CI_PANEL) {
                next.step();
                const __m256i a = _mm256_load_si256((const __m256i *)panel);
                const __m256i b = _mm256_load_si256((const __m256i *)(panel + 32));
#pragma clang loop unroll(full)
                for (int r = 0; r < R; r++) {
                    int32_t word;
                    std::memcpy(&word, bytes[r] + 4 * step, 4);
                    const __m256i x = _mm256_set1_epi32(word);
                    left[r] = accumulate(left[r], x, a);
                    right[r] = accumulate(right[r], x, b);
                }
            }
        }
        ahead = next;
        for (int r = 0; r < R; r++) {
            std::memcpy(&sums[r][0], &left[r], 32);
            std::memcpy((char *)&sums[r][0] + 32, &right[r], 32);
        }
    }
};

} // namespace
} // namespace cint8
