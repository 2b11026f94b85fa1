/// Products of 8-bit activations and 7-bit weights, as the encoders' int8 form computes them. Plain memory in and out; a call is one
/// thread's work on a slice, and `ci_parallel` runs as many of them as there are slices.
///
/// An activation x stands as an unsigned byte q with x = scale * (q - zero), its range taken from the numbers themselves as the call comes:
/// for a row of a matrix, or for a whole picture where a convolution adds up over several places. A weight stands as an integer of
/// -63...63 with a scale for each output channel. Sums of two products of such numbers fit 16 bits, which AVX2 needs and the byte
/// products of later processors do not: every instruction set gets the same integers, so a vector of one machine can be compared with
/// one of another. What a weight loses by the bit is less than what an activation loses in its eight (docs/how-fast.md).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum CILevel { CI_LEVEL_PLAIN = 0, CI_LEVEL_AVX2 = 1, CI_LEVEL_AVX_VNNI = 2, CI_LEVEL_AVX512_VNNI = 3 } CILevel;

/// The quickest level that this processor has.
CILevel ci_best_level(void);
bool ci_has_level(CILevel level);
/// Such as "AVX2".
const char *ci_level_name(CILevel level);

typedef void (*CIBody)(void *context, size_t phase, size_t part);

/// Runs `body` for each part of 0 until `parts`, the first on the calling thread and each other one on a thread that belongs to it: first
/// phase 0 of all parts, when all are done the next one, until `phases`. Returns when all are done, with the first exception of a body if
/// there was one; later phases are run all the same. Not to be called from a body.
void ci_parallel(size_t parts, size_t phases, CIBody body, void *context);

/// Greatest magnitude of a weight's integer.
#define CI_WEIGHT_LIMIT 63
/// Output channels that stand side by side in packed weights.
#define CI_PANEL 16

typedef enum CIActivation {
    CI_ACTIVATION_NONE = 0,
    CI_ACTIVATION_RELU = 1,
    CI_ACTIVATION_RELU6 = 2,
    /// x * sigmoid(x)
    CI_ACTIVATION_SWISH = 3,
    /// x * Phi(x)
    CI_ACTIVATION_GELU = 4,
    /// Its approximation by tanh (Hendrycks & Gimpel 2016, arXiv:1606.08415).
    CI_ACTIVATION_GELU_TANH = 5,
} CIActivation;

/// Weights of a linear layer or a convolution, packed: `taps` places of the kernel, of `inputs` channels each.
typedef struct CIWeights CIWeights;

/// What becomes of a sum before it is stored: `activation(sum + bias + addend)`.
typedef struct CIFinish {
    /// [outputs], or null.
    const float *bias;
    /// As the output, its rows `addend_stride` numbers apart, or null.
    const float *addend;
    size_t addend_stride;
    CIActivation activation;
} CIFinish;

/// Bytes of a row of `count` activations: a multiple of 4, the rest zeros.
size_t ci_row_bytes(size_t count);

/// Rounds rows of weights, each by its own scale: `weights` and `integers` are [outputs, count], `scales` [outputs]. A row of zeros has the
/// scale 0.
void ci_round_weights(const float *weights, size_t outputs, size_t count, int8_t *integers, float *scales);

/// Packs rounded weights. `integers` are [outputs, taps, inputs]; they and `scales` are copied.
/// - Returns: null where there is no memory. To be freed by `ci_weights_free`.
CIWeights *ci_weights_pack(const int8_t *integers, const float *scales, size_t outputs, size_t taps, size_t inputs);
void ci_weights_free(CIWeights *weights);

size_t ci_weights_outputs(const CIWeights *weights);
size_t ci_weights_taps(const CIWeights *weights);
size_t ci_weights_inputs(const CIWeights *weights);
/// Bytes that it takes.
size_t ci_weights_bytes(const CIWeights *weights);
/// Their integers [outputs, taps, inputs] and scales [outputs], as they were packed.
void ci_weights_unpack(const CIWeights *weights, int8_t *integers, float *scales);

/// Numbers of a range that cover [`least`, `most`] and 0.
void ci_range(float least, float most, float *scale, int32_t *zero);

/// Least and most of `count` numbers; both 0 where there is none.
void ci_extent(CILevel level, const float *values, size_t count, float *least, float *most);

/// Rounds `rows` rows of `count` numbers, `stride` apart, by one range. A row of `bytes` has `ci_row_bytes(count)`.
void ci_round(CILevel level, const float *values, size_t rows, size_t count, size_t stride, float scale, int32_t zero, uint8_t *bytes);

