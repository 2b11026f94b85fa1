#pragma once

#include <cstddef>
#include <cstdint>

#include "cint8.h"

// Wide vectors are passed between functions of one file alone, all of one target.
#pragma clang diagnostic ignored "-Wpsabi"

namespace cint8 {

/// Sixteen numbers, which the compiler makes of the registers that an instruction set has.
typedef float Floats __attribute__((ext_vector_type(CI_PANEL)));
typedef int32_t Ints __attribute__((ext_vector_type(CI_PANEL)));

/// See `ci_range`; of each row, so not a call.
inline __attribute__((always_inline)) void range(float least, float most, float *scale, int32_t *zero) {
    least = least < 0 ? least : 0;
    most = most > 0 ? most : 0;
    const float width = (most - least) / 255;
    // A range too small for a scale is one of zeros.
    *scale = width >= 1e-30f ? width : 0;
    *zero = *scale > 0 ? int32_t(__builtin_roundevenf(-least / *scale)) : 0;
}

/// Lines of the cache that tiles ask memory for while they work: one of 64 bytes every so many steps, since what is asked for at once waits
/// for one another.
struct Ahead {
    const int8_t *at;
    size_t every, done;

    inline __attribute__((always_inline)) void step() {
        if (++done < every) return;
        __builtin_prefetch(at, 0, 2);
        at += 64;
        done = 0;
    }
};

/// A call of `ci_block`.
struct BlockCall {
    const CIBlock &block;
    const float *x;
    size_t batch, tokens;
    /// [batch, tokens, 3 * width] and [batch, tokens, width]: queries, keys and values, and what attention made of them.
    float *projected, *mixed;
    float *out;
    size_t parts;
};

/// Before attention, attention, and behind it.
constexpr size_t blockPhases = 3;

/// A call of `ci_bottleneck`.
struct BottleneckCall {
    const CIBottleneck &block;
    const float *x;
    size_t batch, height, width;
    /// Behind the first convolution and behind the second.
    float *reduced, *spatial;
    /// What the second one is of, and the greatest of each picture's numbers as each part saw them, [parts, batch].
    uint8_t *bytes;
    CIPicture *pictures;
    float *most;
    float *out;
    size_t parts;
};

/// The first convolution, rounding its pictures, the second, and the rest.
constexpr size_t bottleneckPhases = 4;

/// What one level does; see cint8.h.
struct Level {
    void (*extent)(const float *values, size_t count, float *least, float *most);
    void (*round)(
        const float *values, size_t rows, size_t count, size_t stride, float scale, int32_t zero, uint8_t *bytes);
    float (*roundWeights)(const float *weights, size_t count, float scale, int8_t *integers);
    void (*linear)(
        const CIWeights &weights, const float *values, size_t stride, const CINorm *norm, CISlice slice, CIFinish finish, float *out,
        size_t out_stride);
    void (*convolution)(
        const CIWeights &weights, CIPicture picture, CIWindow window, CISlice slice, CIFinish finish, float *out);
    void (*attention)(CIRows queries, CIRows keys, CIRows values, size_t width, bool causal, float *out, size_t out_stride);
    void (*block)(const BlockCall &call, size_t phase, size_t part);
    void (*bottleneck)(const BottleneckCall &call, size_t phase, size_t part);
};

extern const Level plain;
#if defined(__x86_64__)
extern const Level avx2, avxVNNI, avx512VNNI;
#endif

} // namespace cint8

struct CIWeights {
    size_t outputs, taps, inputs;
    /// Groups of four inputs of one tap.
    size_t steps;
    size_t panels;
    /// [panels][taps * steps][16][4], aligned by 64.
    int8_t *integers;
    /// [panels]: the scale and the sum of the integers of each channel; zeros behind the last one.
    cint8::Floats *scales;
    cint8::Ints *sums;

    size_t panelBytes() const { return taps * steps * 4 * CI_PANEL; }
};
