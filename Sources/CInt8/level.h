/// What every level shares: rounding, the walk over tiles, and what becomes of the sums. A level's source includes it behind its `Kernel`,
/// under its target attribute, so that each compiles to its own instructions.

#define CI_INLINE inline __attribute__((always_inline))

namespace cint8 {
namespace {

CI_INLINE Floats converted(Ints values) { return __builtin_convertvector(values, Floats); }

CI_INLINE Floats loaded(const float *from) {
    Floats values;
    std::memcpy(&values, from, sizeof values);
    return values;
}

/// `count` of the sixteen, which is known to be all of them but in the last panel: a copy of unknown size is a call of the library.
CI_INLINE Floats loaded(const float *from, size_t count) {
    if (count == CI_PANEL) return loaded(from);
    Floats values = 0.0f;
    std::memcpy(&values, from, count * sizeof(float));
    return values;
}

/// e^x by a polynomial on ±ln(2)/2, within two units of the last place between -87 and 88.
CI_INLINE Floats exponential(Floats x) {
    x = __builtin_elementwise_min(__builtin_elementwise_max(x, Floats(-87.0f)), Floats(88.0f));
    const Floats n = __builtin_elementwise_roundeven(x * 1.44269504088896341f);
    const Floats r = (x - n * 0.693145751953125f) - n * 1.42860682030941723212e-6f;
    Floats p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    const Ints power = (__builtin_convertvector(n, Ints) + 127) << 23;
    Floats factor;
    std::memcpy(&factor, &power, sizeof factor);
    return p * factor;
}

/// Abramowitz & Stegun 7.1.26: within 1.5e-7.
CI_INLINE Floats errorFunction(Floats x) {
    const Floats size = __builtin_elementwise_abs(x);
    const Floats t = 1.0f / (size * 0.3275911f + 1.0f);
    Floats p = t * 1.061405429f - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    return __builtin_elementwise_copysign(1.0f - p * t * exponential(-size * size), x);
}

CI_INLINE Floats activated(Floats x, CIActivation activation) {
    switch (activation) {
    case CI_ACTIVATION_NONE: return x;
    case CI_ACTIVATION_RELU: return __builtin_elementwise_max(x, Floats(0.0f));
    case CI_ACTIVATION_RELU6: return __builtin_elementwise_min(__builtin_elementwise_max(x, Floats(0.0f)), Floats(6.0f));
    case CI_ACTIVATION_SWISH: return x / (exponential(-x) + 1.0f);
    case CI_ACTIVATION_GELU: return x * 0.5f * (errorFunction(x * 0.70710678118654752f) + 1.0f);
    case CI_ACTIVATION_GELU_TANH: {
        const Floats inner = (x * x * x * 0.044715f + x) * 0.79788456080286536f;
        return x - x / (exponential(inner * 2.0f) + 1.0f);
    }
    }
    return x;
}

void extent(const float *values, size_t count, float *least, float *most) {
    Floats low = 0.0f, high = 0.0f;
    size_t i = 0;
    if (count >= CI_PANEL) {
        low = high = loaded(values);
        for (i = CI_PANEL; i + CI_PANEL <= count; i += CI_PANEL) {
            const Floats next = loaded(values + i);
            low = __builtin_elementwise_min(low, next);
            high = __builtin_elementwise_max(high, next);
        }
    } else if (count > 0) {
        low = high = values[0];
    }
    for (; i < count; i++) {
        low[0] = std::min(low[0], values[i]);
        high[0] = std::max(high[0], values[i]);
    }
    *least = __builtin_reduce_min(low);
    *most = __builtin_reduce_max(high);
}

void round(const float *values, size_t rows, size_t count, size_t stride, float scale, int32_t zero, uint8_t *bytes) {
    const size_t width = ci_row_bytes(count);
    const float inverse = scale > 0 ? 1 / scale : 0, shift = float(zero);
    for (size_t r = 0; r < rows; r++, values += stride, bytes += width) {
        size_t i = 0;
        for (; i + CI_PANEL <= count; i += CI_PANEL) {
            Floats q = __builtin_elementwise_roundeven(loaded(values + i) * inverse) + shift;
            q = __builtin_elementwise_min(__builtin_elementwise_max(q, Floats(0.0f)), Floats(255.0f));
            typedef uint8_t Bytes __attribute__((ext_vector_type(CI_PANEL)));
            const Bytes packed = __builtin_convertvector(__builtin_convertvector(q, Ints), Bytes);
            std::memcpy(bytes + i, &packed, sizeof packed);
        }
        for (; i < count; i++) {
            const float q = __builtin_roundevenf(values[i] * inverse) + shift;
            bytes[i] = uint8_t(int32_t(std::min(std::max(q, 0.0f), 255.0f)));
        }
        for (; i < width; i++) bytes[i] = 0;
    }
}

/// Returns what the errors of rounding add up to, in units of the scale: the same on every level, so that all balance a row alike.
float roundWeights(const float *weights, size_t count, float scale, int8_t *integers) {
#pragma clang fp contract(off)
    const float inverse = scale > 0 ? 1 / scale : 0, limit = CI_WEIGHT_LIMIT;
    Floats errors = 0.0f;
    for (size_t k = 0; k < count; k += CI_PANEL) {
        const size_t some = std::min<size_t>(CI_PANEL, count - k);
        const Floats exact = loaded(weights + k, some) * inverse;
        // The greatest one's product may be a hair beyond the limit.
        Floats q = __builtin_elementwise_roundeven(exact);
        q = __builtin_elementwise_min(__builtin_elementwise_max(q, Floats(-limit)), Floats(limit));
        errors += q - exact;
        typedef int8_t Bytes __attribute__((ext_vector_type(CI_PANEL)));
        const Bytes packed = __builtin_convertvector(__builtin_convertvector(q, Ints), Bytes);
        std::memcpy(integers + k, &packed, some);
    }
    float sum = 0;
    for (int lane = 0; lane < CI_PANEL; lane++) sum += errors[lane];
    return sum;
}

/// What a thread needs beside the operands, kept from call to call.
struct Scratch {
    std::vector<uint8_t> bytes, border;
    std::vector<const uint8_t *> from;
    std::vector<float> scales, row;
    std::vector<int32_t> zeros;
};

/// Places of a convolution that are worked on together: a multiple of every level's tile.
constexpr size_t blockRows = 96;
/// What the bytes of rows that are worked on together may take of a core's second cache. All weights are read once for them: a large layer's
/// come from memory.
constexpr size_t blockBytes = 384 << 10;

/// Rows of one block, tile after tile: [tile][tap][row], the last tile having what is left.
struct Block {
    const uint8_t *const *from;
    const float *scales;
    const int32_t *zeros;
    size_t rows;
};

template <int R, int P>
CI_INLINE void finishTile(
    const CIWeights &weights, Ints (&sums)[R][P], const float *scales, const int32_t *zeros, size_t panel, const CIFinish &finish,
    const float *addend, float *out, size_t out_stride) {
    for (int p = 0; p < P; p++) {
        const size_t first = (panel + p) * CI_PANEL;
        if (first >= weights.outputs) return;
        const size_t count = std::min<size_t>(CI_PANEL, weights.outputs - first);
        const Floats bias = finish.bias == nullptr ? Floats(0.0f) : loaded(finish.bias + first, count);
        const Ints correction = weights.sums[panel + p];
        const Floats factor = weights.scales[panel + p];
        for (int r = 0; r < R; r++) {
            Floats value = converted(sums[r][p] - correction * zeros[r]) * (factor * scales[r]) + bias;
            if (addend != nullptr) value += loaded(addend + r * finish.addend_stride + first, count);
            value = activated(value, finish.activation);
            float *target = out + r * out_stride + first;
            if (count == CI_PANEL) std::memcpy(target, &value, sizeof value);
            else std::memcpy(target, &value, count * sizeof(float));
        }
    }
}

template <int R, int P>
void tileOf(
    const CIWeights &weights, const uint8_t *const *from, const float *scales, const int32_t *zeros, size_t panel,
    const CIFinish &finish, const float *addend, float *out, size_t out_stride) {
    Ints sums[R][P];
    Kernel::template tile<R, P>(
        from, weights.taps, weights.steps, weights.integers + panel * weights.panelBytes(), weights.panelBytes(), sums);
    finishTile<R, P>(weights, sums, scales, zeros, panel, finish, addend, out, out_stride);
}

template <int P, int R = Kernel::rows>
void tileOf(
    size_t rows, const CIWeights &weights, const uint8_t *const *from, const float *scales, const int32_t *zeros, size_t panel,
    const CIFinish &finish, const float *addend, float *out, size_t out_stride) {
    if (rows == R) return tileOf<R, P>(weights, from, scales, zeros, panel, finish, addend, out, out_stride);
    if constexpr (R > 1) tileOf<P, R - 1>(rows, weights, from, scales, zeros, panel, finish, addend, out, out_stride);
}

/// A panel stays in the first cache while all tiles of the block meet it.
void multiply(
    const CIWeights &weights, Block block, const CISlice &slice, const CIFinish &finish, const float *addend, float *out,
    size_t out_stride) {
    for (size_t panel = slice.first_panel; panel < slice.end_panel;) {
        const bool whole = panel + Kernel::panels <= slice.end_panel;
        for (size_t row = 0; row < block.rows; row += Kernel::rows) {
            const size_t rows = std::min<size_t>(Kernel::rows, block.rows - row);
            const uint8_t *const *from = block.from + row * weights.taps;
            const float *beside = addend == nullptr ? nullptr : addend + row * finish.addend_stride;
            float *target = out + row * out_stride;
            if (whole) {
                tileOf<Kernel::panels>(
                    rows, weights, from, block.scales + row, block.zeros + row, panel, finish, beside, target, out_stride);
            } else {
                tileOf<1>(rows, weights, from, block.scales + row, block.zeros + row, panel, finish, beside, target, out_stride);
            }
        }
        panel += whole ? Kernel::panels : 1;
    }
}

/// (row - mean) / sqrt(variance + eps) * weight + bias, the mean taken first: the sum of squares alone would lose what a large mean hides.
void normalize(const float *row, size_t count, const CINorm &norm, float *out) {
    const auto total = [&](auto of) {
        Floats sums = 0.0f;
        size_t i = 0;
        for (; i + CI_PANEL <= count; i += CI_PANEL) sums += of(loaded(row + i));
        if (i < count) {
            Floats rest = of(loaded(row + i, count - i));
            for (size_t lane = count - i; lane < CI_PANEL; lane++) rest[lane] = 0;
            sums += rest;
        }
        float sum = 0;
        for (int lane = 0; lane < CI_PANEL; lane++) sum += sums[lane];
        return sum;
    };
    const float mean = total([](Floats x) { return x; }) / float(count);
    const float variance = total([&](Floats x) { return (x - mean) * (x - mean); }) / float(count);
    const float factor = 1 / std::sqrt(variance + norm.eps);
    for (size_t i = 0; i < count; i += CI_PANEL) {
        const size_t most = std::min<size_t>(CI_PANEL, count - i);
        const Floats value =
            (loaded(row + i, most) - mean) * factor * loaded(norm.weight + i, most) + loaded(norm.bias + i, most);
        std::memcpy(out + i, &value, most * sizeof(float));
    }
}

void linear(
    const CIWeights &weights, const float *values, size_t stride, const CINorm *norm, CISlice slice, CIFinish finish, float *out,
    size_t out_stride) {
    thread_local Scratch scratch;
    const size_t width = 4 * weights.steps;
    // Blocks of one size, in whole tiles: a last one of few rows would read all weights for them.
    const size_t rows_in_all = slice.end_row - slice.first_row;
    const size_t fitting = std::max<size_t>(std::min<size_t>(blockBytes / width, 384), 1);
    const size_t blocks = std::max<size_t>((rows_in_all + fitting - 1) / fitting, 1);
    const size_t most = ((rows_in_all + blocks - 1) / blocks + Kernel::rows - 1) / Kernel::rows * Kernel::rows;
    scratch.bytes.resize(most * width);
    scratch.from.resize(most);
    scratch.scales.resize(most);
    scratch.zeros.resize(most);
    scratch.row.resize(weights.inputs);
    for (size_t first = slice.first_row; first < slice.end_row; first += most) {
        const size_t rows = std::min(most, slice.end_row - first);
        for (size_t r = 0; r < rows; r++) {
            const float *row = values + (first + r) * stride;
            if (norm != nullptr) {
                normalize(row, weights.inputs, *norm, scratch.row.data());
                row = scratch.row.data();
            }
            float least, largest;
            extent(row, weights.inputs, &least, &largest);
            ci_range(least, largest, &scratch.scales[r], &scratch.zeros[r]);
            scratch.from[r] = scratch.bytes.data() + r * width;
            round(row, 1, weights.inputs, stride, scratch.scales[r], scratch.zeros[r], scratch.bytes.data() + r * width);
        }
        const float *addend = finish.addend == nullptr ? nullptr : finish.addend + first * finish.addend_stride;
        multiply(
            weights, {scratch.from.data(), scratch.scales.data(), scratch.zeros.data(), rows}, slice, finish, addend,
            out + first * out_stride, out_stride);
    }
}

void convolution(
    const CIWeights &weights, CIPicture picture, CIWindow window, CISlice slice, CIFinish finish, float *out) {
    thread_local Scratch scratch;
    const size_t width = 4 * weights.steps;
    scratch.border.assign(width, uint8_t(picture.zero));
    scratch.from.resize(blockRows * weights.taps);
    scratch.scales.assign(blockRows, picture.scale);
    scratch.zeros.assign(blockRows, picture.zero);
    for (size_t first = slice.first_row; first < slice.end_row; first += blockRows) {
        const size_t rows = std::min(blockRows, slice.end_row - first);
        for (size_t row = 0; row < rows; row++) {
            const size_t tile = row / Kernel::rows * Kernel::rows, inTile = std::min<size_t>(Kernel::rows, rows - tile);
            const uint8_t **from = scratch.from.data() + tile * weights.taps + (row - tile);
            const size_t place = first + row;
            const size_t y = place / window.out_width * window.stride, x = place % window.out_width * window.stride;
            for (size_t ky = 0; ky < window.kernel_height; ky++) {
                for (size_t kx = 0; kx < window.kernel_width; kx++, from += inTile) {
                    // Before the picture the difference is a huge number.
                    const size_t py = y + ky - window.top, px = x + kx - window.left;
                    const bool inside = py < picture.height && px < picture.width;
                    *from = inside ? picture.bytes + (py * picture.width + px) * width : scratch.border.data();
                }
            }
        }
        const float *addend = finish.addend == nullptr ? nullptr : finish.addend + first * finish.addend_stride;
        multiply(
            weights, {scratch.from.data(), scratch.scales.data(), scratch.zeros.data(), rows}, slice, finish, addend,
            out + first * weights.outputs, weights.outputs);
    }
}

/// R rows of `left`, `left_stride` apart, times sixteen columns: of row k of `right` those from its own place on, `right_stride` apart.
template <int R>
CI_INLINE void products(
    const float *left, size_t left_stride, const float *right, size_t right_stride, size_t count, Floats (&sums)[R]) {
    for (int r = 0; r < R; r++) sums[r] = 0.0f;
    for (size_t k = 0; k < count; k++) {
        const Floats columns = loaded(right + k * right_stride);
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) sums[r] += left[r * left_stride + k] * columns;
    }
}

/// What one head works on, its rows padded with zeros to whole panels.
struct Head {
    /// [padded keys / 16][width][16]: keys stand side by side.
    const float *keys;
    /// [keys][padded width]
    const float *values;
    size_t width, padded_width, count, padded_count;
    /// [tile rows][padded keys]
    float *scores;
};

template <int R>
void attend(const Head &head, const float *queries, size_t stride, const size_t *seen, float *out, size_t out_stride) {
    const float factor = 1 / std::sqrt(float(head.width));
    const size_t most = seen[R - 1];
    for (size_t key = 0; key < most; key += CI_PANEL) {
        Floats sums[R];
        products<R>(queries, stride, head.keys + key * head.width, CI_PANEL, head.width, sums);
        for (int r = 0; r < R; r++) {
            const Floats scaled = sums[r] * factor;
            std::memcpy(head.scores + r * head.padded_count + key, &scaled, sizeof scaled);
        }
    }
    float weight[R];
    for (int r = 0; r < R; r++) {
        float *row = head.scores + r * head.padded_count;
        for (size_t key = seen[r]; key < (most + CI_PANEL - 1) / CI_PANEL * CI_PANEL; key++) row[key] = -INFINITY;
        Floats greatest = loaded(row);
        for (size_t key = CI_PANEL; key < most; key += CI_PANEL) greatest = __builtin_elementwise_max(greatest, loaded(row + key));
        const float top = __builtin_reduce_max(greatest);
        Floats sums = 0.0f;
        for (size_t key = 0; key < most; key += CI_PANEL) {
            Floats value = exponential(loaded(row + key) - top);
            if (key + CI_PANEL > seen[r]) {
                for (size_t lane = seen[r] > key ? seen[r] - key : 0; lane < CI_PANEL; lane++) value[lane] = 0;
            }
            sums += value;
            std::memcpy(row + key, &value, sizeof value);
        }
        float sum = 0;
        for (int lane = 0; lane < CI_PANEL; lane++) sum += sums[lane];
        weight[r] = 1 / sum;
    }
    for (size_t column = 0; column < head.width; column += CI_PANEL) {
        Floats sums[R];
        products<R>(head.scores, head.padded_count, head.values + column, head.padded_width, most, sums);
        const size_t count = std::min<size_t>(CI_PANEL, head.width - column);
        for (int r = 0; r < R; r++) {
            const Floats value = sums[r] * weight[r];
            std::memcpy(out + r * out_stride + column, &value, count * sizeof(float));
        }
    }
}

constexpr int attentionRows = 6;

template <int R = attentionRows>
void attend(size_t rows, const Head &head, const float *queries, size_t stride, const size_t *seen, float *out, size_t out_stride) {
    if (rows == R) return attend<R>(head, queries, stride, seen, out, out_stride);
    if constexpr (R > 1) attend<R - 1>(rows, head, queries, stride, seen, out, out_stride);
}

void attention(CIRows queries, CIRows keys, CIRows values, size_t width, bool causal, float *out, size_t out_stride) {
    thread_local std::vector<float> scratch;
    const auto padded = [](size_t count) { return (count + CI_PANEL - 1) / CI_PANEL * CI_PANEL; };
    const size_t padded_count = padded(keys.count), padded_width = padded(width);
    const size_t key_numbers = padded_count * width, value_numbers = keys.count * padded_width;
    scratch.resize(key_numbers + value_numbers + attentionRows * padded_count);
    float *side_by_side = scratch.data(), *own_values = side_by_side + key_numbers, *scores = own_values + value_numbers;
    for (size_t key = 0; key < padded_count; key++) {
        float *target = side_by_side + key / CI_PANEL * CI_PANEL * width + key % CI_PANEL;
        const float *row = keys.values + key * keys.stride;
        for (size_t k = 0; k < width; k++) target[k * CI_PANEL] = key < keys.count ? row[k] : 0;
    }
    for (size_t key = 0; key < keys.count; key++) {
        std::memcpy(own_values + key * padded_width, values.values + key * values.stride, width * sizeof(float));
        for (size_t k = width; k < padded_width; k++) own_values[key * padded_width + k] = 0;
    }
    const Head head{side_by_side, own_values, width, padded_width, keys.count, padded_count, scores};
    for (size_t first = 0; first < queries.count; first += attentionRows) {
        const size_t rows = std::min<size_t>(attentionRows, queries.count - first);
        size_t seen[attentionRows];
        for (size_t r = 0; r < rows; r++) seen[r] = causal ? keys.count - (queries.count - 1 - first - r) : keys.count;
        attend(rows, head, queries.values + first * queries.stride, queries.stride, seen, out + first * out_stride, out_stride);
    }
}

} // namespace
} // namespace cint8
