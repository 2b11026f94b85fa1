// Layers of 8-bit products (CInt8) on tensors, on as many threads as libtorch's own operations use.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <cint8.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <tuple>

#include "guard.h"

using namespace ct;

struct CTInt8 {
    CIWeights *packed;
    /// Of a convolution; 0 of a linear layer.
    int64_t kernel;
};

namespace {

const CTInt8 &get_weights(const CTInt8 *weights) {
    if (weights == nullptr) throw ArgumentError("a handle of int8 weights is null");
    return *weights;
}

CIActivation activation_of(const char *name) {
    if (name == nullptr) throw ArgumentError("the name of the activation is null");
    static constexpr std::pair<const char *, CIActivation> known[] = {
        {"none", CI_ACTIVATION_NONE},   {"relu", CI_ACTIVATION_RELU}, {"relu6", CI_ACTIVATION_RELU6},
        {"swish", CI_ACTIVATION_SWISH}, {"gelu", CI_ACTIVATION_GELU}, {"gelu_tanh", CI_ACTIVATION_GELU_TANH}};
    for (const auto &[own, value] : known) {
        if (std::strcmp(name, own) == 0) return value;
    }
    throw ArgumentError(std::string("no fused activation is called ") + name);
}

const at::Tensor &require_floats(const at::Tensor &tensor, const char *what) {
    if (!tensor.is_cpu() || tensor.scalar_type() != at::kFloat)
        throw ArgumentError(std::string(what) + " of an int8 layer is not float32 on the CPU", CT_ERR_TYPE);
    return tensor;
}

at::Tensor bias_of(const CTTensor *bias, const CIWeights *weights) {
    if (bias == nullptr) return {};
    const auto value = require_floats(get(bias), "the bias").contiguous();
    if (value.numel() != int64_t(ci_weights_outputs(weights)))
        throw ArgumentError("the bias of an int8 layer has another size than its outputs", CT_ERR_CHECK);
    return value;
}

int64_t panels_of(const CIWeights *weights) {
    return int64_t((ci_weights_outputs(weights) + CI_PANEL - 1) / CI_PANEL);
}

/// Parts as many as `count`, on threads as many as libtorch uses.
template <typename Body>
void in_parallel(int64_t count, const Body &body) {
    ci_parallel(
        size_t(count), 1, [](void *context, size_t, size_t part) { (*static_cast<const Body *>(context))(int64_t(part)); },
        const_cast<Body *>(&body));
}

/// Cuts `count` things among the threads, `least` of them or more for each.
template <typename Body>
void in_ranges(int64_t count, int64_t least, const Body &body) {
    const int64_t parts = std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads(), count / std::max<int64_t>(least, 1)));
    in_parallel(parts, [&](int64_t part) { body(count * part / parts, count * (part + 1) / parts); });
}

/// Cuts rows among the threads, or panels where the rows are too few to keep all at work.
template <typename Body>
void in_slices(int64_t rows, int64_t panels, Body &&body) {
    // Fewer rows than this for a thread, and the weights are read for too little.
    constexpr int64_t worthwhile = 12;
    const int64_t threads = at::get_num_threads();
    const bool by_rows = rows >= threads * worthwhile || rows > panels;
    const int64_t parts = std::min(threads, by_rows ? rows : panels);
    in_parallel(parts, [&](int64_t part) {
        const auto cut = [&](int64_t whole, int64_t at) { return size_t(whole * at / parts); };
        CISlice slice{0, size_t(rows), 0, size_t(panels)};
        if (by_rows) {
            slice.first_row = cut(rows, part);
            slice.end_row = cut(rows, part + 1);
        } else {
            slice.first_panel = cut(panels, part);
            slice.end_panel = cut(panels, part + 1);
        }
        body(slice);
    });
}

CTInt8 *owned(CIWeights *packed, int64_t kernel) {
    if (packed == nullptr) throw std::bad_alloc();
    return new CTInt8{packed, kernel};
}

