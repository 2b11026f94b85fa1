// Layers, their prepacked oneDNN forms, gradients, the optimizer's kernel.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <c10/core/GradMode.h>

#include <cstring>

#include "guard.h"

using namespace ct;

CTStatus ct_matmul(const CTTensor *left, const CTTensor *right, CTTensor **out) {
    return giving(out, [&] { return at::matmul(get(left), get(right)); });
}

CTStatus ct_linear(const CTTensor *input, const CTTensor *weight, const CTTensor *bias, CTTensor **out) {
    return giving(out, [&] { return at::linear(get(input), get(weight), optional(bias)); });
}

CTStatus ct_conv2d(
    const CTTensor *input, const CTTensor *weight, const CTTensor *bias, int64_t stride, int64_t padding, int64_t groups,
    CTTensor **out) {
    return giving(out, [&] { return at::conv2d(get(input), get(weight), optional(bias), stride, padding, 1, groups); });
}

CTStatus ct_pad2d(const CTTensor *input, int64_t left, int64_t right, int64_t top, int64_t bottom, CTTensor **out) {
    return giving(out, [&] {
        int64_t pads[4] = {left, right, top, bottom};
        return at::constant_pad_nd(get(input), pads, 0);
    });
}

CTStatus ct_batch_norm(
    const CTTensor *input, const CTTensor *weight, const CTTensor *bias, CTTensor *mean, CTTensor *variance, bool training,
    double momentum, double eps, CTTensor **out) {
    return giving(out, [&] {
        return at::batch_norm(
            get(input), optional(weight), optional(bias), get(mean), get(variance), training, momentum, eps, false);
    });
}

CTStatus ct_layer_norm(const CTTensor *input, const CTTensor *weight, const CTTensor *bias, double eps, CTTensor **out) {
    return giving(out, [&] { return at::layer_norm(get(input), get(weight).sizes(), optional(weight), optional(bias), eps); });
}

CTStatus ct_avg_pool2d(const CTTensor *input, int64_t kernel, CTTensor **out) {
    return giving(out, [&] { return at::avg_pool2d(get(input), kernel); });
}

CTStatus ct_max_pool2d(const CTTensor *input, int64_t kernel, int64_t stride, int64_t padding, CTTensor **out) {
    return giving(out, [&] { return at::max_pool2d(get(input), kernel, stride, padding); });
}

CTStatus ct_embedding(const CTTensor *weight, const CTTensor *indices, CTTensor **out) {
    return giving(out, [&] { return at::embedding(get(weight), get(indices)); });
}

CTStatus ct_attention(
    const CTTensor *query, const CTTensor *key, const CTTensor *value, const CTTensor *mask, bool causal, CTTensor **out) {
    return giving(out, [&] {
        return at::scaled_dot_product_attention(get(query), get(key), get(value), optional(mask), 0.0, causal);
    });
}

CTStatus ct_resize_bicubic(const CTTensor *input, int64_t height, int64_t width, bool antialias, CTTensor **out) {
    return giving(out, [&] {
        int64_t size[2] = {height, width};
        return antialias ? at::_upsample_bicubic2d_aa(get(input), size, false) : at::upsample_bicubic2d(get(input), size, false);
    });
}

// MARK: oneDNN layouts. These operators have no ATen function: they are looked up by name, once, with their exact types.

using Scalars = c10::List<std::optional<at::Scalar>>;

