// Making, looking inside, converting, shaping.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tril.h>
#include <ATen/ops/triu.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <cstring>

#include "guard.h"

using namespace ct;

void ct_tensor_free(CTTensor *tensor) {
    if (tensor == nullptr) return;
    delete tensor;
    live_tensors.fetch_sub(1, std::memory_order_relaxed);
}

/// Element count of a shape, refusing negative sizes and overflow.
static int64_t count_of(at::IntArrayRef shape) {
    int64_t count = 1;
    for (int64_t size : shape) {
        if (size < 0) throw ArgumentError("a size is negative: " + std::to_string(size), CT_ERR_VALUE);
        if (__builtin_mul_overflow(count, size, &count)) throw ArgumentError("the shape has too many elements", CT_ERR_VALUE);
    }
    return count;
}

CTStatus ct_from_bytes(const void *data, size_t bytes, CTType type, const int64_t *shape, size_t rank, CTTensor **out) {
    return giving(out, [&] {
        auto wanted = sizes(shape, rank);
        auto element = scalar_type(type);
        auto expected = size_t(count_of(wanted)) * c10::elementSize(element);
        if (bytes != expected)
            throw ArgumentError(
                "the shape needs " + std::to_string(expected) + " bytes, found " + std::to_string(bytes), CT_ERR_VALUE);
        if (data == nullptr && bytes != 0) throw ArgumentError("the data pointer is null");
        auto tensor = at::empty(wanted, at::TensorOptions(element));
        if (bytes != 0) std::memcpy(tensor.mutable_data_ptr(), data, bytes);
        return tensor;
    });
}

CTStatus ct_from_borrowed(
    const void *data, CTType type, const int64_t *shape, size_t rank, void *context, void (*release)(void *), CTTensor **out) {
    return giving(out, [&] {
        auto wanted = sizes(shape, rank);
        auto element = scalar_type(type);
        count_of(wanted);
        if (data == nullptr || release == nullptr) throw ArgumentError("the data pointer or its release is null");
        if (reinterpret_cast<uintptr_t>(data) % c10::elementSize(element) != 0)
            throw ArgumentError("the data is not aligned to its element size", CT_ERR_VALUE);
        return at::from_blob(
            const_cast<void *>(data), wanted, [context, release](void *) { release(context); }, at::TensorOptions(element));
    });
}

CTStatus ct_zeros_like(const CTTensor *tensor, CTTensor **out) {
    return giving(out, [&] { return at::zeros_like(get(tensor).detach()); });
}

CTStatus ct_full(double value, CTType type, const int64_t *shape, size_t rank, CTTensor **out) {
    return giving(out, [&] { return at::full(sizes(shape, rank), value, at::TensorOptions(scalar_type(type))); });
}

CTStatus ct_arange(int64_t start, int64_t end, CTTensor **out) {
    return giving(out, [&] { return at::arange(start, end, at::TensorOptions(at::kLong)); });
}

CTStatus ct_randn(const int64_t *shape, size_t rank, CTTensor **out) {
    return giving(out, [&] { return at::randn(sizes(shape, rank), at::TensorOptions(at::kFloat)); });
}

CTStatus ct_rand(const int64_t *shape, size_t rank, CTTensor **out) {
    return giving(out, [&] { return at::rand(sizes(shape, rank), at::TensorOptions(at::kFloat)); });
}

CTStatus ct_eye(int64_t size, CTTensor **out) {
    return giving(out, [&] { return at::eye(size, at::TensorOptions(at::kFloat)); });
}

CTStatus ct_rank(const CTTensor *tensor, int64_t *out) {
    return guarded([&] { *out = get(tensor).dim(); });
}

CTStatus ct_shape(const CTTensor *tensor, int64_t *out, size_t rank) {
    return guarded([&] {
        auto shape = get(tensor).sizes();
        if (shape.size() != rank) throw ArgumentError("the rank is " + std::to_string(shape.size()) + ", asked for " + std::to_string(rank));
        std::copy(shape.begin(), shape.end(), out);
    });
}

CTStatus ct_type(const CTTensor *tensor, CTType *out) {
    return guarded([&] { *out = type_code(get(tensor).scalar_type()); });
}

CTStatus ct_device(const CTTensor *tensor, CTDevice *out) {
    return guarded([&] {
        auto device = get(tensor).device();
        *out = device.is_cuda() ? CT_CUDA : device.is_mps() ? CT_MPS : CT_CPU;
    });
}

