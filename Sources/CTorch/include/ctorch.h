/// The C face of libtorch: opaque tensors, status codes, no exceptions.
///
/// Contract of every function that returns `CTStatus`:
/// - it never throws and never aborts; every C++ exception is caught and becomes a status,
/// - on failure no `out` parameter is touched and `ct_last_error` (per thread) holds one line of explanation,
/// - on success the message is empty; a `CTTensor *` written to `out` is a new handle that the caller frees with `ct_tensor_free`,
/// - a null handle where a tensor is required is CT_ERR_ARGUMENT.
/// Handles may be used from any thread, but one handle by one thread at a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum CTStatus {
    CT_OK = 0,
    CT_ERR_ARGUMENT = 1,     // null handle, negative count, unknown code
    CT_ERR_INDEX = 2,        // index or dimension out of range
    CT_ERR_TYPE = 3,         // wrong element type
    CT_ERR_VALUE = 4,        // a value outside its range
    CT_ERR_MEMORY = 5,       // out of memory
    CT_ERR_UNSUPPORTED = 6,  // not implemented for this type, device or build
    CT_ERR_CHECK = 7,        // any other check of libtorch; shapes that do not fit are here
    CT_ERR_INTERNAL = 8,     // any other C++ exception
} CTStatus;

typedef enum CTType {
    CT_FLOAT32 = 0, CT_FLOAT64 = 1, CT_FLOAT16 = 2, CT_BFLOAT16 = 3, CT_INT64 = 4, CT_INT32 = 5, CT_INT16 = 6, CT_INT8 = 7,
    CT_UINT8 = 8, CT_BOOL = 9,
} CTType;

typedef enum CTDevice { CT_CPU = 0, CT_CUDA = 1, CT_MPS = 2 } CTDevice;

typedef struct CTTensor CTTensor;

// MARK: Errors and process-wide state

/// The message of this thread's last failed call, or "" after a success. Valid until this thread's next call.
const char *ct_last_error(void);
/// Handles that exist now, over all threads. For leak tests.
int64_t ct_live_tensors(void);
/// The libtorch version it was compiled against, such as "2.13.0".
const char *ct_version(void);
CTStatus ct_set_threads(int64_t count);
int64_t ct_threads(void);
/// Memory that this process frees from now on stays with it: all of it, or blocks of up to 32 MB and 256 MB of them at the heap's end. Does
/// nothing where the allocator is not glibc's.
void ct_keep_freed_memory(bool all);
/// Seeds libtorch's default generator on the CPU, where every random number of `ct_randn` and `ct_rand` is drawn.
CTStatus ct_manual_seed(uint64_t seed);
/// Loads libtorch_cuda from beside libtorch_cpu if it is there; then reports whether the device can be used. To be asked before this
/// process's first `ct_backward`: libtorch counts the devices there, once. Loading switches TF32 off (`ct_set_tf32`).
CTStatus ct_device_available(CTDevice device, bool *out);
/// Why `ct_device_available` says no, as the end of a sentence; "" where it says yes. Valid for the life of the process.
const char *ct_device_obstacle(CTDevice device);
/// Whether float32 products and convolutions on CUDA may round their factors to TF32's 10 bits. Off where float32 is to mean float32.
CTStatus ct_set_tf32(bool allowed);
/// Waits for everything that was asked of the device so far.
CTStatus ct_synchronize(CTDevice device);
/// Sets this thread's gradient recording and writes what it was.
CTStatus ct_set_grad_enabled(bool enabled, bool *previous);
/// Sets whether this thread's products and convolutions on the device run in bfloat16, and writes whether they did. Weights that were cast
/// on the way are forgotten when it is switched off.
CTStatus ct_set_autocast(CTDevice device, bool enabled, bool *previous);

// MARK: Making and freeing

void ct_tensor_free(CTTensor *tensor);
/// Copies `bytes` bytes; that must be exactly the shape's element count times the element size.
CTStatus ct_from_bytes(const void *data, size_t bytes, CTType type, const int64_t *shape, size_t rank, CTTensor **out);
/// Borrows memory that must stay as it is until `release(context)` is called: by libtorch with its last use of the memory. If the
/// call fails, `release` is not called.
CTStatus ct_from_borrowed(
    const void *data, CTType type, const int64_t *shape, size_t rank, void *context, void (*release)(void *), CTTensor **out);
