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

/// The sum of the sixteen, by halves.
CI_INLINE float total(Floats values) {
    values += __builtin_shufflevector(values, values, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    values += __builtin_shufflevector(values, values, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
    values += __builtin_shufflevector(values, values, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
    return values[0] + values[1];
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
    const Floats t = reciprocal(size * 0.3275911f + 1.0f);
    Floats p = t * 1.061405429f - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    return __builtin_elementwise_copysign(1.0f - p * t * exponential(-size * size), x);
}

/// The activations that are no bounds alone.
CI_INLINE bool isCurved(CIActivation activation) { return activation > CI_ACTIVATION_RELU6; }

CI_INLINE Floats curved(Floats x, CIActivation activation) {
    if (activation == CI_ACTIVATION_SWISH) return x * reciprocal(exponential(-x) + 1.0f);
    if (activation == CI_ACTIVATION_GELU) return x * 0.5f * (errorFunction(x * 0.70710678118654752f) + 1.0f);
    const Floats inner = (x * x * x * 0.044715f + x) * 0.79788456080286536f;
    return x - x * reciprocal(exponential(inner * 2.0f) + 1.0f);
}

void extent(const float *values, size_t count, float *least, float *most) {
    // Each waits for the one before it: four at once.
    constexpr size_t lanes = 4;
    Floats low[lanes], high[lanes];
    for (size_t lane = 0; lane < lanes; lane++) low[lane] = high[lane] = count > 0 ? values[0] : 0.0f;
    size_t i = 0;
    for (; i + lanes * CI_PANEL <= count; i += lanes * CI_PANEL) {
        for (size_t lane = 0; lane < lanes; lane++) {
            const Floats next = loaded(values + i + lane * CI_PANEL);
            low[lane] = __builtin_elementwise_min(low[lane], next);
            high[lane] = __builtin_elementwise_max(high[lane], next);
        }
    }
    for (; i + CI_PANEL <= count; i += CI_PANEL) {
        const Floats next = loaded(values + i);
        low[0] = __builtin_elementwise_min(low[0], next);
        high[0] = __builtin_elementwise_max(high[0], next);
    }
    for (; i < count; i++) {
        low[0][0] = std::min(low[0][0], values[i]);
        high[0][0] = std::max(high[0][0], values[i]);
    }
    for (size_t lane = 1; lane < lanes; lane++) {
        low[0] = __builtin_elementwise_min(low[0], low[lane]);
        high[0] = __builtin_elementwise_max(high[0], high[lane]);
    }
    *least = __builtin_reduce_min(low[0]);
    *most = __builtin_reduce_max(high[0]);
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
    const Floats least = finish.activation == CI_ACTIVATION_RELU || finish.activation == CI_ACTIVATION_RELU6 ? 0.0f : -INFINITY;
    const Floats most = finish.activation == CI_ACTIVATION_RELU6 ? 6.0f : INFINITY;
    for (int p = 0; p < P; p++) {
        const size_t first = (panel + p) * CI_PANEL;
        if (first >= weights.outputs) return;
        const size_t count = std::min<size_t>(CI_PANEL, weights.outputs - first);
        const Floats bias = finish.bias == nullptr ? Floats(0.0f) : loaded(finish.bias + first, count);
        const Ints correction = weights.sums[panel + p];
        const Floats factor = weights.scales[panel + p];
        // Of a last panel's rows, what is behind the last output goes nowhere.
        Floats spare[R], more[R];
        const bool isWhole = count == CI_PANEL;
        float *target = isWhole ? out + first : reinterpret_cast<float *>(spare);
        const size_t target_stride = isWhole ? out_stride : CI_PANEL;
        const float *beside = addend == nullptr ? nullptr : addend + first;
        size_t beside_stride = finish.addend_stride;
        if (beside != nullptr && !isWhole) {
            for (int r = 0; r < R; r++) more[r] = loaded(beside + r * beside_stride, count);
            beside = reinterpret_cast<const float *>(more);
            beside_stride = CI_PANEL;
        }
        const auto store = [&](auto activate) {
            for (int r = 0; r < R; r++) {
                Ints sum = sums[r][p];
                if (zeros[r] != 0) sum -= correction * zeros[r];
                Floats value = converted(sum) * (factor * scales[r]) + bias;
                if (beside != nullptr) value += loaded(beside + r * beside_stride);
                value = activate(value);
                std::memcpy(target + r * target_stride, &value, sizeof value);
            }
        };
        if (isCurved(finish.activation)) {
            store([&](Floats value) { return curved(value, finish.activation); });
        } else {
            store([&](Floats value) { return __builtin_elementwise_min(__builtin_elementwise_max(value, least), most); });
        }
        if (!isWhole) {
            for (int r = 0; r < R; r++) std::memcpy(out + first + r * out_stride, &spare[r], count * sizeof(float));
        }
    }
}

template <int R, int P>
void tileOf(
    const CIWeights &weights, const uint8_t *const *from, const float *scales, const int32_t *zeros, size_t panel, Ahead &ahead,
    const CIFinish &finish, const float *addend, float *out, size_t out_stride) {
    Ints sums[R][P];
    Kernel::template tile<R, P>(
        from, weights.taps, weights.steps, weights.integers + panel * weights.panelBytes(), weights.panelBytes(), ahead, sums);
    finishTile<R, P>(weights, sums, scales, zeros, panel, finish, addend, out, out_stride);
}

template <int P, int R = Kernel::rows>
void tileOf(
    size_t rows, const CIWeights &weights, const uint8_t *const *from, const float *scales, const int32_t *zeros, size_t panel,
    Ahead &ahead, const CIFinish &finish, const float *addend, float *out, size_t out_stride) {
    if (rows == R) return tileOf<R, P>(weights, from, scales, zeros, panel, ahead, finish, addend, out, out_stride);
    if constexpr (R > 1) tileOf<P, R - 1>(rows, weights, from, scales, zeros, panel, ahead, finish, addend, out, out_stride);
}

/// A panel stays in the first cache while all tiles of the block meet it.
void multiply(
    const CIWeights &weights, Block block, const CISlice &slice, const CIFinish &finish, const float *addend, float *out,
    size_t out_stride) {
    for (size_t panel = slice.first_panel; panel < slice.end_panel;) {
        const bool whole = panel + Kernel::panels <= slice.end_panel;
        // What comes next is asked for meanwhile, a little with each step: weights of a large model come from memory.
        const size_t next = panel + (whole ? Kernel::panels : 1), tiles = (block.rows + Kernel::rows - 1) / Kernel::rows;
        const size_t nextBytes = std::min<size_t>(Kernel::panels, slice.end_panel - next) * weights.panelBytes();
        const size_t steps = tiles * weights.taps * weights.steps;
        // Behind many tiles the first one's wait is nothing.
        const bool isWorthwhile = nextBytes > 0 && tiles <= 12;
        Ahead ahead{
            weights.integers + next * weights.panelBytes(), isWorthwhile ? std::max<size_t>(steps * 64 / nextBytes, 1) : SIZE_MAX, 0};
        for (size_t row = 0; row < block.rows; row += Kernel::rows) {
            const size_t rows = std::min<size_t>(Kernel::rows, block.rows - row);
            const uint8_t *const *from = block.from + row * weights.taps;
            const float *beside = addend == nullptr ? nullptr : addend + row * finish.addend_stride;
            float *target = out + row * out_stride;
            if (whole) {
                tileOf<Kernel::panels>(
                    rows, weights, from, block.scales + row, block.zeros + row, panel, ahead, finish, beside, target, out_stride);
            } else {
                tileOf<1>(rows, weights, from, block.scales + row, block.zeros + row, panel, ahead, finish, beside, target, out_stride);
            }
        }
        panel += whole ? Kernel::panels : 1;
    }
}

/// (row - mean) / sqrt(variance + eps) * weight + bias, the mean taken first: the sum of squares alone would lose what a large mean hides.
void normalize(const float *row, size_t count, const CINorm &norm, float *out) {
    const auto over = [&](auto of) {
        Floats sums = 0.0f;
        size_t i = 0;
        for (; i + CI_PANEL <= count; i += CI_PANEL) sums += of(loaded(row + i));
        if (i < count) {
            Floats rest = of(loaded(row + i, count - i));
            for (size_t lane = count - i; lane < CI_PANEL; lane++) rest[lane] = 0;
            sums += rest;
        }
        return total(sums);
    };
    const float mean = over([](Floats x) { return x; }) / float(count);
    const float variance = over([&](Floats x) { return (x - mean) * (x - mean); }) / float(count);
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
            range(least, largest, &scratch.scales[r], &scratch.zeros[r]);
            scratch.from[r] = scratch.bytes.data() + r * width;
            round(row, 1, weights.inputs, stride, scratch.scales[r], scratch.zeros[r], scratch.bytes.data() + r * width);
        }
        const float *addend = finish.addend == nullptr ? nullptr : finish.addend + first * finish.addend_stride;
        multiply(
            weights, {scratch.from.data(), scratch.scales.data(), scratch.zeros.data(), rows}, slice, finish, addend,
            out + first * out_stride, out_stride);
    }
}

/// A convolution of several pictures of one size, whose places are the rows, one picture's behind the other's: few places alone would read
/// all weights for themselves.
void convolutions(
    const CIWeights &weights, const CIPicture *pictures, size_t places, CIWindow window, CISlice slice, CIFinish finish, float *out) {
    thread_local Scratch scratch;
    const size_t width = 4 * weights.steps;
    scratch.from.resize(blockRows * weights.taps);
    scratch.scales.resize(blockRows);
    scratch.zeros.resize(blockRows);
    const size_t first_picture = slice.first_row / places;
    scratch.border.clear();
    for (size_t index = first_picture; index * places < slice.end_row; index++) {
        scratch.border.insert(scratch.border.end(), width, uint8_t(pictures[index].zero));
    }
    for (size_t first = slice.first_row; first < slice.end_row; first += blockRows) {
        const size_t rows = std::min(blockRows, slice.end_row - first);
        for (size_t row = 0; row < rows; row++) {
            const size_t tile = row / Kernel::rows * Kernel::rows, inTile = std::min<size_t>(Kernel::rows, rows - tile);
            const uint8_t **from = scratch.from.data() + tile * weights.taps + (row - tile);
            const size_t index = (first + row) / places, place = (first + row) % places;
            const CIPicture &picture = pictures[index];
            const uint8_t *outside = scratch.border.data() + (index - first_picture) * width;
            scratch.scales[row] = picture.scale;
            scratch.zeros[row] = picture.zero;
            const size_t y = place / window.out_width * window.stride, x = place % window.out_width * window.stride;
            for (size_t ky = 0; ky < window.kernel_height; ky++) {
                for (size_t kx = 0; kx < window.kernel_width; kx++, from += inTile) {
                    // Before the picture the difference is a huge number.
                    const size_t py = y + ky - window.top, px = x + kx - window.left;
                    const bool inside = py < picture.height && px < picture.width;
                    *from = inside ? picture.bytes + (py * picture.width + px) * width : outside;
                }
            }
        }
        const float *addend = finish.addend == nullptr ? nullptr : finish.addend + first * finish.addend_stride;
        multiply(
            weights, {scratch.from.data(), scratch.scales.data(), scratch.zeros.data(), rows}, slice, finish, addend,
            out + first * weights.outputs, weights.outputs);
    }
}

void convolution(
    const CIWeights &weights, CIPicture picture, CIWindow window, CISlice slice, CIFinish finish, float *out) {
    if (slice.end_row > slice.first_row) convolutions(weights, &picture, SIZE_MAX, window, slice, finish, out);
}

/// Numbers of a row of the left side that stand together, so that the distance of its rows is known to the compiler: an address for each of
/// them would take more registers than there are.
constexpr size_t chunk = 64;

/// R rows of `left` times P panels of sixteen columns. `left` is [count / chunk][R][chunk]; row k of `right` stands `right_stride` behind the
/// one before it, and the next panel `panel_stride` behind.
template <int R, int P>
CI_INLINE void products(
    const float *left, const float *right, size_t right_stride, size_t panel_stride, size_t count, Floats (&sums)[R][P]) {
    // Not in `sums` itself, which would be stored in every step.
    Floats own[R][P];
    for (int r = 0; r < R; r++) {
        for (int p = 0; p < P; p++) own[r][p] = 0.0f;
    }
    for (size_t first = 0; first < count; first += chunk, left += R * chunk) {
        const size_t some = std::min(chunk, count - first);
        for (size_t k = 0; k < some; k++, right += right_stride) {
            Floats columns[P];
            for (int p = 0; p < P; p++) columns[p] = loaded(right + p * panel_stride);
#pragma clang loop unroll(full)
            for (int r = 0; r < R; r++) {
                const Floats value = left[r * chunk + k];
                for (int p = 0; p < P; p++) own[r][p] += value * columns[p];
            }
        }
    }
    for (int r = 0; r < R; r++) {
        for (int p = 0; p < P; p++) sums[r][p] = own[r][p];
    }
}

/// Sixteen rows of sixteen become sixteen columns: four perfect shuffles.
CI_INLINE void transpose(Floats (&rows)[CI_PANEL]) {
    for (int round = 0; round < 4; round++) {
        Floats next[CI_PANEL];
        for (int i = 0; i < CI_PANEL / 2; i++) {
            const Floats a = rows[i], b = rows[i + CI_PANEL / 2];
            next[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            next[2 * i + 1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        for (int i = 0; i < CI_PANEL; i++) rows[i] = next[i];
    }
}

/// What one head works on, its rows padded with zeros to whole panels.
struct Head {
    /// [padded keys / 16][width][16]: keys stand side by side.
    const float *keys;
    /// [keys][padded width]
    const float *values;
    size_t width, padded_width, count;
    /// Of the rows of one tile, [numbers / chunk][row][chunk]: their queries, and how much they look at each key.
    float *queries, *scores;
};

/// Numbers of a row of a tile, in whole chunks.
CI_INLINE size_t chunked(size_t count) { return (count + chunk - 1) / chunk * chunk; }

/// Where the numbers from `k` on of row r stand among R rows; those of one panel stand together.
template <int R>
CI_INLINE float *placed(float *rows, int r, size_t k) {
    return rows + k / chunk * chunk * R + size_t(r) * chunk + k % chunk;
}

template <int R, int P>
CI_INLINE void scorePanels(const Head &head, size_t key) {
    Floats sums[R][P];
    products<R, P>(head.queries, head.keys + key * head.width, CI_PANEL, CI_PANEL * head.width, head.width, sums);
    for (int r = 0; r < R; r++) {
        for (int p = 0; p < P; p++) std::memcpy(placed<R>(head.scores, r, key + p * CI_PANEL), &sums[r][p], sizeof(Floats));
    }
}

template <int R, int P>
CI_INLINE void mixPanels(const Head &head, size_t column, size_t most, const float *weight, float *out, size_t out_stride) {
    Floats sums[R][P];
    products<R, P>(head.scores, head.values + column, head.padded_width, CI_PANEL, most, sums);
    for (int p = 0; p < P; p++) {
        const size_t first = column + p * CI_PANEL;
        const size_t count = std::min<size_t>(CI_PANEL, head.width - first);
        for (int r = 0; r < R; r++) {
            const Floats value = sums[r][p] * weight[r];
            if (count == CI_PANEL) std::memcpy(out + r * out_stride + first, &value, sizeof value);
            else std::memcpy(out + r * out_stride + first, &value, count * sizeof(float));
        }
    }
}

/// The first of the rows sees `seen` keys, each other one `more` more than the one before it.
template <int R>
void attend(const Head &head, const float *queries, size_t stride, size_t seen, size_t more, float *out, size_t out_stride) {
    constexpr int P = Kernel::panels;
    const float factor = 1 / std::sqrt(float(head.width));
    for (size_t k = 0; k < head.width; k += CI_PANEL) {
        const size_t some = std::min<size_t>(CI_PANEL, head.width - k);
        for (int r = 0; r < R; r++) {
            const Floats scaled = loaded(queries + r * stride + k, some) * factor;
            std::memcpy(placed<R>(head.queries, r, k), &scaled, sizeof scaled);
        }
    }
    const size_t most = seen + (R - 1) * more;
    size_t key = 0;
    for (; key + (P - 1) * CI_PANEL < most; key += P * CI_PANEL) scorePanels<R, P>(head, key);
    for (; key < most; key += CI_PANEL) scorePanels<R, 1>(head, key);
    float weight[R];
    for (int r = 0; r < R; r++) {
        const size_t own = seen + r * more;
        for (size_t last = own; last < (most + CI_PANEL - 1) / CI_PANEL * CI_PANEL; last++) *placed<R>(head.scores, r, last) = -INFINITY;
        Floats greatest = -INFINITY;
        for (size_t at = 0; at < own; at += CI_PANEL) {
            greatest = __builtin_elementwise_max(greatest, loaded(placed<R>(head.scores, r, at)));
        }
        const float top = __builtin_reduce_max(greatest);
        Floats sums = 0.0f;
        for (size_t at = 0; at < most; at += CI_PANEL) {
            float *place = placed<R>(head.scores, r, at);
            Floats value = exponential(loaded(place) - top);
            if (at + CI_PANEL > own) {
                for (size_t lane = own > at ? own - at : 0; lane < CI_PANEL; lane++) value[lane] = 0;
            }
            sums += value;
            std::memcpy(place, &value, sizeof value);
        }
        weight[r] = 1 / total(sums);
    }
    size_t column = 0;
    for (; column + P * CI_PANEL <= head.padded_width; column += P * CI_PANEL) {
        mixPanels<R, P>(head, column, most, weight, out, out_stride);
    }
    for (; column < head.padded_width; column += CI_PANEL) mixPanels<R, 1>(head, column, most, weight, out, out_stride);
}

constexpr int attentionRows = Kernel::rows;

/// The next address that a whole panel of floats begins at: loads across two lines of the cache are two loads.
CI_INLINE float *aligned(float *from) {
    return reinterpret_cast<float *>((reinterpret_cast<uintptr_t>(from) + sizeof(Floats) - 1) / sizeof(Floats) * sizeof(Floats));
}

template <int R = attentionRows>
void attend(
    size_t rows, const Head &head, const float *queries, size_t stride, size_t seen, size_t more, float *out, size_t out_stride) {
    if (rows == R) return attend<R>(head, queries, stride, seen, more, out, out_stride);
    if constexpr (R > 1) attend<R - 1>(rows, head, queries, stride, seen, more, out, out_stride);
}

void attention(CIRows queries, CIRows keys, CIRows values, size_t width, bool causal, float *out, size_t out_stride) {
    thread_local std::vector<float> scratch;
    const auto padded = [](size_t count) { return (count + CI_PANEL - 1) / CI_PANEL * CI_PANEL; };
    const size_t padded_width = padded(width);
    const size_t key_numbers = padded(keys.count) * width, value_numbers = keys.count * padded_width;
    const size_t query_numbers = attentionRows * chunked(width);
    scratch.resize(key_numbers + value_numbers + query_numbers + attentionRows * chunked(keys.count) + CI_PANEL);
    float *side_by_side = aligned(scratch.data()), *own_values = side_by_side + key_numbers, *own_queries = own_values + value_numbers;
    for (size_t key = 0; key < keys.count; key += CI_PANEL) {
        for (size_t k = 0; k < width; k += CI_PANEL) {
            const size_t some = std::min<size_t>(CI_PANEL, width - k);
            Floats rows[CI_PANEL];
            for (size_t r = 0; r < CI_PANEL; r++) {
                rows[r] = key + r < keys.count ? loaded(keys.values + (key + r) * keys.stride + k, some) : Floats(0.0f);
            }
            transpose(rows);
            for (size_t column = 0; column < some; column++) {
                std::memcpy(side_by_side + key * width + (k + column) * CI_PANEL, &rows[column], sizeof(Floats));
            }
        }
    }
    for (size_t key = 0; key < keys.count; key++) {
        float *target = own_values + key * padded_width;
        const float *row = values.values + key * values.stride;
        for (size_t k = 0; k < width; k += CI_PANEL) {
            const Floats some = loaded(row + k, std::min<size_t>(CI_PANEL, width - k));
            std::memcpy(target + k, &some, sizeof some);
        }
    }
    const Head head{side_by_side, own_values, width, padded_width, keys.count, own_queries, own_queries + query_numbers};
    for (size_t first = 0; first < queries.count; first += attentionRows) {
        const size_t rows = std::min<size_t>(attentionRows, queries.count - first);
        const size_t seen = causal ? keys.count - (queries.count - 1 - first) : keys.count;
        attend(
            rows, head, queries.values + first * queries.stride, queries.stride, seen, causal ? 1 : 0, out + first * out_stride,
            out_stride);
    }
}

/// Rows of a block that go together through its perceptron, whose hidden numbers then stay in a core's second cache or close to it.
constexpr size_t perceptronRows = 208;

void block(const BlockCall &call, size_t phase, size_t part) {
    const CIBlock &own = call.block;
    const size_t width = own.out_projection->outputs, hidden = own.expand->outputs, projected_width = own.in_projection->outputs;
    const auto cut = [&](size_t whole, size_t at) { return whole * at / call.parts; };
    const auto whole = [](const CIWeights *weights, size_t rows) { return CISlice{0, rows, 0, weights->panels}; };
    const size_t rows = call.batch * call.tokens, first = cut(rows, part), end = cut(rows, part + 1);
    if (phase == 0) {
        linear(
            *own.in_projection, call.x + first * width, width, &own.norm_before_attention, whole(own.in_projection, end - first),
            {own.in_bias, nullptr, 0, CI_ACTIVATION_NONE}, call.projected + first * projected_width, projected_width);
    } else if (phase == 1) {
        const size_t inner = own.out_projection->inputs, head_width = inner / own.heads, heads = call.batch * own.heads;
        for (size_t index = cut(heads, part); index < cut(heads, part + 1); index++) {
            const size_t picture = index / own.heads, column = index % own.heads * head_width;
            const float *from = call.projected + picture * call.tokens * projected_width + column;
            attention(
                {from, call.tokens, projected_width}, {from + inner, call.tokens, projected_width},
                {from + 2 * inner, call.tokens, projected_width}, head_width, own.causal,
                call.mixed + picture * call.tokens * inner + column, inner);
        }
    } else {
        thread_local std::vector<float> between;
        const size_t inner = own.out_projection->inputs;
        const size_t blocks = std::max<size_t>((end - first + perceptronRows - 1) / perceptronRows, 1);
        const size_t most = ((end - first + blocks - 1) / blocks + Kernel::rows - 1) / Kernel::rows * Kernel::rows;
        between.resize(most * hidden);
        for (size_t row = first; row < end; row += most) {
            const size_t some = std::min(most, end - row);
            const size_t at = row * width;
            linear(
                *own.out_projection, call.mixed + row * inner, inner, nullptr, whole(own.out_projection, some),
                {own.out_bias, call.x + at, width, CI_ACTIVATION_NONE}, call.out + at, width);
            linear(
                *own.expand, call.out + at, width, &own.norm_before_perceptron, whole(own.expand, some),
                {own.expand_bias, nullptr, 0, own.activation}, between.data(), hidden);
            linear(
                *own.contract, between.data(), hidden, nullptr, whole(own.contract, some),
                {own.contract_bias, call.out + at, width, CI_ACTIVATION_NONE}, call.out + at, width);
        }
    }
}

/// Part `part` of the work on a layer: of its rows, or of its channels where the rows are few and each part would read all weights for them.
CI_INLINE CISlice sliced(const CIWeights &weights, size_t rows, size_t parts, size_t part) {
    CISlice slice{0, rows, 0, weights.panels};
    if (rows >= 96 * parts || rows / Kernel::rows >= weights.panels / Kernel::panels) {
        slice.first_row = rows * part / parts;
        slice.end_row = rows * (part + 1) / parts;
    } else {
        // Whole tiles.
        const size_t pairs = (weights.panels + Kernel::panels - 1) / Kernel::panels;
        slice.first_panel = pairs * part / parts * Kernel::panels;
        slice.end_panel = std::min(pairs * (part + 1) / parts * Kernel::panels, weights.panels);
    }
    return slice;
}

/// Rows of a picture [height, width, channels] that a smaller one begins with, one row of `into` for each place from `first` until `end`: each
/// the mean of a square of `step` by `step` places, or its first place.
void gathered(
    const float *picture, size_t width, size_t channels, size_t out_places, size_t out_width, size_t places, size_t step, bool mean,
    size_t first, size_t end, float *into) {
    const float factor = 1 / float(step * step);
    for (size_t row = first; row < end; row++, into += channels) {
        const size_t place = row % out_places;
        const float *corner = picture
            + (row / out_places * places + place / out_width * step * width + place % out_width * step) * channels;
        for (size_t k = 0; k < channels; k += CI_PANEL) {
            const size_t some = std::min<size_t>(CI_PANEL, channels - k);
            Floats sum = loaded(corner + k, some);
            if (mean) {
                for (size_t at = 1; at < step * step; at++) sum += loaded(corner + (at / step * width + at % step) * channels + k, some);
                sum *= factor;
            }
            std::memcpy(into + k, &sum, some * sizeof(float));
        }
    }
}

/// Rows that are gathered at once.
constexpr size_t gatheredRows = 96;

void bottleneck(const BottleneckCall &call, size_t phase, size_t part) {
    const CIBottleneck &own = call.block;
    const size_t planes = own.reduce->outputs, inputs = own.reduce->inputs, outputs = own.restore->outputs;
    const size_t places = call.height * call.width, rows = call.batch * places;
    const size_t spatial_width = (call.width - 1) / own.stride + 1;
    const size_t spatial_places = ((call.height - 1) / own.stride + 1) * spatial_width;
    const auto cut = [&](size_t whole, size_t at) { return whole * at / call.parts; };
    const size_t row_bytes = ci_row_bytes(planes);
    if (phase == 0) {
        const CISlice slice = sliced(*own.reduce, rows, call.parts, part);
        linear(
            *own.reduce, call.x, inputs, nullptr, slice, {own.reduce_bias, nullptr, 0, CI_ACTIVATION_RELU}, call.reduced, planes);
        // Nothing is below zero.
        float *most = call.most + part * call.batch;
        std::fill(most, most + call.batch, 0.0f);
        const size_t first = slice.first_panel * CI_PANEL, count = std::min(slice.end_panel * CI_PANEL, planes) - first;
        for (size_t row = slice.first_row; row < slice.end_row; row++) {
            float least, largest;
            extent(call.reduced + row * planes + first, count, &least, &largest);
            most[row / places] = std::max(most[row / places], largest);
        }
    } else if (phase == 1) {
        for (size_t index = 0; index < call.batch; index++) {
            const size_t first = std::max(index * places, cut(rows, part)), end = std::min((index + 1) * places, cut(rows, part + 1));
            float most = 0;
            for (size_t other = 0; other < call.parts; other++) most = std::max(most, call.most[other * call.batch + index]);
            CIPicture picture{call.bytes + index * places * row_bytes, call.height, call.width, 0, 0};
            range(0, most, &picture.scale, &picture.zero);
            if (part == 0) call.pictures[index] = picture;
            if (first < end) {
                round(
                    call.reduced + first * planes, end - first, planes, planes, picture.scale, picture.zero,
                    call.bytes + first * row_bytes);
            }
        }
    } else if (phase == 2) {
        const CIWindow window{3, 3, own.stride, 1, 1, spatial_width};
        convolutions(
            *own.spatial, call.pictures, spatial_places, window, sliced(*own.spatial, call.batch * spatial_places, call.parts, part),
            {own.spatial_bias, nullptr, 0, CI_ACTIVATION_RELU}, call.spatial);
    } else {
        const size_t step = own.stride * own.pooling, out_width = spatial_width / own.pooling;
        const size_t out_places = spatial_places / spatial_width / own.pooling * out_width;
        const CISlice slice = sliced(*own.restore, call.batch * out_places, call.parts, part);
        thread_local std::vector<float> pooled;
        const size_t most = step > 1 || own.pooling > 1 ? gatheredRows : slice.end_row - slice.first_row;
        for (size_t first = slice.first_row; first < slice.end_row; first += most) {
            const size_t end = std::min(first + most, slice.end_row);
            CISlice some = slice;
            some.first_row = 0;
            some.end_row = end - first;
            float *out = call.out + first * outputs;
            const float *addend = call.x + first * inputs;
            if (own.shortcut != nullptr) {
                const float *from = addend;
                if (step > 1) {
                    pooled.resize(gatheredRows * inputs);
                    gathered(
                        call.x, call.width, inputs, out_places, out_width, places, step, own.pooling > 1, first, end, pooled.data());
                    from = pooled.data();
                }
                linear(
                    *own.shortcut, from, inputs, nullptr, some, {own.shortcut_bias, nullptr, 0, CI_ACTIVATION_NONE}, out, outputs);
                addend = out;
            }
            const float *from = call.spatial + first * planes;
            if (own.pooling > 1) {
                pooled.resize(std::max(pooled.size(), gatheredRows * planes));
                gathered(
                    call.spatial, spatial_width, planes, out_places, out_width, spatial_places, own.pooling, true, first, end,
                    pooled.data());
                from = pooled.data();
            }
            linear(
                *own.restore, from, planes, nullptr, some, {own.restore_bias, addend, outputs, CI_ACTIVATION_RELU}, out, outputs);
        }
    }
}

} // namespace
} // namespace cint8