CTStatus ct_to_bytes(const CTTensor *tensor, void *out, size_t bytes) {
    return guarded([&] {
        c10::AutoGradMode none(false);
        auto plain = get(tensor).cpu().contiguous();
        if (plain.nbytes() != bytes)
            throw ArgumentError(
                "the tensor holds " + std::to_string(plain.nbytes()) + " bytes, the place " + std::to_string(bytes), CT_ERR_VALUE);
        if (bytes != 0) std::memcpy(out, plain.const_data_ptr(), bytes);
    });
}

CTStatus ct_item(const CTTensor *tensor, double *out) {
    return guarded([&] { *out = get(tensor).item().toDouble(); });
}

CTStatus ct_to_type(const CTTensor *tensor, CTType type, CTTensor **out) {
    return giving(out, [&] { return get(tensor).to(scalar_type(type)); });
}

CTStatus ct_to_device(const CTTensor *tensor, CTDevice target, CTTensor **out) {
    return giving(out, [&] { return get(tensor).to(device(target)); });
}

CTStatus ct_contiguous(const CTTensor *tensor, bool channels_last, CTTensor **out) {
    return giving(out, [&] {
        return get(tensor).contiguous(channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
    });
}

CTStatus ct_clone(const CTTensor *tensor, CTTensor **out) {
    return giving(out, [&] { return get(tensor).clone(); });
}

CTStatus ct_copy_into(CTTensor *target, const CTTensor *source) {
    return guarded([&] {
        c10::AutoGradMode none(false);
        get(target).copy_(get(source));
    });
}

CTStatus ct_reshape(const CTTensor *tensor, const int64_t *shape, size_t rank, CTTensor **out) {
    return giving(out, [&] { return get(tensor).reshape(sizes(shape, rank)); });
}

CTStatus ct_permute(const CTTensor *tensor, const int64_t *order, size_t rank, CTTensor **out) {
    return giving(out, [&] { return get(tensor).permute(sizes(order, rank)); });
}

CTStatus ct_transpose(const CTTensor *tensor, int64_t first, int64_t second, CTTensor **out) {
    return giving(out, [&] { return get(tensor).transpose(first, second); });
}

CTStatus ct_expand(const CTTensor *tensor, const int64_t *shape, size_t rank, CTTensor **out) {
    return giving(out, [&] { return get(tensor).expand(sizes(shape, rank)); });
}

CTStatus ct_unsqueeze(const CTTensor *tensor, int64_t dimension, CTTensor **out) {
    return giving(out, [&] { return get(tensor).unsqueeze(dimension); });
}

CTStatus ct_squeeze(const CTTensor *tensor, int64_t dimension, CTTensor **out) {
    return giving(out, [&] { return get(tensor).squeeze(dimension); });
}

CTStatus ct_narrow(const CTTensor *tensor, int64_t dimension, int64_t start, int64_t length, CTTensor **out) {
    return giving(out, [&] { return get(tensor).narrow(dimension, start, length); });
}

CTStatus ct_select(const CTTensor *tensor, int64_t dimension, int64_t index, CTTensor **out) {
    return giving(out, [&] { return get(tensor).select(dimension, index); });
}

CTStatus ct_index_select(const CTTensor *tensor, int64_t dimension, const CTTensor *index, CTTensor **out) {
    return giving(out, [&] { return get(tensor).index_select(dimension, get(index)); });
}

CTStatus ct_gather(const CTTensor *tensor, int64_t dimension, const CTTensor *index, CTTensor **out) {
    return giving(out, [&] { return get(tensor).gather(dimension, get(index)); });
}

CTStatus ct_concatenate(const CTTensor *const *tensors, size_t count, int64_t dimension, CTTensor **out) {
    return giving(out, [&] { return at::cat(list(tensors, count), dimension); });
}

CTStatus ct_stack(const CTTensor *const *tensors, size_t count, int64_t dimension, CTTensor **out) {
    return giving(out, [&] { return at::stack(list(tensors, count), dimension); });
}

CTStatus ct_triangle(const CTTensor *tensor, bool upper, int64_t diagonal, CTTensor **out) {
    return giving(out, [&] { return upper ? get(tensor).triu(diagonal) : get(tensor).tril(diagonal); });
}
