#include "codes.h"
#include "kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace {

using namespace cvector;

/// Takes up to `Kernel::most` queries together over the rows of the call, as `walk` in cvector.cpp does with floats.
template <typename Kernel, CVCoding Coding, int Q = Kernel::most, typename Rows>
void pass(CodedQueries queries, size_t query_count, Rows rows, CodedRows beside, size_t row_count, float *scores) {
    while (query_count >= Q) {
        Kernel::template rows<Coding, Q>(queries, rows, beside, row_count, row_count, scores);
        queries.codes += Q * queries.width;
        queries.scales += Q;
        queries.sums += Q;
        scores += Q * row_count;
        query_count -= Q;
    }
    if constexpr (Q > 1) pass<Kernel, Coding, Q - 1>(queries, query_count, rows, beside, row_count, scores);
}

template <CVCoding Coding, typename Rows>
void dispatch(CVLevel level, const CVQueries *queries, Rows rows, CodedRows beside, size_t width, size_t row_count,
              float *scores) {
    CodedQueries coded{queries->codes, queries->scales, queries->sums, width};
    switch (level) {
#if defined(__x86_64__)
    case CV_LEVEL_VNNI: return pass<VNNICodes, Coding>(coded, queries->count, rows, beside, row_count, scores);
    // AVX-512F has no instructions for bytes.
    case CV_LEVEL_AVX512:
    case CV_LEVEL_AVX2: return pass<AVX2Codes, Coding>(coded, queries->count, rows, beside, row_count, scores);
#endif
#if defined(__aarch64__)
    case CV_LEVEL_NEON: return pass<NEONCodes, Coding>(coded, queries->count, rows, beside, row_count, scores);
#endif
    default: return pass<PlainCodes, Coding>(coded, queries->count, rows, beside, row_count, scores);
    }
}

template <typename Rows>
void dispatch(CVLevel level, const CVQueries *queries, const CVCodes *codes, Rows rows, CodedRows beside, size_t row_count,
              float *scores) {
    if (codes->coding == CV_CODING_INT8) {
        dispatch<CV_CODING_INT8>(level, queries, rows, beside, codes->width, row_count, scores);
    } else {
        dispatch<CV_CODING_ROTATED4>(level, queries, rows, beside, codes->width, row_count, scores);
    }
}

/// Rounds to nearest, ties to even, what is smaller than 2^51: behind 1.5 * 2^52 no fraction has room. Unlike std::nearbyint it
/// becomes vector instructions on every x86-64.
inline double rounded(double value) { return (value + 0x1.8p52) - 0x1.8p52; }

float largest(const float *row, size_t dimension) {
    float most[8] = {};
    size_t d = 0;
    for (; d + 8 <= dimension; d += 8) {
        for (int lane = 0; lane < 8; lane++) most[lane] = std::max(most[lane], std::fabs(row[d + lane]));
    }
    for (; d < dimension; d++) most[0] = std::max(most[0], std::fabs(row[d]));
    return *std::max_element(most, most + 8);
}

/// The next of SplitMix64's numbers.
uint64_t nextRandom(uint64_t &state) {
    uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

/// Walsh-Hadamard transform of `count` values, a power of two and at least 64, in place and without its factor.
void transform(float *values, size_t count) {
    // The first two steps by fours: as loops of one and two additions they took a third of the time.
    for (size_t block = 0; block < count; block += 64) {
        float columns[4][16], *at = values + block;
        for (size_t i = 0; i < 16; i++) {
            float a = at[4 * i], b = at[4 * i + 1], c = at[4 * i + 2], d = at[4 * i + 3];
            columns[0][i] = (a + b) + (c + d);
            columns[1][i] = (a - b) + (c - d);
            columns[2][i] = (a + b) - (c + d);
            columns[3][i] = (a - b) - (c - d);
        }
        for (size_t i = 0; i < 16; i++) {
            for (size_t c = 0; c < 4; c++) at[4 * i + c] = columns[c][i];
        }
    }
    for (size_t half = 4; half < count; half *= 2) {
        for (size_t block = 0; block < count; block += 2 * half) {
            for (size_t i = block; i < block + half; i++) {
                float a = values[i], b = values[i + half];
                values[i] = a + b;
                values[i + half] = a - b;
            }
        }
    }
}

/// Steps that a 4-bit code is tried with, in standard deviations of the row: .335 is the best for normally distributed
/// coordinates (Max 1960), and a row is never quite that.
constexpr float steps[] = {.26f, .29f, .32f, .335f, .35f, .38f, .42f};

} // namespace

size_t cv_width(CVCoding coding, size_t dimension) {
    size_t block = coding == CV_CODING_INT8 ? 64 : 128;
    return (dimension + block - 1) / block * block;
}

size_t cv_row_bytes(CVCoding coding, size_t width) { return coding == CV_CODING_INT8 ? width : width / 2; }

