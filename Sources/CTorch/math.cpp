// Element by element, reductions.
#include <ATen/ops/acos.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/any.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logical_and.h>
#include <ATen/ops/logical_not.h>
#include <ATen/ops/logical_or.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/where.h>
#include <c10/core/GradMode.h>

#include <numeric>

#include "guard.h"

using namespace ct;

CTStatus ct_unary(CTUnary operation, const CTTensor *tensor, CTTensor **out) {
    return giving(out, [&]() -> at::Tensor {
        const auto &x = get(tensor);
        switch (operation) {
            case CT_NEG: return x.neg();
            case CT_EXP: return x.exp();
            case CT_LOG: return x.log();
            case CT_LOG1P: return x.log1p();
            case CT_SQRT: return x.sqrt();
            case CT_ABS: return x.abs();
            case CT_SIGMOID: return x.sigmoid();
            case CT_TANH: return x.tanh();
            case CT_RELU: return x.relu();
            case CT_SILU: return at::silu(x);
            case CT_SOFTPLUS: return at::softplus(x);
            case CT_GELU: return at::gelu(x, "none");
            case CT_GELU_TANH: return at::gelu(x, "tanh");
            case CT_COS: return x.cos();
            case CT_SIN: return x.sin();
            case CT_ACOS: return at::acos(x);
            case CT_NOT: return at::logical_not(x);
            case CT_ISFINITE: return at::isfinite(x);
        }
        throw ArgumentError("operation code " + std::to_string(int(operation)) + " does not exist");
    });
}

CTStatus ct_binary(CTBinary operation, const CTTensor *left, const CTTensor *right, CTTensor **out) {
    return giving(out, [&]() -> at::Tensor {
        const auto &a = get(left);
        const auto &b = get(right);
        switch (operation) {
            case CT_ADD: return a.add(b);
            case CT_SUB: return a.sub(b);
            case CT_MUL: return a.mul(b);
            case CT_DIV: return a.div(b);
            case CT_POW: return a.pow(b);
            case CT_EQ: return a.eq(b);
            case CT_NE: return a.ne(b);
            case CT_LT: return a.lt(b);
            case CT_LE: return a.le(b);
            case CT_GT: return a.gt(b);
            case CT_GE: return a.ge(b);
            case CT_AND: return at::logical_and(a, b);
            case CT_OR: return at::logical_or(a, b);
            case CT_MAXIMUM: return at::maximum(a, b);
            case CT_MINIMUM: return at::minimum(a, b);
        }
        throw ArgumentError("operation code " + std::to_string(int(operation)) + " does not exist");
    });
}

CTStatus ct_binary_scalar(CTBinary operation, const CTTensor *left, double right, CTTensor **out) {
    return giving(out, [&]() -> at::Tensor {
        const auto &a = get(left);
        // A whole number keeps an integer tensor integer, as it does in Python.
        const bool whole = at::isIntegralType(a.scalar_type(), true) && right == double(int64_t(right));
        const at::Scalar b = whole ? at::Scalar(int64_t(right)) : at::Scalar(right);
        switch (operation) {
            case CT_ADD: return a.add(b);
            case CT_SUB: return a.sub(b);
            case CT_MUL: return a.mul(b);
            case CT_DIV: return a.div(b);
            case CT_POW: return a.pow(b);
            case CT_EQ: return a.eq(b);
            case CT_NE: return a.ne(b);
            case CT_LT: return a.lt(b);
            case CT_LE: return a.le(b);
            case CT_GT: return a.gt(b);
            case CT_GE: return a.ge(b);
            case CT_MAXIMUM: return a.clamp_min(b);
            case CT_MINIMUM: return a.clamp_max(b);
            case CT_AND:
            case CT_OR: throw ArgumentError("logical operations take two tensors", CT_ERR_UNSUPPORTED);
        }
        throw ArgumentError("operation code " + std::to_string(int(operation)) + " does not exist");
    });
}

CTStatus ct_scale_add_into(CTTensor *target, double factor, const CTTensor *source, double scale) {
    return guarded([&] {
        c10::AutoGradMode none(false);
        auto &t = get(target);
        const auto &s = get(source);
        if (!t.sizes().equals(s.sizes())) throw ArgumentError("the two shapes differ", CT_ERR_CHECK);
        if (factor != 1) t.mul_(factor);
        t.add_(s, scale);
    });
}

CTStatus ct_clamp(const CTTensor *tensor, double low, double high, CTTensor **out) {
    return giving(out, [&] { return at::clamp(get(tensor), at::Scalar(low), at::Scalar(high)); });
}

CTStatus ct_where(const CTTensor *condition, const CTTensor *yes, const CTTensor *no, CTTensor **out) {
    return giving(out, [&] { return at::where(get(condition), get(yes), get(no)); });
}

CTStatus ct_masked_fill(const CTTensor *tensor, const CTTensor *mask, double value, CTTensor **out) {
    return giving(out, [&] { return get(tensor).masked_fill(get(mask), value); });
}

CTStatus ct_reduce(
    CTReduction operation, const CTTensor *tensor, const int64_t *dimensions, size_t count, bool keep, CTTensor **out) {
    return giving(out, [&]() -> at::Tensor {
        const auto &x = get(tensor);
        std::vector<int64_t> all(size_t(x.dim()));
        std::iota(all.begin(), all.end(), 0);
        at::IntArrayRef over = count == 0 ? at::IntArrayRef(all) : sizes(dimensions, count);
        switch (operation) {
            case CT_SUM: return at::sum(x, over, keep);
            case CT_MEAN: return at::mean(x, over, keep);
            case CT_AMAX: return at::amax(x, over, keep);
            case CT_AMIN: return at::amin(x, over, keep);
            case CT_LOGSUMEXP: return at::logsumexp(x, over, keep);
            case CT_ANY: return at::any(x, over, keep);
            case CT_NORM2: return at::linalg_vector_norm(x, 2, over, keep);
        }
        throw ArgumentError("operation code " + std::to_string(int(operation)) + " does not exist");
    });
}

CTStatus ct_argmax(const CTTensor *tensor, int64_t dimension, CTTensor **out) {
    return giving(out, [&] { return get(tensor).argmax(dimension); });
}

CTStatus ct_topk(const CTTensor *tensor, int64_t k, int64_t dimension, CTTensor **values, CTTensor **indices) {
    return guarded([&] {
        if (values == nullptr || indices == nullptr) throw ArgumentError("the place for a result is null");
        auto [top, places] = at::topk(get(tensor), k, dimension);
        CTTensor *first = nullptr;
        give(std::move(top), &first);
        try {
            give(std::move(places), indices);
        } catch (...) {
            ct_tensor_free(first);
            throw;
        }
        *values = first;
    });
}

CTStatus ct_softmax(const CTTensor *tensor, int64_t dimension, CTTensor **out) {
    return giving(out, [&] { return at::softmax(get(tensor), dimension); });
}

CTStatus ct_log_softmax(const CTTensor *tensor, int64_t dimension, CTTensor **out) {
    return giving(out, [&] { return at::log_softmax(get(tensor), dimension); });
}