/// What of an output a call computes: rows, or places of a convolution in the order of their rows, and panels of `CI_PANEL` channels each.
typedef struct CISlice {
    size_t first_row, end_row, first_panel, end_panel;
} CISlice;

/// A layer norm over rows: `weight` and `bias` are as long as a row.
typedef struct CINorm {
    const float *weight, *bias;
    float eps;
} CINorm;

/// A linear layer: `values` is [rows, inputs] with rows `stride` numbers apart, `out` [rows, outputs] with rows `out_stride` apart; both
/// begin with the row 0, whatever the slice. Each row is rounded by its own range, behind `norm` unless that is null.
/// - Precondition: one tap.
void ci_linear(
    CILevel level, const CIWeights *weights, const float *values, size_t stride, const CINorm *norm, CISlice slice, CIFinish finish,
    float *out, size_t out_stride);

/// A picture of rounded activations: [height, width, ci_row_bytes(channels)].
typedef struct CIPicture {
    const uint8_t *bytes;
    size_t height, width;
    float scale;
    int32_t zero;
} CIPicture;

/// Where a convolution looks: a kernel of `kernel_height` by `kernel_width` taps, which begins `top` rows and `left` columns before the
/// picture and goes on by `stride`. Outside of the picture all is 0.
typedef struct CIWindow {
    size_t kernel_height, kernel_width, stride, top, left;
    size_t out_width;
} CIWindow;

/// A convolution of one picture into `out` [out_height, out_width, outputs]; the rows of the slice are its places.
void ci_convolution(
    CILevel level, const CIWeights *weights, CIPicture picture, CIWindow window, CISlice slice, CIFinish finish, float *out);

/// Rows of `width` numbers, `stride` apart.
typedef struct CIRows {
    const float *values;
    size_t count, stride;
} CIRows;

/// Scaled dot-product attention of one head (Vaswani et al. 2017, arXiv:1706.03762, eq. 1), in float32: `out` gets a row of `width` numbers
/// for each query, `out_stride` apart. With `causal` the last query sees all keys, and each before it one fewer.
void ci_attention(CILevel level, CIRows queries, CIRows keys, CIRows values, size_t width, bool causal, float *out, size_t out_stride);

/// A residual attention block: `y = x + out(attention(in(norm(x))))`, then `y + contract(activation(expand(norm(y))))`.
typedef struct CIBlock {
    CINorm norm_before_attention, norm_before_perceptron;
    /// [3 * width, width], [width, width], [hidden, width], [width, hidden], and their biases.
    const CIWeights *in_projection, *out_projection, *expand, *contract;
    const float *in_bias, *out_bias, *expand_bias, *contract_bias;
    size_t heads;
    bool causal;
    CIActivation activation;
} CIBlock;

/// Numbers that `ci_block` needs between its phases.
size_t ci_block_numbers(const CIBlock *block, size_t batch, size_t tokens, size_t parts);

/// `x` and `out` are [batch, tokens, width]; each row is rounded by its own range before each of the four products, as in `ci_linear`, so the
/// result is that of the single calls. `between` holds `ci_block_numbers` numbers. On as many threads as `parts`.
void ci_block(
    CILevel level, const CIBlock *block, const float *x, size_t batch, size_t tokens, float *between, float *out, size_t parts);

/// Convolutions 1×1, 3×3 with a zero around the picture, and 1×1 around a shortcut, a ReLU behind each (He et al. 2015, arXiv:1512.03385,
/// figure 5): the addend of the last is the shortcut's convolution, or the input itself where that is null.
typedef struct CIBottleneck {
    const CIWeights *reduce, *spatial, *restore, *shortcut;
    const float *reduce_bias, *spatial_bias, *restore_bias, *shortcut_bias;
    /// Of the 3×3 convolution and of the shortcut's.
    size_t stride;
    /// The side of the squares that are averaged before the last convolution and before the shortcut's; 1 for none, as with a stride.
    size_t pooling;
} CIBottleneck;

/// Bytes that `ci_bottleneck` needs between its phases.
size_t ci_bottleneck_bytes(const CIBottleneck *block, size_t batch, size_t height, size_t width, size_t parts);

/// `x` is [batch, height, width, inputs], `out` [batch, its height, its width, outputs], where a side of n places becomes
/// ((n - 1) / stride + 1) / pooling. The result is that of the single calls. `between` holds `ci_bottleneck_bytes`, aligned by 64. On as many
/// threads as `parts`.
void ci_bottleneck(
    CILevel level, const CIBottleneck *block, const float *x, size_t batch, size_t height, size_t width, void *between, float *out,
    size_t parts);

#ifdef __cplusplus
}
#endif