void cv_encode(const float *rows, size_t row_count, size_t stride, size_t dimension, int8_t *codes, float *scales,
               int32_t *sums) {
    size_t width = cv_width(CV_CODING_INT8, dimension);
    for (size_t r = 0; r < row_count; r++, rows += stride, codes += width) {
        float most = largest(rows, dimension);
        // In double precision: 127 / most is finite for every float, the smallest too.
        double factor = most > 0 ? 127.0 / double(most) : 0;
        int32_t sum = 0;
        for (size_t d = 0; d < dimension; d++) {
            int32_t code = int32_t(rounded(double(rows[d]) * factor));
            codes[d] = int8_t(code);
            sum += code;
        }
        std::fill(codes + dimension, codes + width, int8_t(0));
        scales[r] = float(double(most) / 127.0);
        sums[r] = sum;
    }
}

void cv_rotate(uint64_t seed, const float *rows, size_t row_count, size_t stride, size_t dimension, float *rotated) {
    size_t width = cv_width(CV_CODING_ROTATED4, dimension), length = std::bit_floor(width);
    // Three rounds bring a unit vector along one axis as near to a normal distribution as any (Andoni et al. 2015); a first
    // and a last part that overlap need a fourth for what lies in only one of them.
    int rounds = length == width ? 3 : 4;
    float factor = float(1 / std::sqrt(double(length)));
    for (size_t r = 0; r < row_count; r++, rows += stride, rotated += width) {
        std::copy(rows, rows + dimension, rotated);
        std::fill(rotated + dimension, rotated + width, 0.0f);
        uint64_t state = seed;
        for (int round = 0; round < rounds; round++) {
            float *part = rotated + (round % 2 == 0 ? 0 : width - length);
            for (size_t d = 0; d < length; d += 64) {
                uint64_t signs = nextRandom(state);
                for (size_t i = 0; i < 64; i++) part[d + i] *= (signs >> i & 1) != 0 ? -factor : factor;
            }
            transform(part, length);
        }
    }
}

void cv_encode4(const float *rotated, size_t row_count, size_t width, uint8_t *codes, float *scales) {
    for (size_t r = 0; r < row_count; r++, rotated += width, codes += width / 2) {
        // Sums in 8 lanes of double precision: the same order, and so the same codes, on every machine.
        auto summed = [width](auto term) {
            double lanes[8] = {};
            for (size_t d = 0; d < width; d += 8) {
                for (size_t lane = 0; lane < 8; lane++) lanes[lane] += term(d + lane);
            }
            return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
        };
        double square = summed([&](size_t d) { return double(rotated[d]) * double(rotated[d]); });
        double deviation = std::sqrt(square / double(width));
        if (!(deviation > 0)) {
            // No nibble stands for zero, but a scale does.
            std::fill(codes, codes + width / 2, uint8_t(0x88));
            scales[r] = 0;
            continue;
        }
        // The middle of the interval that a coordinate falls into, in halves of a step: odd, -15…15.
        auto level = [&](size_t d, double factor) {
            double nearest = rounded(double(rotated[d]) * factor - 0.5);
            return 2 * std::clamp(nearest, -8.0, 7.0) + 1;
        };
        double best = -1, factor = 0, product = 0;
        for (double step : steps) {
            double tried = 1 / (step * deviation), along = 0, size = 0;
            along = summed([&](size_t d) { return level(d, tried) * double(rotated[d]); });
            size = summed([&](size_t d) { return level(d, tried) * level(d, tried); });
            if (double cosine = along / std::sqrt(size); cosine > best) best = cosine, factor = tried, product = along;
        }
        for (size_t d = 0; d < width; d += 128) {
            for (size_t b = 0; b < 64; b++) {
                auto code = [&](size_t at) { return uint8_t(int32_t(level(at, factor) + 15) / 2); };
                codes[d / 2 + b] = uint8_t(code(d + b) | code(d + 64 + b) << 4);
            }
        }
        scales[r] = float(square / product);
    }
}

void cv_code_scores(CVLevel level, const CVQueries *queries, const CVCodes *rows, size_t first, size_t row_count, float *scores) {
    size_t bytes = cv_row_bytes(rows->coding, rows->width);
    CodedRows beside{rows->scales + first, rows->sums ? rows->sums + first : nullptr};
    dispatch(level, queries, rows, ConsecutiveRows<int8_t>{static_cast<const int8_t *>(rows->codes) + first * bytes, bytes}, beside,
             row_count, scores);
}

void cv_code_scores_of_rows(CVLevel level, const CVQueries *queries, const CVCodes *rows, const uint32_t *chosen,
                            size_t row_count, float *scores) {
    size_t bytes = cv_row_bytes(rows->coding, rows->width);
    CodedRows beside{rows->scales, rows->sums};
    dispatch(level, queries, rows, ChosenRows<int8_t>{static_cast<const int8_t *>(rows->codes), chosen, bytes}, beside, row_count,
             scores);
}
