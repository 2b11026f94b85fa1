#include "cint8.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "weights.h"

using namespace cint8;

static const Level &level(CILevel wanted) {
    switch (wanted) {
#if defined(__x86_64__)
    case CI_LEVEL_AVX2: return avx2;
    case CI_LEVEL_AVX_VNNI: return avxVNNI;
    case CI_LEVEL_AVX512_VNNI: return avx512VNNI;
#endif
    default: return plain;
    }
}

bool ci_has_level(CILevel wanted) {
    switch (wanted) {
    case CI_LEVEL_PLAIN: return true;
#if defined(__x86_64__)
    case CI_LEVEL_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case CI_LEVEL_AVX_VNNI: return ci_has_level(CI_LEVEL_AVX2) && __builtin_cpu_supports("avxvnni");
    case CI_LEVEL_AVX512_VNNI:
        return ci_has_level(CI_LEVEL_AVX2) && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
#endif
    default: return false;
    }
}

const char *ci_level_name(CILevel wanted) {
    switch (wanted) {
    case CI_LEVEL_AVX2: return "AVX2";
    case CI_LEVEL_AVX_VNNI: return "AVX-VNNI";
    case CI_LEVEL_AVX512_VNNI: return "AVX-512 VNNI";
    default: return "plain";
    }
}

CILevel ci_best_level(void) {
    static const CILevel best = [] {
        for (CILevel wanted : {CI_LEVEL_AVX512_VNNI, CI_LEVEL_AVX_VNNI, CI_LEVEL_AVX2}) {
            if (ci_has_level(wanted)) return wanted;
        }
        return CI_LEVEL_PLAIN;
    }();
    return best;
}

size_t ci_row_bytes(size_t count) { return (count + 3) / 4 * 4; }

/// Takes back rounding of single weights, those that were nearest to going the other way, until the errors of a row add up to none.
///
/// What comes behind a ReLU is positive, and a plain background is the same in every place: there the sum of a row's errors is what moves its
/// result, in all places alike. An error of its sum is taken out at the price of a little more in single weights. Whole numbers stay what they are.
static void balance(
    const float *weights, size_t count, float scale, float sum, int8_t *integers, std::vector<std::pair<float, uint32_t>> &candidates) {
    const float inverse = scale > 0 ? 1 / scale : 0;
    const int direction = sum > 0 ? -1 : 1;
    const size_t changes = size_t(std::lround(std::fabs(sum)));
    if (changes == 0) return;
    // Few are taken back, and nearly always of those that lay between two numbers.
    for (float least : {0.4f, 0.0f}) {
        candidates.clear();
        for (size_t k = 0; k < count; k++) {
            const float excess = (float(integers[k]) - weights[k] * inverse) * float(-direction);
            if (excess > least && std::abs(integers[k] + direction) <= CI_WEIGHT_LIMIT) candidates.emplace_back(-excess, uint32_t(k));
        }
        if (candidates.size() >= changes) break;
    }
    const size_t taken = std::min(changes, candidates.size());
    // Ties go by place, so that every machine chooses the same.
    std::nth_element(candidates.begin(), candidates.begin() + ptrdiff_t(taken), candidates.end());
    for (size_t i = 0; i < taken; i++) integers[candidates[i].second] = int8_t(integers[candidates[i].second] + direction);
}

void ci_round_weights(const float *weights, size_t outputs, size_t count, int8_t *integers, float *scales) {
    std::vector<std::pair<float, uint32_t>> candidates;
    for (size_t n = 0; n < outputs; n++, weights += count, integers += count) {
        float least, most;
        level(ci_best_level()).extent(weights, count, &least, &most);
        scales[n] = std::max(-least, most) / CI_WEIGHT_LIMIT;
        const float sum = level(ci_best_level()).roundWeights(weights, count, scales[n], integers);
        balance(weights, count, scales[n], sum, integers, candidates);
    }
}