template <typename Signature>
static auto operation(const char *name, const char *overload) {
    return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

struct Activation {
    c10::string_view name;
    std::optional<c10::string_view> algorithm;
    Scalars numbers;
};

static Activation activation_named(const char *name) {
    if (name == nullptr) throw ArgumentError("the name of the activation is null");
    if (std::strcmp(name, "none") == 0 || std::strcmp(name, "relu") == 0 || std::strcmp(name, "swish") == 0)
        return {name, std::nullopt, Scalars()};
    if (std::strcmp(name, "relu6") == 0)
        return {"hardtanh", std::nullopt, Scalars({at::Scalar(0.0), at::Scalar(6.0)})};
    if (std::strcmp(name, "gelu") == 0) return {"gelu", "none", Scalars()};
    if (std::strcmp(name, "gelu_tanh") == 0) return {"gelu", "tanh", Scalars()};
    throw ArgumentError(std::string("no fused activation is called ") + name);
}

CTStatus ct_pack_linear(const CTTensor *weight, CTTensor **out) {
    return giving(out, [&] {
        static auto pack = operation<at::Tensor(const at::Tensor &, std::optional<int64_t>)>("mkldnn::_reorder_linear_weight", "");
        c10::AutoGradMode none(false);
        return pack.call(get(weight).contiguous(), std::nullopt);
    });
}

CTStatus ct_packed_linear(
    const CTTensor *input, const CTTensor *packed, const CTTensor *bias, const char *activation, const CTTensor *addend,
    CTTensor **out) {
    return giving(out, [&] {
        static auto plain = operation<at::Tensor(
            const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &, c10::string_view, Scalars,
            std::optional<c10::string_view>)>("mkldnn::_linear_pointwise", "");
        static auto binary = operation<at::Tensor(
            const at::Tensor &, const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &, c10::string_view)>(
            "mkldnn::_linear_pointwise", "binary");
        auto fused = activation_named(activation);
        if (addend == nullptr)
            return plain.call(get(input), get(packed), optional(bias), fused.name, fused.numbers, fused.algorithm);
        if (fused.name != "none") throw ArgumentError("an addend and an activation can't both be fused", CT_ERR_UNSUPPORTED);
        return binary.call(get(input), get(addend), get(packed), optional(bias), "add");
    });
}

CTStatus ct_pack_conv2d(
    const CTTensor *weight, int64_t stride, int64_t padding, int64_t groups, const int64_t *input_shape, CTTensor **out) {
    return giving(out, [&] {
        static auto pack = operation<at::Tensor(
            const at::Tensor &, c10::SymIntArrayRef, c10::SymIntArrayRef, c10::SymIntArrayRef, c10::SymInt,
            at::OptionalSymIntArrayRef)>("mkldnn::_reorder_convolution_weight", "");
        c10::AutoGradMode none(false);
        std::vector<c10::SymInt> pads(2, padding), strides(2, stride), dilations(2, 1), shape;
        if (input_shape != nullptr) shape.assign(input_shape, input_shape + 4);
        at::OptionalSymIntArrayRef input;
        if (input_shape != nullptr) input = c10::SymIntArrayRef(shape);
        return pack.call(get(weight).contiguous(), pads, strides, dilations, groups, input);
    });
}

CTStatus ct_packed_conv2d(
    const CTTensor *input, const CTTensor *packed, const CTTensor *bias, int64_t stride, int64_t padding, int64_t groups,
    const char *activation, const CTTensor *addend, CTTensor **out) {
    return giving(out, [&] {
        using Ints = c10::SymIntArrayRef;
        static auto plain = operation<at::Tensor(
            const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &, Ints, Ints, Ints, c10::SymInt, c10::string_view,
            Scalars, std::optional<c10::string_view>)>("mkldnn::_convolution_pointwise", "");
        static auto binary = operation<at::Tensor(
            const at::Tensor &, const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &, Ints, Ints, Ints,
            c10::SymInt, c10::string_view, std::optional<at::Scalar>, std::optional<c10::string_view>, Scalars,
            std::optional<c10::string_view>)>("mkldnn::_convolution_pointwise", "binary");
        std::vector<c10::SymInt> pads(2, padding), strides(2, stride), dilations(2, 1);
        auto fused = activation_named(activation);
        if (addend == nullptr)
            return plain.call(
                get(input), get(packed), optional(bias), pads, strides, dilations, groups, fused.name, fused.numbers,
                fused.algorithm);
        if (fused.name != "none" && fused.name != "relu")
            throw ArgumentError("behind an addend only relu can be fused", CT_ERR_UNSUPPORTED);
        std::optional<c10::string_view> after;
        if (fused.name != "none") after = fused.name;
        return binary.call(
            get(input), get(addend), get(packed), optional(bias), pads, strides, dilations, groups, "add", at::Scalar(1.0), after,
            Scalars(), std::nullopt);
    });
}

// MARK: Gradients

CTStatus ct_set_requires_grad(CTTensor *tensor, bool required) {
    return guarded([&] { get(tensor).set_requires_grad(required); });
}

CTStatus ct_requires_grad(const CTTensor *tensor, bool *out) {
    return guarded([&] { *out = get(tensor).requires_grad(); });
}

CTStatus ct_detach(const CTTensor *tensor, CTTensor **out) {
    return giving(out, [&] { return get(tensor).detach(); });
}

CTStatus ct_backward(const CTTensor *scalar) {
    return guarded([&] { get(scalar).backward(); });
}

CTStatus ct_grad(const CTTensor *tensor, CTTensor **out) {
    return guarded([&] {
        if (out == nullptr) throw ArgumentError("the place for the result is null");
        at::Tensor grad = get(tensor).grad();
        if (grad.defined()) give(std::move(grad), out);
        else *out = nullptr;
    });
}

CTStatus ct_clear_grad(CTTensor *tensor) {
    return guarded([&] { get(tensor).mutable_grad().reset(); });
}

CTStatus ct_total_norm(const CTTensor *const *tensors, size_t count, double *out) {
    return guarded([&] {
        if (out == nullptr) throw ArgumentError("the place for the result is null");
        if (count == 0) {
            *out = 0;
            return;
        }
        c10::AutoGradMode none(false);
        // One wait for the device instead of one for each tensor.
        const auto lengths = at::stack(at::_foreach_norm(list(tensors, count), 2)).cpu().to(at::kDouble);
        *out = at::linalg_vector_norm(lengths, 2).item().toDouble();
    });
}

CTStatus ct_scale_all(CTTensor *const *tensors, size_t count, double factor) {
    return guarded([&] {
        if (count == 0) return;
        c10::AutoGradMode none(false);
        at::_foreach_mul_(list(tensors, count), factor);
    });
}

CTStatus ct_adamw(
    CTTensor *const *parameters, const CTTensor *const *gradients, CTTensor *const *averages, CTTensor *const *squares,
    CTTensor *const *steps, size_t count, double rate, double beta1, double beta2, double decay, double eps) {
    return guarded([&] {
        if (count == 0) return;
        c10::AutoGradMode none(false);
        const auto numbers = list(steps, count);
        at::_foreach_add_(numbers, 1);
        at::_fused_adamw_(
            list(parameters, count), list(gradients, count), list(averages, count), list(squares, count), {}, numbers,
            rate, beta1, beta2, decay, eps, false, false);
    });
}