/// [out, in] of a linear layer as it is, [out, in, side, side] of a convolution as [out, side, side, in].
at::Tensor by_taps(const at::Tensor &weight) {
    if (weight.dim() == 2) return weight.contiguous();
    if (weight.dim() != 4 || weight.size(2) != weight.size(3))
        throw ArgumentError("int8 weights have two dimensions, or four with a square kernel", CT_ERR_CHECK);
    return weight.permute({0, 2, 3, 1}).contiguous();
}

void rows_times_weights(
    const CIWeights *weights, const float *values, int64_t rows, const CINorm *norm, const CIFinish &finish, float *out) {
    const size_t inputs = ci_weights_inputs(weights), outputs = ci_weights_outputs(weights);
    const CILevel level = ci_best_level();
    in_slices(rows, panels_of(weights), [&](CISlice slice) {
        ci_linear(level, weights, values, inputs, norm, slice, finish, out, outputs);
    });
}

/// Numbers that a thread is woken up for, and no fewer.
constexpr int64_t worth_a_thread = 1 << 14;

/// The extent of `count` numbers, by all threads.
std::pair<float, float> extent(CILevel level, const float *values, int64_t count) {
    std::mutex joining;
    std::pair<float, float> whole = {values[0], values[0]};
    in_ranges(count, worth_a_thread, [&](int64_t first, int64_t end) {
        float least, most;
        ci_extent(level, values + first, size_t(end - first), &least, &most);
        const std::lock_guard lock(joining);
        whole = {std::min(whole.first, least), std::max(whole.second, most)};
    });
    return whole;
}

}  // namespace

const char *ct_int8_instructions(void) { return ci_level_name(ci_best_level()); }

CTStatus ct_int8_round(const CTTensor *weight, CTTensor **integers, CTTensor **scales) {
    return guarded([&] {
        if (integers == nullptr || scales == nullptr) throw ArgumentError("the place for the result is null");
        const auto whole = by_taps(require_floats(get(weight), "the weight"));
        const auto rounded = at::empty(whole.sizes(), whole.options().dtype(at::kChar));
        const auto factors = at::empty({whole.size(0)}, whole.options());
        const int64_t count = whole.size(0) == 0 ? 0 : whole.numel() / whole.size(0);
        const float *values = whole.const_data_ptr<float>();
        auto *numbers = rounded.mutable_data_ptr<int8_t>();
        auto *steps = factors.mutable_data_ptr<float>();
        in_ranges(whole.size(0), worth_a_thread / std::max<int64_t>(count, 1), [&](int64_t first, int64_t end) {
            ci_round_weights(
                values + first * count, size_t(end - first), size_t(count), numbers + first * count, steps + first);
        });
        CTTensor *first = nullptr;
        give(weight->value.dim() == 4 ? rounded.permute({0, 3, 1, 2}) : at::Tensor(rounded), &first);
        try {
            give(at::Tensor(factors), scales);
        } catch (...) {
            ct_tensor_free(first);
            throw;
        }
        *integers = first;
    });
}

CTStatus ct_int8_pack(const CTTensor *integers, const CTTensor *scales, CTInt8 **out) {
    return guarded([&] {
        if (out == nullptr) throw ArgumentError("the place for the result is null");
        const auto whole = by_taps(get(integers));
        const auto factors = require_floats(get(scales), "the scales").contiguous();
        if (whole.scalar_type() != at::kChar) throw ArgumentError("int8 weights of another type", CT_ERR_TYPE);
        if (factors.numel() != whole.size(0)) throw ArgumentError("int8 weights need a scale for each output", CT_ERR_CHECK);
        if (whole.numel() == 0) throw ArgumentError("int8 weights without inputs or outputs", CT_ERR_CHECK);
        const int8_t *values = whole.const_data_ptr<int8_t>();
        // Of bytes without a sign, which every x86-64 has an instruction for: what is below -63 becomes greater than what is above 63.
        uint8_t most = 0;
        for (int64_t index = 0; index < whole.numel(); index++) most = std::max(most, uint8_t(values[index] + CI_WEIGHT_LIMIT));
        if (most > 2 * CI_WEIGHT_LIMIT) throw ArgumentError("int8 weights go beyond 63, of which sums would overflow", CT_ERR_VALUE);
        const int64_t taps = whole.dim() == 2 ? 1 : whole.size(1) * whole.size(2);
        *out = owned(
            ci_weights_pack(
                values, factors.const_data_ptr<float>(), size_t(whole.size(0)), size_t(taps), size_t(whole.size(-1))),
            whole.dim() == 2 ? 0 : whole.size(1));
    });
}

