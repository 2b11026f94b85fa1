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
