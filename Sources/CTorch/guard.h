// The one catch: every function of the shim runs its body inside `guarded`.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <atomic>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "ctorch.h"

struct CTTensor {
    at::Tensor value;
};

namespace ct {

extern thread_local std::string last_error;
extern std::atomic<int64_t> live_tensors;

/// Thrown by the shim's own argument checks.
struct ArgumentError : std::exception {
    std::string text;
    CTStatus status;
    explicit ArgumentError(std::string text, CTStatus status = CT_ERR_ARGUMENT) : text(std::move(text)), status(status) {}
    const char *what() const noexcept override { return text.c_str(); }
};

/// Keeps the first line: the rest is libtorch's C++ backtrace.
CTStatus failed(CTStatus status, const char *message) noexcept;

template <typename Body>
CTStatus guarded(Body &&body) noexcept {
    last_error.clear();
    // The type is known here and nowhere later: classify now, most derived first.
    try {
        body();
        return CT_OK;
    } catch (const ArgumentError &error) {
        return failed(error.status, error.what());
    } catch (const c10::IndexError &error) {
        return failed(CT_ERR_INDEX, error.what_without_backtrace());
    } catch (const c10::TypeError &error) {
        return failed(CT_ERR_TYPE, error.what_without_backtrace());
    } catch (const c10::ValueError &error) {
        return failed(CT_ERR_VALUE, error.what_without_backtrace());
    } catch (const c10::OutOfMemoryError &error) {
        return failed(CT_ERR_MEMORY, error.what_without_backtrace());
    } catch (const c10::NotImplementedError &error) {
        return failed(CT_ERR_UNSUPPORTED, error.what_without_backtrace());
    } catch (const c10::Error &error) {
        return failed(CT_ERR_CHECK, error.what_without_backtrace());
    } catch (const std::bad_alloc &error) {
        return failed(CT_ERR_MEMORY, error.what());
    } catch (const std::exception &error) {
        return failed(CT_ERR_INTERNAL, error.what());
    } catch (...) {
        return failed(CT_ERR_INTERNAL, "an exception of unknown type");
    }
}

inline const at::Tensor &get(const CTTensor *tensor) {
    if (tensor == nullptr) throw ArgumentError("a tensor handle is null");
    return tensor->value;
}

inline at::Tensor &get(CTTensor *tensor) {
    if (tensor == nullptr) throw ArgumentError("a tensor handle is null");
    return tensor->value;
}

inline std::optional<at::Tensor> optional(const CTTensor *tensor) {
    return tensor == nullptr ? std::nullopt : std::optional<at::Tensor>(tensor->value);
}

inline void give(at::Tensor &&value, CTTensor **out) {
    if (out == nullptr) throw ArgumentError("the place for the result is null");
    auto *handle = new CTTensor{std::move(value)};
    live_tensors.fetch_add(1, std::memory_order_relaxed);
    *out = handle;
}

template <typename Make>
CTStatus giving(CTTensor **out, Make &&make) noexcept {
    return guarded([&] { give(make(), out); });
}

inline at::IntArrayRef sizes(const int64_t *values, size_t count) {
    if (values == nullptr && count != 0) throw ArgumentError("a list of sizes is null");
    return at::IntArrayRef(values, count);
}

template <typename Handle>
std::vector<at::Tensor> list(Handle *const *handles, size_t count) {
    std::vector<at::Tensor> tensors;
    tensors.reserve(count);
    for (size_t index = 0; index < count; ++index) tensors.push_back(get(handles[index]));
    return tensors;
}

at::ScalarType scalar_type(CTType type);
CTType type_code(at::ScalarType type);
c10::Device device(CTDevice device);

}  // namespace ct
