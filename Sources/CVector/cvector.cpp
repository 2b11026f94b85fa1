#include "cvector.h"

#include "kernels.h"

#include <initializer_list>
#include <sys/mman.h>

namespace {

/// Takes up to `Kernel::most` queries together over the rows of the call, which should fit a cache: the next group of
/// queries walks them again.
template <typename Kernel, int Q = Kernel::most, typename Rows>
void walk(const float *queries, size_t query_count, Rows rows, size_t row_count, size_t dimension, float *scores) {
    while (query_count >= Q) {
        Kernel::template score<Q>(queries, rows, row_count, dimension, scores);
        queries += Q * dimension;
        scores += Q * row_count;
        query_count -= Q;
    }
    if constexpr (Q > 1) walk<Kernel, Q - 1>(queries, query_count, rows, row_count, dimension, scores);
}

template <typename Rows>
void dispatch(CVLevel level, const float *queries, size_t query_count, Rows rows, size_t row_count, size_t dimension,
              float *scores) {
    switch (level) {
#if defined(__x86_64__)
    case CV_LEVEL_VNNI:
    case CV_LEVEL_AVX512: return walk<cvector::AVX512>(queries, query_count, rows, row_count, dimension, scores);
    case CV_LEVEL_AVX2: return walk<cvector::AVX2>(queries, query_count, rows, row_count, dimension, scores);
#endif
#if defined(__aarch64__)
    case CV_LEVEL_NEON: return walk<cvector::NEON>(queries, query_count, rows, row_count, dimension, scores);
#endif
    default: return walk<cvector::Plain>(queries, query_count, rows, row_count, dimension, scores);
    }
}

/// Where the pages of a mapping can be huge: the size both Linux architectures use.
constexpr size_t hugePage = size_t(2) << 20;

size_t mappedBytes(size_t bytes) { return (bytes + hugePage - 1) / hugePage * hugePage; }

// Float16 by instructions, eight at a time; each returns how many it did, and half.h does the rest.
#if defined(__x86_64__)

__attribute__((target("avx2,f16c"))) size_t narrowed(const float *floats, size_t count, uint16_t *halves) {
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        __m128i eight = _mm256_cvtps_ph(_mm256_loadu_ps(floats + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        _mm_storeu_si128((__m128i *)(halves + i), eight);
    }
    return i;
}

__attribute__((target("avx2,f16c"))) size_t widened(const uint16_t *halves, size_t count, float *floats) {
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        _mm256_storeu_ps(floats + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(halves + i))));
    }
    return i;
}

#elif defined(__aarch64__)

size_t narrowed(const float *floats, size_t count, uint16_t *halves) {
    size_t i = 0;
    for (; i + 4 <= count; i += 4) vst1_u16(halves + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(floats + i))));
    return i;
}

size_t widened(const uint16_t *halves, size_t count, float *floats) {
    size_t i = 0;
    for (; i + 4 <= count; i += 4) vst1q_f32(floats + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(halves + i))));
    return i;
}

#endif

} // namespace

int cv_level_is_available(CVLevel level) {
    switch (level) {
    case CV_LEVEL_PLAIN: return 1;
#if defined(__x86_64__)
    // The builtin asks cpuid and XGETBV, so it also knows whether the system saves the wide registers.
    case CV_LEVEL_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case CV_LEVEL_AVX512: return __builtin_cpu_supports("avx512f") && cv_level_is_available(CV_LEVEL_AVX2);
    case CV_LEVEL_VNNI:
        return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               cv_level_is_available(CV_LEVEL_AVX512);
#endif
#if defined(__aarch64__)
    case CV_LEVEL_NEON: return 1;
#endif
    default: return 0;
    }
}

CVLevel cv_best_level(void) {
    for (CVLevel level : {CV_LEVEL_NEON, CV_LEVEL_VNNI, CV_LEVEL_AVX512, CV_LEVEL_AVX2}) {
        if (cv_level_is_available(level)) return level;
    }
    return CV_LEVEL_PLAIN;
}

void cv_scores(CVLevel level, const float *queries, size_t query_count, const float *rows, size_t row_count, size_t stride,
               size_t dimension, float *scores) {
    dispatch(level, queries, query_count, cvector::ConsecutiveRows<float>{rows, stride}, row_count, dimension, scores);
}

void cv_scores_of_rows(CVLevel level, const float *queries, size_t query_count, const float *rows, const uint32_t *chosen,
                       size_t row_count, size_t stride, size_t dimension, float *scores) {
    dispatch(level, queries, query_count, cvector::ChosenRows<float>{rows, chosen, stride}, row_count, dimension, scores);
}

void cv_half_scores(CVLevel level, const float *queries, size_t query_count, const uint16_t *rows, size_t row_count,
                    size_t stride, size_t dimension, float *scores) {
    dispatch(level, queries, query_count, cvector::ConsecutiveRows<uint16_t>{rows, stride}, row_count, dimension, scores);
}

void cv_half_scores_of_rows(CVLevel level, const float *queries, size_t query_count, const uint16_t *rows,
                            const uint32_t *chosen, size_t row_count, size_t stride, size_t dimension, float *scores) {
    dispatch(level, queries, query_count, cvector::ChosenRows<uint16_t>{rows, chosen, stride}, row_count, dimension, scores);
}

void cv_halves_of_floats(CVLevel level, const float *floats, size_t count, uint16_t *halves) {
    size_t done = 0;
#if defined(__x86_64__)
    if (level == CV_LEVEL_AVX2 || level == CV_LEVEL_AVX512 || level == CV_LEVEL_VNNI) done = narrowed(floats, count, halves);
#elif defined(__aarch64__)
    if (level == CV_LEVEL_NEON) done = narrowed(floats, count, halves);
#endif
    for (; done < count; done++) halves[done] = cvector::halfOfFloat(floats[done]);
}

void cv_floats_of_halves(CVLevel level, const uint16_t *halves, size_t count, float *floats) {
    size_t done = 0;
#if defined(__x86_64__)
    if (level == CV_LEVEL_AVX2 || level == CV_LEVEL_AVX512 || level == CV_LEVEL_VNNI) done = widened(halves, count, floats);
#elif defined(__aarch64__)
    if (level == CV_LEVEL_NEON) done = widened(halves, count, floats);
#endif
    for (; done < count; done++) floats[done] = cvector::floatOfHalf(halves[done]);
}

void *cv_allocate_bytes(size_t bytes) {
    if (bytes == 0 || bytes > SIZE_MAX - hugePage) return nullptr;
    void *memory = mmap(nullptr, mappedBytes(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
#if defined(MADV_HUGEPAGE)
    // A scan touches every page once: with small pages a tenth of the time goes to address translation. A wish, so the
    // answer doesn't matter.
    if (bytes >= hugePage) madvise(memory, mappedBytes(bytes), MADV_HUGEPAGE);
#endif
    return memory;
}

void cv_free_bytes(void *memory, size_t bytes) {
    if (memory) munmap(memory, mappedBytes(bytes));
}

float *cv_allocate(size_t count) {
    if (count > SIZE_MAX / sizeof(float)) return nullptr;
    return static_cast<float *>(cv_allocate_bytes(count * sizeof(float)));
}

void cv_free(float *memory, size_t count) { cv_free_bytes(memory, count * sizeof(float)); }