/// Zeros of the tensor's type, device and memory order.
CTStatus ct_zeros_like(const CTTensor *tensor, CTTensor **out);
CTStatus ct_full(double value, CTType type, const int64_t *shape, size_t rank, CTTensor **out);
CTStatus ct_arange(int64_t start, int64_t end, CTTensor **out);
/// Normal(0, 1) numbers from the seeded default generator, float32.
CTStatus ct_randn(const int64_t *shape, size_t rank, CTTensor **out);
CTStatus ct_rand(const int64_t *shape, size_t rank, CTTensor **out);
CTStatus ct_eye(int64_t size, CTTensor **out);

// MARK: Looking inside

CTStatus ct_rank(const CTTensor *tensor, int64_t *out);
/// Writes `rank` sizes.
CTStatus ct_shape(const CTTensor *tensor, int64_t *out, size_t rank);
CTStatus ct_type(const CTTensor *tensor, CTType *out);
CTStatus ct_device(const CTTensor *tensor, CTDevice *out);
/// Copies the elements, row-major, to `out`, which holds exactly `bytes` bytes.
CTStatus ct_to_bytes(const CTTensor *tensor, void *out, size_t bytes);
/// The only element as a double.
CTStatus ct_item(const CTTensor *tensor, double *out);

// MARK: Conversion

CTStatus ct_to_type(const CTTensor *tensor, CTType type, CTTensor **out);
CTStatus ct_to_device(const CTTensor *tensor, CTDevice device, CTTensor **out);
CTStatus ct_contiguous(const CTTensor *tensor, bool channels_last, CTTensor **out);
CTStatus ct_clone(const CTTensor *tensor, CTTensor **out);
/// Copies the elements of `source` (broadcast) into the memory of `target`.
CTStatus ct_copy_into(CTTensor *target, const CTTensor *source);

// MARK: Shape

CTStatus ct_reshape(const CTTensor *tensor, const int64_t *shape, size_t rank, CTTensor **out);
CTStatus ct_permute(const CTTensor *tensor, const int64_t *order, size_t rank, CTTensor **out);
CTStatus ct_transpose(const CTTensor *tensor, int64_t first, int64_t second, CTTensor **out);
CTStatus ct_expand(const CTTensor *tensor, const int64_t *shape, size_t rank, CTTensor **out);
CTStatus ct_unsqueeze(const CTTensor *tensor, int64_t dimension, CTTensor **out);
CTStatus ct_squeeze(const CTTensor *tensor, int64_t dimension, CTTensor **out);
CTStatus ct_narrow(const CTTensor *tensor, int64_t dimension, int64_t start, int64_t length, CTTensor **out);
CTStatus ct_select(const CTTensor *tensor, int64_t dimension, int64_t index, CTTensor **out);
CTStatus ct_index_select(const CTTensor *tensor, int64_t dimension, const CTTensor *index, CTTensor **out);
CTStatus ct_gather(const CTTensor *tensor, int64_t dimension, const CTTensor *index, CTTensor **out);
CTStatus ct_concatenate(const CTTensor *const *tensors, size_t count, int64_t dimension, CTTensor **out);
CTStatus ct_stack(const CTTensor *const *tensors, size_t count, int64_t dimension, CTTensor **out);
CTStatus ct_triangle(const CTTensor *tensor, bool upper, int64_t diagonal, CTTensor **out);

// MARK: Element by element

typedef enum CTUnary {
    CT_NEG, CT_EXP, CT_LOG, CT_LOG1P, CT_SQRT, CT_ABS, CT_SIGMOID, CT_TANH, CT_RELU, CT_SILU, CT_SOFTPLUS, CT_GELU, CT_GELU_TANH,
    CT_COS, CT_SIN, CT_ACOS, CT_NOT, CT_ISFINITE,
} CTUnary;
CTStatus ct_unary(CTUnary operation, const CTTensor *tensor, CTTensor **out);

typedef enum CTBinary {
    CT_ADD, CT_SUB, CT_MUL, CT_DIV, CT_POW, CT_EQ, CT_NE, CT_LT, CT_LE, CT_GT, CT_GE, CT_AND, CT_OR, CT_MAXIMUM, CT_MINIMUM,
} CTBinary;
CTStatus ct_binary(CTBinary operation, const CTTensor *left, const CTTensor *right, CTTensor **out);
CTStatus ct_binary_scalar(CTBinary operation, const CTTensor *left, double right, CTTensor **out);
/// `target = target * factor + source * scale`, in place, outside autograd.
CTStatus ct_scale_add_into(CTTensor *target, double factor, const CTTensor *source, double scale);
CTStatus ct_clamp(const CTTensor *tensor, double low, double high, CTTensor **out);
CTStatus ct_where(const CTTensor *condition, const CTTensor *yes, const CTTensor *no, CTTensor **out);
CTStatus ct_masked_fill(const CTTensor *tensor, const CTTensor *mask, double value, CTTensor **out);

