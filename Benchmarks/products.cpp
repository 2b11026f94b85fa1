// How near the int8 products are to what the processor can do, in billions of multiplications and additions a second.
//
//     clang++ -std=c++20 -O2 -mavx2 -mfma -pthread -ISources/CInt8/include Benchmarks/products.cpp Sources/CInt8/*.cpp -o products && ./products 2
//
// First the instructions alone, on tiles whose operands stay in the first cache: of floats and of bytes as AVX2 has them, and of bytes as
// AVX-512 VNNI has them, where it is there. Then whole linear layers of ViT-B/16, ViT-L/14 and RN50, rounding and finish included. The best
// of several runs each.
#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "cint8.h"

static double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Six rows by sixteen columns: the operands of one step are six broadcast words and two vectors.
template <bool Bytes>
__attribute__((noinline)) void tile(const int *words, const __m256i *vectors, __m256i *out, int steps) {
    __m256i sums[12];
    for (auto &sum : sums) sum = _mm256_setzero_si256();
    const __m256i ones = _mm256_set1_epi16(1);
    for (int step = 0; step < steps; step++) {
        const __m256i pair[2] = {vectors[2 * step], vectors[2 * step + 1]};
#pragma clang loop unroll(full)
        for (int index = 0; index < 12; index++) {
            const __m256i x = _mm256_set1_epi32(words[step * 6 + index / 2]), y = pair[index % 2];
            if constexpr (Bytes) {
                sums[index] = _mm256_add_epi32(sums[index], _mm256_madd_epi16(_mm256_maddubs_epi16(x, y), ones));
            } else {
                sums[index] = (__m256i)_mm256_fmadd_ps((__m256)x, (__m256)y, (__m256)sums[index]);
            }
        }
    }
    std::copy(sums, sums + 12, out);
}

/// Twelve rows by 32 columns, as AVX-512 VNNI has registers for.
__attribute__((noinline, target("avx512f,avx512vnni"))) void wideTile(const int *words, const __m512i *vectors, __m512i *out, int steps) {
    __m512i sums[24];
    for (auto &sum : sums) sum = _mm512_setzero_si512();
    for (int step = 0; step < steps; step++) {
        const __m512i pair[2] = {vectors[2 * step], vectors[2 * step + 1]};
#pragma clang loop unroll(full)
        for (int row = 0; row < 12; row++) {
            const __m512i x = _mm512_set1_epi32(words[step * 12 + row]);
            sums[2 * row] = _mm512_dpbusd_epi32(sums[2 * row], x, pair[0]);
            sums[2 * row + 1] = _mm512_dpbusd_epi32(sums[2 * row + 1], x, pair[1]);
        }
    }
    for (int i = 0; i < 24; i++) out[i] = sums[i];
}

enum class Instructions { floats, bytes, wideBytes };

template <Instructions Kind>
static double rate(int threads) {
    constexpr int steps = 256, runs = 40000;
    // Multiplications and additions of a step: six rows by sixteen columns of floats, four times as many of bytes, or twelve by 32 of four.
    constexpr double work = Kind == Instructions::floats ? 96 : Kind == Instructions::bytes ? 384 : 1536;
    double best = 0;
    for (int attempt = 0; attempt < 5; attempt++) {
        std::vector<double> rates(threads);
        std::vector<std::thread> all;
        for (int thread = 0; thread < threads; thread++) {
            all.emplace_back([&, thread] {
                std::vector<int> words(steps * 12);
                alignas(64) static thread_local char vectors[2 * steps * 64] = {}, out[24 * 64];
                const double begin = now();
                for (int run = 0; run < runs; run++) {
                    if constexpr (Kind == Instructions::wideBytes) {
                        wideTile(words.data(), reinterpret_cast<__m512i *>(vectors), reinterpret_cast<__m512i *>(out), steps);
                    } else {
                        tile<Kind == Instructions::bytes>(
                            words.data(), reinterpret_cast<__m256i *>(vectors), reinterpret_cast<__m256i *>(out), steps);
                    }
                    asm volatile("" ::: "memory");
                }
                rates[thread] = double(runs) * steps * work / (now() - begin) / 1e9;
            });
        }
        for (auto &thread : all) thread.join();
        double sum = 0;
        for (double one : rates) sum += one;
        best = std::max(best, sum);
    }
    return best;
}

int main(int count, char **arguments) {
    const int threads = count > 1 ? std::atoi(arguments[1]) : 1;
    std::printf("%d threads, %s\ninstructions alone: floats %.0f, bytes %.0f", threads, ci_level_name(ci_best_level()),
                rate<Instructions::floats>(threads), rate<Instructions::bytes>(threads));
    if (ci_has_level(CI_LEVEL_AVX512_VNNI)) std::printf(", bytes by AVX-512 VNNI %.0f", rate<Instructions::wideBytes>(threads));
    std::printf("\n");
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    const size_t shapes[][3] = {{197, 768, 2304}, {197, 768, 768}, {197, 768, 3072}, {197, 3072, 768}, {257, 1024, 4096}, {3136, 64, 256}, {784, 512, 128}};
    for (const auto &[rows, inputs, outputs] : shapes) {
        std::vector<float> x(rows * inputs), weights(outputs * inputs), out(rows * outputs), scales(outputs);
        std::vector<int8_t> integers(outputs * inputs);
        for (float &value : x) value = normal(generator);
        for (float &value : weights) value = normal(generator);
        ci_round_weights(weights.data(), outputs, inputs, integers.data(), scales.data());
        CIWeights *packed = ci_weights_pack(integers.data(), scales.data(), outputs, 1, inputs);
        double best = 1e9;
        for (int attempt = 0; attempt < 20; attempt++) {
            auto body = [&](size_t part) {
                const CISlice slice{rows * part / threads, rows * (part + 1) / threads, 0, (outputs + CI_PANEL - 1) / CI_PANEL};
                ci_linear(ci_best_level(), packed, x.data(), inputs, nullptr, slice, CIFinish{}, out.data(), outputs);
            };
            const double begin = now();
            ci_parallel(size_t(threads), 1, [](void *context, size_t, size_t part) { (*static_cast<decltype(body) *>(context))(part); }, &body);
            best = std::min(best, now() - begin);
        }
        std::printf("%4zu x %4zu x %4zu: %.0f\n", rows, inputs, outputs, double(rows * inputs * outputs) / best / 1e9);
        ci_weights_free(packed);
    }
}