void ct_int8_free(CTInt8 *weights) {
    if (weights == nullptr) return;
    ci_weights_free(weights->packed);
    delete weights;
}

int64_t ct_int8_bytes(const CTInt8 *weights) { return weights == nullptr ? 0 : int64_t(ci_weights_bytes(weights->packed)); }

CTStatus ct_int8_linear(
    const CTTensor *input, const CTTensor *norm_weight, const CTTensor *norm_bias, double eps, const CTInt8 *weights,
    const CTTensor *bias, const char *activation, const CTTensor *addend, CTTensor **out) {
    return giving(out, [&] {
        const CTInt8 &own = get_weights(weights);
        const auto x = require_floats(get(input), "the input").contiguous();
        if (own.kernel != 0 || x.dim() == 0 || x.size(-1) != int64_t(ci_weights_inputs(own.packed)))
            throw ArgumentError("the input of an int8 layer does not fit its weights", CT_ERR_CHECK);
        auto sizes = x.sizes().vec();
        sizes.back() = int64_t(ci_weights_outputs(own.packed));
        auto result = at::empty(sizes, x.options());
        const auto added = bias_of(bias, own.packed);
        at::Tensor more;
        CIFinish finish{nullptr, nullptr, size_t(sizes.back()), activation_of(activation)};
        if (added.defined()) finish.bias = added.const_data_ptr<float>();
        if (addend != nullptr) {
            more = require_floats(get(addend), "the addend").contiguous();
            if (more.sizes() != result.sizes()) throw ArgumentError("the addend of an int8 layer has another shape", CT_ERR_CHECK);
            finish.addend = more.const_data_ptr<float>();
        }
        at::Tensor gain, shift;
        CINorm norm{nullptr, nullptr, float(eps)};
        if (norm_weight != nullptr) {
            gain = require_floats(get(norm_weight), "the norm").contiguous();
            shift = require_floats(get(norm_bias), "the norm").contiguous();
            if (gain.numel() != x.size(-1) || shift.numel() != x.size(-1))
                throw ArgumentError("the norm before an int8 layer has another size than its input", CT_ERR_CHECK);
            norm.weight = gain.const_data_ptr<float>();
            norm.bias = shift.const_data_ptr<float>();
        }
        const int64_t rows = x.numel() / x.size(-1);
        rows_times_weights(
            own.packed, x.const_data_ptr<float>(), rows, norm.weight == nullptr ? nullptr : &norm, finish,
            result.mutable_data_ptr<float>());
        return result;
    });
}