// MARK: Reductions

typedef enum CTReduction { CT_SUM, CT_MEAN, CT_AMAX, CT_AMIN, CT_LOGSUMEXP, CT_ANY, CT_NORM2 } CTReduction;
/// Over `dimensions`; none means all.
CTStatus ct_reduce(
    CTReduction operation, const CTTensor *tensor, const int64_t *dimensions, size_t count, bool keep, CTTensor **out);
CTStatus ct_argmax(const CTTensor *tensor, int64_t dimension, CTTensor **out);
CTStatus ct_topk(const CTTensor *tensor, int64_t k, int64_t dimension, CTTensor **values, CTTensor **indices);
CTStatus ct_softmax(const CTTensor *tensor, int64_t dimension, CTTensor **out);
CTStatus ct_log_softmax(const CTTensor *tensor, int64_t dimension, CTTensor **out);

// MARK: Networks

CTStatus ct_matmul(const CTTensor *left, const CTTensor *right, CTTensor **out);
/// `input` [..., in], `weight` [out, in], `bias` [out] or null.
CTStatus ct_linear(const CTTensor *input, const CTTensor *weight, const CTTensor *bias, CTTensor **out);
/// `weight` [out, in / groups, h, w].
CTStatus ct_conv2d(
    const CTTensor *input, const CTTensor *weight, const CTTensor *bias, int64_t stride, int64_t padding, int64_t groups,
    CTTensor **out);
/// `input` [n, c, h, w] with zeros around each picture.
CTStatus ct_pad2d(const CTTensor *input, int64_t left, int64_t right, int64_t top, int64_t bottom, CTTensor **out);
/// In training the running statistics are updated in place with `momentum`.
CTStatus ct_batch_norm(
    const CTTensor *input, const CTTensor *weight, const CTTensor *bias, CTTensor *mean, CTTensor *variance, bool training,
    double momentum, double eps, CTTensor **out);
CTStatus ct_layer_norm(const CTTensor *input, const CTTensor *weight, const CTTensor *bias, double eps, CTTensor **out);
CTStatus ct_avg_pool2d(const CTTensor *input, int64_t kernel, CTTensor **out);
/// What lies outside of a picture is below every number.
CTStatus ct_max_pool2d(const CTTensor *input, int64_t kernel, int64_t stride, int64_t padding, CTTensor **out);
CTStatus ct_embedding(const CTTensor *weight, const CTTensor *indices, CTTensor **out);
/// `query`, `key`, `value` [batch, heads, tokens, width of a head]; scaled by 1/sqrt(width of a head). `mask`, which may be NULL, is
/// boolean or added to the scores; it is given without `causal` alone.
CTStatus ct_attention(
    const CTTensor *query, const CTTensor *key, const CTTensor *value, const CTTensor *mask, bool causal, CTTensor **out);
/// `input` [n, c, h, w]
CTStatus ct_resize_bicubic(const CTTensor *input, int64_t height, int64_t width, bool antialias, CTTensor **out);

// MARK: Inference on oneDNN's own weight layouts (CPU, float32, no gradients)

CTStatus ct_pack_linear(const CTTensor *weight, CTTensor **out);
/// `activation` is "none", "relu", "relu6", "swish", "gelu" (exact), "gelu_tanh"; with `addend` (same shape as the result) the sum is fused
/// and `activation` must be "none".
CTStatus ct_packed_linear(
    const CTTensor *input, const CTTensor *packed, const CTTensor *bias, const char *activation, const CTTensor *addend,
    CTTensor **out);
CTStatus ct_pack_conv2d(
    const CTTensor *weight, int64_t stride, int64_t padding, int64_t groups, const int64_t *input_shape, CTTensor **out);
/// As `ct_packed_linear`; with `addend` the sum is followed by the activation ("none" or "relu").
CTStatus ct_packed_conv2d(
    const CTTensor *input, const CTTensor *packed, const CTTensor *bias, int64_t stride, int64_t padding, int64_t groups,
    const char *activation, const CTTensor *addend, CTTensor **out);

// MARK: Inference with 8-bit products (CPU, float32 in and out, no gradients)

/// Weights of a linear layer or a convolution in 8 bits, packed; see cint8.h.
typedef struct CTInt8 CTInt8;