CIWeights *ci_weights_pack(const int8_t *integers, const float *scales, size_t outputs, size_t taps, size_t inputs) {
    auto *packed = new (std::nothrow) CIWeights{};
    if (packed == nullptr) return nullptr;
    packed->outputs = outputs;
    packed->taps = taps;
    packed->inputs = inputs;
    packed->steps = ci_row_bytes(inputs) / 4;
    packed->panels = (outputs + CI_PANEL - 1) / CI_PANEL;
    const size_t bytes = packed->panels * packed->panelBytes(), beside = packed->panels * sizeof(Floats);
    packed->integers = static_cast<int8_t *>(std::aligned_alloc(64, bytes + 2 * beside));
    if (packed->integers == nullptr) {
        delete packed;
        return nullptr;
    }
    std::memset(packed->integers, 0, bytes + 2 * beside);
    packed->scales = reinterpret_cast<Floats *>(packed->integers + bytes);
    packed->sums = reinterpret_cast<Ints *>(packed->integers + bytes + beside);
    for (size_t n = 0; n < outputs; n++) {
        const size_t panel = n / CI_PANEL, lane = n % CI_PANEL;
        int8_t *target = packed->integers + panel * packed->panelBytes() + 4 * lane;
        int32_t sum = 0;
        for (size_t tap = 0; tap < taps; tap++) {
            const int8_t *row = integers + (n * taps + tap) * inputs;
            int8_t *steps = target + tap * packed->steps * 4 * CI_PANEL;
            for (size_t k = 0; k < inputs; k++) sum += row[k];
            size_t step = 0;
            for (; 4 * step + 4 <= inputs; step++) std::memcpy(steps + step * 4 * CI_PANEL, row + 4 * step, 4);
            std::memcpy(steps + step * 4 * CI_PANEL, row + 4 * step, inputs - 4 * step);
        }
        packed->sums[panel][lane] = sum;
        packed->scales[panel][lane] = scales[n];
    }
    return packed;
}

void ci_weights_free(CIWeights *weights) {
    if (weights == nullptr) return;
    std::free(weights->integers);
    delete weights;
}

size_t ci_weights_outputs(const CIWeights *weights) { return weights->outputs; }
size_t ci_weights_taps(const CIWeights *weights) { return weights->taps; }
size_t ci_weights_inputs(const CIWeights *weights) { return weights->inputs; }
size_t ci_weights_bytes(const CIWeights *weights) {
    return weights->panels * (weights->panelBytes() + sizeof(Floats) + sizeof(Ints));
}

void ci_range(float least, float most, float *scale, int32_t *zero) { range(least, most, scale, zero); }

void ci_extent(CILevel at, const float *values, size_t count, float *least, float *most) {
    level(at).extent(values, count, least, most);
}

void ci_round(
    CILevel at, const float *values, size_t rows, size_t count, size_t stride, float scale, int32_t zero, uint8_t *bytes) {
    level(at).round(values, rows, count, stride, scale, zero, bytes);
}

void ci_linear(
    CILevel at, const CIWeights *weights, const float *values, size_t stride, const CINorm *norm, CISlice slice, CIFinish finish,
    float *out, size_t out_stride) {
    level(at).linear(*weights, values, stride, norm, slice, finish, out, out_stride);
}

void ci_convolution(
    CILevel at, const CIWeights *weights, CIPicture picture, CIWindow window, CISlice slice, CIFinish finish, float *out) {
    level(at).convolution(*weights, picture, window, slice, finish, out);
}

void ci_attention(
    CILevel at, CIRows queries, CIRows keys, CIRows values, size_t width, bool causal, float *out, size_t out_stride) {
    level(at).attention(queries, keys, values, width, causal, out, out_stride);
}

/// Rows that go through a block together, for each thread: what they are on the way stays in a core's second cache or close to it, and
/// weights are read again for the next ones. Of ViT-B/16 a batch of 16 took a sixth longer in one.
static constexpr size_t rowsTogether = 208;

static size_t picturesTogether(size_t batch, size_t tokens, size_t parts) {
    return std::min(batch, std::max<size_t>(rowsTogether * parts / tokens, 1));
}