CTStatus ct_int8_conv2d(
    const CTTensor *input, const CTInt8 *weights, const CTTensor *bias, int64_t stride, const int64_t *zeros,
    const char *activation, const CTTensor *addend, CTTensor **out) {
    return giving(out, [&] {
        const CTInt8 &own = get_weights(weights);
        if (zeros == nullptr) throw ArgumentError("the zeros around the picture are null");
        const auto x = require_floats(get(input), "the input").contiguous(at::MemoryFormat::ChannelsLast);
        if (x.dim() != 4 || own.kernel == 0 || x.size(1) != int64_t(ci_weights_inputs(own.packed)) || stride < 1)
            throw ArgumentError("the input of an int8 convolution does not fit its weights", CT_ERR_CHECK);
        const int64_t batch = x.size(0), channels = x.size(1), height = x.size(2), width = x.size(3);
        const auto places = [&](int64_t side, int64_t before, int64_t behind) {
            if (before < 0 || behind < 0 || side + before + behind < own.kernel)
                throw ArgumentError("the picture is smaller than the kernel of an int8 convolution", CT_ERR_CHECK);
            return (side + before + behind - own.kernel) / stride + 1;
        };
        const int64_t out_height = places(height, zeros[0], zeros[1]), out_width = places(width, zeros[2], zeros[3]);
        const int64_t outputs = int64_t(ci_weights_outputs(own.packed));
        auto result = at::empty(
            {batch, outputs, out_height, out_width}, x.options(), at::MemoryFormat::ChannelsLast);
        const auto added = bias_of(bias, own.packed);
        at::Tensor more;
        CIFinish finish{nullptr, nullptr, size_t(outputs), activation_of(activation)};
        if (added.defined()) finish.bias = added.const_data_ptr<float>();
        if (addend != nullptr) {
            more = require_floats(get(addend), "the addend").contiguous(at::MemoryFormat::ChannelsLast);
            if (more.sizes() != result.sizes())
                throw ArgumentError("the addend of an int8 convolution has another shape", CT_ERR_CHECK);
            finish.addend = more.const_data_ptr<float>();
        }
        const float *values = x.const_data_ptr<float>();
        float *target = result.mutable_data_ptr<float>();
        const bool one_tap = own.kernel == 1 && zeros[0] + zeros[1] + zeros[2] + zeros[3] == 0;
        if (one_tap && stride == 1) {
            rows_times_weights(own.packed, values, batch * height * width, nullptr, finish, target);
            return result;
        }
        const CILevel level = ci_best_level();
        const CIWindow window{
            size_t(own.kernel), size_t(own.kernel), size_t(stride), size_t(zeros[0]), size_t(zeros[2]), size_t(out_width)};
        const int64_t row_bytes = int64_t(ci_row_bytes(size_t(channels)));
        const int64_t panels = panels_of(own.packed), out_places = out_height * out_width;
        const auto picture_of = [&](const uint8_t *bytes, float least, float most) {
            CIPicture picture{bytes, size_t(height), size_t(width), 0, 0};
            ci_range(least, most, &picture.scale, &picture.zero);
            return picture;
        };
        const auto finish_of = [&](int64_t index) {
            auto own_finish = finish;
            if (finish.addend != nullptr) own_finish.addend += index * out_places * outputs;
            return own_finish;
        };
        if (batch >= at::get_num_threads()) {
            // A whole picture for a thread: nobody waits for another, and its bytes stay in the core's cache.
            in_ranges(batch, 1, [&](int64_t first, int64_t end) {
                thread_local std::vector<uint8_t> bytes;
                bytes.resize(size_t(height * width * row_bytes));
                for (int64_t index = first; index < end; index++) {
                    const float *own_values = values + index * height * width * channels;
                    float least, most;
                    ci_extent(level, own_values, size_t(height * width * channels), &least, &most);
                    const auto picture = picture_of(bytes.data(), least, most);
                    ci_round(
                        level, own_values, size_t(height * width), size_t(channels), size_t(channels), picture.scale, picture.zero,
                        bytes.data());
                    ci_convolution(
                        level, own.packed, picture, window, {0, size_t(out_places), 0, size_t(panels)}, finish_of(index),
                        target + index * out_places * outputs);
                }
            });
            return result;
        }
        thread_local std::vector<uint8_t> bytes;
        bytes.resize(size_t(height * width * row_bytes));
        uint8_t *rounded = bytes.data();
        for (int64_t index = 0; index < batch; index++) {
            const float *own_values = values + index * height * width * channels;
            const auto [least, most] = extent(level, own_values, height * width * channels);
            const auto picture = picture_of(rounded, least, most);
            in_ranges(height * width, worth_a_thread / channels, [&](int64_t first, int64_t end) {
                ci_round(
                    level, own_values + first * channels, size_t(end - first), size_t(channels), size_t(channels), picture.scale,
                    picture.zero, rounded + first * row_bytes);
            });
            in_slices(out_places, panels, [&](CISlice slice) {
                ci_convolution(level, own.packed, picture, window, slice, finish_of(index), target + index * out_places * outputs);
            });
        }
        return result;
    });
}