/// The instructions that its products are made of here, such as "AVX2".
const char *ct_int8_instructions(void);
/// Rounds float32 weights [out, in] or [out, in, side, side] by a scale for each output: `*integers` becomes int8 of the same shape, within
/// ±63, `*scales` float32 [out].
CTStatus ct_int8_round(const CTTensor *weight, CTTensor **integers, CTTensor **scales);
/// Packs what `ct_int8_round` makes. `*out` is freed with `ct_int8_free`. Integers beyond ±63 are CT_ERR_VALUE.
CTStatus ct_int8_pack(const CTTensor *integers, const CTTensor *scales, CTInt8 **out);
void ct_int8_free(CTInt8 *weights);
/// Bytes that they take.
int64_t ct_int8_bytes(const CTInt8 *weights);
/// activation(input * weightᵀ + bias + addend); `input` is [..., in], and each of its rows is rounded by its own range, behind a layer norm
/// unless the norm's weight is null.
CTStatus ct_int8_linear(
    const CTTensor *input, const CTTensor *norm_weight, const CTTensor *norm_bias, double eps, const CTInt8 *weights,
    const CTTensor *bias, const char *activation, const CTTensor *addend, CTTensor **out);
/// The same of a convolution; `input` is [batch, in, height, width], each picture rounded by its own range (each place by its own, where the
/// kernel is one). `zeros` are those above, below, left and right.
CTStatus ct_int8_conv2d(
    const CTTensor *input, const CTInt8 *weights, const CTTensor *bias, int64_t stride, const int64_t *zeros,
    const char *activation, const CTTensor *addend, CTTensor **out);
/// A layer norm before a product, and a product: of no bias where it is null.
typedef struct CTNorm {
    const CTTensor *weight, *bias;
    double eps;
} CTNorm;
typedef struct CTInt8Layer {
    const CTInt8 *weights;
    const CTTensor *bias;
} CTInt8Layer;
/// A residual attention block of `input` [batch, tokens, width] in one call: what the layers before and behind attention and those of the
/// perceptron, the activation between these, give one after the other. `norms` are two, `layers` four.
CTStatus ct_int8_block(
    const CTTensor *input, const CTNorm *norms, const CTInt8Layer *layers, int64_t heads, bool causal, const char *activation,
    CTTensor **out);
/// Three convolutions 1×1, 3×3 and 1×1 around a shortcut, of `input` [batch, in, height, width], in one call: see `CIBottleneck`. `layers` are
/// four, the last one's weights null where there is no convolution in the shortcut.
CTStatus ct_int8_bottleneck(
    const CTTensor *input, const CTInt8Layer *layers, int64_t stride, int64_t pooling, CTTensor **out);
/// Scaled dot-product attention in float32; all are [batch, tokens, heads * width of a head], and so is the result. With `causal` the last
/// query sees all keys and each before it one fewer.
CTStatus ct_attention_of_heads(
    const CTTensor *query, const CTTensor *key, const CTTensor *value, int64_t heads, bool causal, CTTensor **out);

// MARK: Gradients

CTStatus ct_set_requires_grad(CTTensor *tensor, bool required);
CTStatus ct_requires_grad(const CTTensor *tensor, bool *out);
CTStatus ct_detach(const CTTensor *tensor, CTTensor **out);
/// From a scalar; gradients add up in the leaves.
CTStatus ct_backward(const CTTensor *scalar);
/// `*out` is null where no gradient has arrived.
CTStatus ct_grad(const CTTensor *tensor, CTTensor **out);
CTStatus ct_clear_grad(CTTensor *tensor);
/// The Euclidean length of `count` tensors together, their squares added in float64; 0 for none. Waits for the device once.
CTStatus ct_total_norm(const CTTensor *const *tensors, size_t count, double *out);
/// Multiplies each of `count` tensors in place, outside autograd.
CTStatus ct_scale_all(CTTensor *const *tensors, size_t count, double factor);
/// One AdamW step over `count` parameters and their gradients, in place (libtorch's fused kernel). `steps` are float32 scalars that
/// hold the steps taken before; each becomes one more. All tensors lie on one device, and `averages` and `squares` in their parameter's
/// memory order.
CTStatus ct_adamw(
    CTTensor *const *parameters, const CTTensor *const *gradients, CTTensor *const *averages, CTTensor *const *squares,
    CTTensor *const *steps, size_t count, double rate, double beta1, double beta2, double decay, double eps);

#ifdef __cplusplus
}
#endif