size_t ci_block_numbers(const CIBlock *block, size_t batch, size_t tokens, size_t parts) {
    return picturesTogether(batch, tokens, parts) * tokens * (block->in_projection->outputs + block->out_projection->inputs);
}

void ci_block(
    CILevel at, const CIBlock *block, const float *x, size_t batch, size_t tokens, float *between, float *out, size_t parts) {
    struct {
        const Level &level;
        BlockCall call;
        size_t together;
    } context{level(at), {*block, x, batch, tokens, between, nullptr, out, parts}, picturesTogether(batch, tokens, parts)};
    context.call.mixed = between + context.together * tokens * block->in_projection->outputs;
    ci_parallel(
        parts, (batch + context.together - 1) / context.together * blockPhases,
        [](void *given, size_t phase, size_t part) {
            const auto *own = static_cast<decltype(context) *>(given);
            auto call = own->call;
            const size_t first = phase / blockPhases * own->together;
            const size_t numbers = first * call.tokens * call.block.out_projection->outputs;
            call.batch = std::min(own->together, call.batch - first);
            call.x += numbers;
            call.out += numbers;
            own->level.block(call, phase % blockPhases, part);
        },
        &context);
}

/// Places that go through a bottleneck together: its weights are read for as many.
static constexpr size_t placesTogether = 800;

namespace {

/// Where what lies between a bottleneck's convolutions begins in the caller's memory.
struct BottleneckMemory {
    size_t together, spatial, bytes, pictures, most, end;

    BottleneckMemory(const CIBottleneck &block, size_t batch, size_t height, size_t width, size_t parts) {
        const auto rounded = [](size_t count) { return (count + 63) / 64 * 64; };
        const size_t places = height * width, planes = block.reduce->outputs;
        const size_t spatial_places = ((height - 1) / block.stride + 1) * ((width - 1) / block.stride + 1);
        together = std::min(batch, std::max<size_t>(placesTogether / places, 1));
        spatial = rounded(together * places * planes * sizeof(float));
        bytes = spatial + rounded(together * spatial_places * planes * sizeof(float));
        pictures = bytes + rounded(together * places * ci_row_bytes(planes));
        most = pictures + rounded(together * sizeof(CIPicture));
        end = most + rounded(parts * together * sizeof(float));
    }
};

} // namespace

size_t ci_bottleneck_bytes(const CIBottleneck *block, size_t batch, size_t height, size_t width, size_t parts) {
    return BottleneckMemory(*block, batch, height, width, parts).end;
}

void ci_bottleneck(
    CILevel at, const CIBottleneck *block, const float *x, size_t batch, size_t height, size_t width, void *between, float *out,
    size_t parts) {
    const BottleneckMemory memory(*block, batch, height, width, parts);
    auto *start = static_cast<uint8_t *>(between);
    const auto side = [&](size_t whole) { return ((whole - 1) / block->stride + 1) / block->pooling; };
    struct {
        const Level &level;
        BottleneckCall call;
        size_t together, in_numbers, out_numbers;
    } context{
        level(at),
        {*block, x, batch, height, width, reinterpret_cast<float *>(start), reinterpret_cast<float *>(start + memory.spatial),
         start + memory.bytes, reinterpret_cast<CIPicture *>(start + memory.pictures), reinterpret_cast<float *>(start + memory.most),
         out, parts},
        memory.together, height * width * block->reduce->inputs, side(height) * side(width) * block->restore->outputs};
    ci_parallel(
        parts, (batch + memory.together - 1) / memory.together * bottleneckPhases,
        [](void *given, size_t phase, size_t part) {
            const auto *own = static_cast<decltype(context) *>(given);
            auto call = own->call;
            const size_t first = phase / bottleneckPhases * own->together;
            call.batch = std::min(own->together, call.batch - first);
            call.x += first * own->in_numbers;
            call.out += first * own->out_numbers;
            own->level.bottleneck(call, phase % bottleneckPhases, part);
        },
        &context);
}