CTStatus ct_int8_block(
    const CTTensor *input, const CTNorm *norms, const CTInt8Layer *layers, int64_t heads, bool causal, const char *activation,
    CTTensor **out) {
    return giving(out, [&] {
        const auto x = require_floats(get(input), "the input").contiguous();
        if (x.dim() != 3 || x.numel() == 0) throw ArgumentError("an int8 block wants [batch, tokens, width]");
        const size_t width = size_t(x.size(2)), batch = size_t(x.size(0)), tokens = size_t(x.size(1));
        // What the call points to.
        at::Tensor kept[8];
        const auto norm = [&](int at) {
            kept[2 * at] = require_floats(get(norms[at].weight), "the norm").contiguous();
            kept[2 * at + 1] = require_floats(get(norms[at].bias), "the norm").contiguous();
            if (kept[2 * at].numel() != x.size(2) || kept[2 * at + 1].numel() != x.size(2))
                throw ArgumentError("a norm of an int8 block has another size than its input", CT_ERR_CHECK);
            return CINorm{
                kept[2 * at].const_data_ptr<float>(), kept[2 * at + 1].const_data_ptr<float>(), float(norms[at].eps)};
        };
        const auto weights = [&](int at, size_t inputs) {
            const CTInt8 &own = get_weights(layers[at].weights);
            if (own.kernel != 0 || ci_weights_inputs(own.packed) != inputs)
                throw ArgumentError("the layers of an int8 block do not fit together", CT_ERR_CHECK);
            return own.packed;
        };
        const auto bias = [&](int at) {
            kept[4 + at] = bias_of(layers[at].bias, get_weights(layers[at].weights).packed);
            return kept[4 + at].defined() ? kept[4 + at].const_data_ptr<float>() : nullptr;
        };
        CIBlock block{norm(0), norm(1), weights(0, width), nullptr, weights(2, width), nullptr, nullptr, nullptr, nullptr, nullptr,
                      size_t(heads), causal, activation_of(activation)};
        block.contract = weights(3, ci_weights_outputs(block.expand));
        const size_t projected = ci_weights_outputs(block.in_projection);
        block.out_projection = weights(1, projected / 3);
        if (heads < 1 || projected % (3 * size_t(heads)) != 0 || ci_weights_outputs(block.out_projection) != width
            || ci_weights_outputs(block.contract) != width)
            throw ArgumentError("the layers of an int8 block do not fit together", CT_ERR_CHECK);
        block.in_bias = bias(0), block.out_bias = bias(1), block.expand_bias = bias(2), block.contract_bias = bias(3);
        auto result = at::empty(x.sizes(), x.options());
        thread_local std::vector<float> between;
        const size_t threads = std::min(size_t(at::get_num_threads()), batch * tokens);
        between.resize(ci_block_numbers(&block, batch, tokens, threads));
        ci_block(
            ci_best_level(), &block, x.const_data_ptr<float>(), batch, tokens, between.data(), result.mutable_data_ptr<float>(), threads);
        return result;
    });
}

