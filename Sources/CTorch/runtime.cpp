// Errors, threads, seeds, devices, grad mode: the state around the tensors.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <torch/csrc/api/include/torch/version.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <climits>
#include <mutex>

#include "guard.h"

namespace ct {

thread_local std::string last_error;
std::atomic<int64_t> live_tensors{0};

CTStatus failed(CTStatus status, const char *message) noexcept {
    try {
        std::string text = message == nullptr ? "" : message;
        last_error = text.substr(0, text.find('\n'));
        if (last_error.empty()) last_error = "libtorch gave no reason";
    } catch (...) {
        last_error.clear();  // no memory left for a message: the status still tells
    }
    return status;
}

at::ScalarType scalar_type(CTType type) {
    switch (type) {
        case CT_FLOAT32: return at::kFloat;
        case CT_FLOAT64: return at::kDouble;
        case CT_FLOAT16: return at::kHalf;
        case CT_BFLOAT16: return at::kBFloat16;
        case CT_INT64: return at::kLong;
        case CT_INT32: return at::kInt;
        case CT_INT16: return at::kShort;
        case CT_INT8: return at::kChar;
        case CT_UINT8: return at::kByte;
        case CT_BOOL: return at::kBool;
    }
    throw ArgumentError("element type code " + std::to_string(int(type)) + " does not exist");
}

CTType type_code(at::ScalarType type) {
    switch (type) {
        case at::kFloat: return CT_FLOAT32;
        case at::kDouble: return CT_FLOAT64;
        case at::kHalf: return CT_FLOAT16;
        case at::kBFloat16: return CT_BFLOAT16;
        case at::kLong: return CT_INT64;
        case at::kInt: return CT_INT32;
        case at::kShort: return CT_INT16;
        case at::kChar: return CT_INT8;
        case at::kByte: return CT_UINT8;
        case at::kBool: return CT_BOOL;
        default: throw ArgumentError(std::string("element type ") + c10::toString(type) + " is not ours", CT_ERR_TYPE);
    }
}

c10::Device device(CTDevice device) {
    switch (device) {
        case CT_CPU: return c10::Device(c10::kCPU);
        case CT_CUDA: return c10::Device(c10::kCUDA, 0);
        case CT_MPS: return c10::Device(c10::kMPS, 0);
    }
    throw ArgumentError("device code " + std::to_string(int(device)) + " does not exist");
}

/// Why CUDA can't be used, or "". Only libtorch_cpu is linked; the CUDA half registers itself when it is loaded. It lies beside libtorch_cpu
/// or nowhere.
static const std::string &cuda_obstacle() {
    static const std::string obstacle = []() -> std::string {
        Dl_info info;
        if (dladdr(reinterpret_cast<void *>(&at::get_num_threads), &info) == 0 || info.dli_fname == nullptr)
            return "libtorch_cpu's own place is unknown";
        const std::string cpu = info.dli_fname;
        const std::string folder = cpu.substr(0, cpu.rfind('/') + 1);
        const std::string path = folder + "libtorch_cuda.so";
        if (access(path.c_str(), F_OK) != 0) return "this libtorch is a CPU build: " + folder + " holds no libtorch_cuda.so";
        if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
            const char *reason = dlerror();
            return std::string("libtorch_cuda.so can't be loaded: ") + (reason == nullptr ? "no reason was given" : reason);
        }
        // libtorch looks for the CUDA half when it is first asked about it, and keeps the answer.
        if (!at::hasCUDA()) return "libtorch_cuda.so was loaded after libtorch had looked for it";
        if (at::detail::getCUDAHooks().deviceCount() < 1) return "the driver shows no GPU";
        at::globalContext().setAllowTF32CuDNN(false);
        at::globalContext().setAllowTF32CuBLAS(false);
        return "";
    }();
    return obstacle;
}

}  // namespace ct

using namespace ct;

const char *ct_last_error(void) { return last_error.c_str(); }
int64_t ct_live_tensors(void) { return live_tensors.load(std::memory_order_relaxed); }
const char *ct_version(void) { return TORCH_VERSION; }

CTStatus ct_set_threads(int64_t count) {
    return guarded([&] {
        if (count < 1 || count > 1024) throw ArgumentError("the number of threads must be 1...1024", CT_ERR_VALUE);
        at::set_num_threads(int(count));
    });
}

int64_t ct_threads(void) { return at::get_num_threads(); }

void ct_keep_freed_memory(bool all) {
#ifdef __GLIBC__
    if (all) {
        // Large blocks from the heap, too, and never a page of it returned.
        mallopt(M_MMAP_MAX, 0);
        mallopt(M_TRIM_THRESHOLD, INT_MAX);
    } else {
        // The largest blocks that glibc lets a heap have, and so much of them at its end.
        mallopt(M_MMAP_THRESHOLD, 32 << 20);
        mallopt(M_TRIM_THRESHOLD, 256 << 20);
    }
#else
    (void)all;
#endif
}

CTStatus ct_manual_seed(uint64_t seed) {
    return guarded([&] {
        // at::manual_seed would ask for CUDA, and libtorch would remember that it was not loaded yet.
        auto generator = at::detail::getDefaultCPUGenerator();
        std::lock_guard<std::mutex> lock(generator.mutex());
        generator.set_current_seed(seed);
    });
}

CTStatus ct_device_available(CTDevice device, bool *out) {
    return guarded([&] {
        if (out == nullptr) throw ArgumentError("the place for the result is null");
        switch (device) {
            case CT_CPU: *out = true; return;
            case CT_CUDA: *out = cuda_obstacle().empty(); return;
            case CT_MPS: *out = at::hasMPS(); return;
        }
        throw ArgumentError("device code " + std::to_string(int(device)) + " does not exist");
    });
}

const char *ct_device_obstacle(CTDevice device) {
    bool available = false;
    if (ct_device_available(device, &available) != CT_OK) return "libtorch failed when it was asked";
    if (available) return "";
    return device == CT_CUDA ? cuda_obstacle().c_str() : "this libtorch was built without it";
}

CTStatus ct_set_tf32(bool allowed) {
    return guarded([&] {
        at::globalContext().setAllowTF32CuDNN(allowed);
        at::globalContext().setAllowTF32CuBLAS(allowed);
    });
}

CTStatus ct_synchronize(CTDevice target) {
    return guarded([&] {
        const auto device = ct::device(target);
        if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(0);
    });
}

CTStatus ct_set_grad_enabled(bool enabled, bool *previous) {
    return guarded([&] {
        if (previous != nullptr) *previous = c10::GradMode::is_enabled();
        c10::GradMode::set_enabled(enabled);
    });
}

CTStatus ct_set_autocast(CTDevice device, bool enabled, bool *previous) {
    return guarded([&] {
        const auto type = ct::device(device).type();
        if (previous != nullptr) *previous = at::autocast::is_autocast_enabled(type);
        at::autocast::set_autocast_dtype(type, at::kBFloat16);
        at::autocast::set_autocast_enabled(type, enabled);
        if (!enabled) at::autocast::clear_cache();
    });
}