CTStatus ct_int8_bottleneck(const CTTensor *input, const CTInt8Layer *layers, int64_t stride, int64_t pooling, CTTensor **out) {
    return giving(out, [&] {
        const auto x = require_floats(get(input), "the input").contiguous(at::MemoryFormat::ChannelsLast);
        if (x.dim() != 4 || x.numel() == 0 || stride < 1 || pooling < 1 || (stride > 1 && pooling > 1))
            throw ArgumentError("an int8 bottleneck wants [batch, channels, height, width], and a stride or a pooling");
        at::Tensor kept[4];
        const auto layer = [&](int at, size_t inputs, int64_t kernel) {
            const CTInt8 &own = get_weights(layers[at].weights);
            if (own.kernel != kernel || ci_weights_inputs(own.packed) != inputs)
                throw ArgumentError("the convolutions of an int8 bottleneck do not fit together", CT_ERR_CHECK);
            kept[at] = bias_of(layers[at].bias, own.packed);
            return std::pair{own.packed, kept[at].defined() ? kept[at].const_data_ptr<float>() : nullptr};
        };
        const size_t inputs = size_t(x.size(1));
        const bool has_shortcut = layers[3].weights != nullptr;
        CIBottleneck block{};
        std::tie(block.reduce, block.reduce_bias) = layer(0, inputs, 1);
        std::tie(block.spatial, block.spatial_bias) = layer(1, ci_weights_outputs(block.reduce), 3);
        std::tie(block.restore, block.restore_bias) = layer(2, ci_weights_outputs(block.spatial), 1);
        if (has_shortcut) std::tie(block.shortcut, block.shortcut_bias) = layer(3, inputs, 1);
        block.stride = size_t(stride);
        block.pooling = size_t(pooling);
        const int64_t outputs = int64_t(ci_weights_outputs(block.restore));
        const auto side = [&](int64_t whole) { return ((whole - 1) / stride + 1) / pooling; };
        const int64_t height = side(x.size(2)), width = side(x.size(3));
        if (ci_weights_outputs(block.spatial) != ci_weights_outputs(block.reduce) || height < 1 || width < 1
            || (has_shortcut ? int64_t(ci_weights_outputs(block.shortcut)) : stride * pooling == 1 ? x.size(1) : -1) != outputs)
            throw ArgumentError("the convolutions of an int8 bottleneck do not fit together", CT_ERR_CHECK);
        auto result = at::empty({x.size(0), outputs, height, width}, x.options(), at::MemoryFormat::ChannelsLast);
        const size_t threads = size_t(at::get_num_threads()), batch = size_t(x.size(0));
        const size_t in_height = size_t(x.size(2)), in_width = size_t(x.size(3));
        thread_local std::vector<uint8_t> between;
        between.resize(ci_bottleneck_bytes(&block, batch, in_height, in_width, threads) + 64);
        const auto start = (reinterpret_cast<uintptr_t>(between.data()) + 63) / 64 * 64;
        ci_bottleneck(
            ci_best_level(), &block, x.const_data_ptr<float>(), batch, in_height, in_width, reinterpret_cast<void *>(start),
            result.mutable_data_ptr<float>(), threads);
        return result;
    });
}

CTStatus ct_attention_of_heads(
    const CTTensor *query, const CTTensor *key, const CTTensor *value, int64_t heads, bool causal, CTTensor **out) {
    return giving(out, [&] {
        const auto rows = [](const CTTensor *tensor) {
            const auto &whole = require_floats(get(tensor), "attention");
            if (whole.dim() != 3) throw ArgumentError("attention wants [batch, tokens, width]", CT_ERR_CHECK);
            return whole.stride(2) == 1 ? whole : whole.contiguous();
        };
        const at::Tensor q = rows(query), k = rows(key), v = rows(value);
        const int64_t batch = q.size(0), width = q.size(2), queries = q.size(1), keys = k.size(1);
        if (k.sizes() != v.sizes() || k.size(0) != batch || k.size(2) != width || heads < 1 || width % heads != 0
            || keys == 0 || (causal && queries > keys))
            throw ArgumentError("queries, keys and values of attention do not fit together", CT_ERR_CHECK);
        auto result = at::empty(q.sizes(), q.options());
        const int64_t own = width / heads;
        float *target = result.mutable_data_ptr<float>();
        const CILevel level = ci_best_level();
        const auto head_of = [&](const at::Tensor &tensor, int64_t picture, int64_t head) {
            return CIRows{
                tensor.const_data_ptr<float>() + picture * tensor.stride(0) + head * own, size_t(tensor.size(1)),
                size_t(tensor.stride(1))};
        };
        in_ranges(batch * heads, 1, [&](int64_t first, int64_t end) {
            for (int64_t index = first; index < end; index++) {
                const int64_t picture = index / heads, head = index % heads;
                ci_attention(
                    level, head_of(q, picture, head), head_of(k, picture, head), head_of(v, picture, head), size_t(own), causal,
                    target + picture * queries * width + head * own, size_t(width));
            }
        });
        return result;
    });
}
