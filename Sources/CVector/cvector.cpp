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

size_t mappedBytes(size_t count) { return (count * sizeof(float) + hugePage - 1) / hugePage * hugePage; }

} // namespace

int cv_level_is_available(CVLevel level) {
    switch (level) {
    case CV_LEVEL_PLAIN: return 1;
#if defined(__x86_64__)
    // The builtin asks cpuid and XGETBV, so it also knows whether the system saves the wide registers.
    case CV_LEVEL_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case CV_LEVEL_AVX512: return __builtin_cpu_supports("avx512f") && cv_level_is_available(CV_LEVEL_AVX2);
#endif
#if defined(__aarch64__)
    case CV_LEVEL_NEON: return 1;
#endif
    default: return 0;
    }
}

CVLevel cv_best_level(void) {
    for (CVLevel level : {CV_LEVEL_NEON, CV_LEVEL_AVX512, CV_LEVEL_AVX2}) {
        if (cv_level_is_available(level)) return level;
    }
    return CV_LEVEL_PLAIN;
}

void cv_scores(CVLevel level, const float *queries, size_t query_count, const float *rows, size_t row_count, size_t stride,
               size_t dimension, float *scores) {
    dispatch(level, queries, query_count, cvector::ConsecutiveRows{rows, stride}, row_count, dimension, scores);
}

void cv_scores_of_rows(CVLevel level, const float *queries, size_t query_count, const float *rows, const uint32_t *chosen,
                       size_t row_count, size_t stride, size_t dimension, float *scores) {
    dispatch(level, queries, query_count, cvector::ChosenRows{rows, chosen, stride}, row_count, dimension, scores);
}

float *cv_allocate(size_t count) {
    if (count == 0 || count > (SIZE_MAX - hugePage) / sizeof(float)) return nullptr;
    size_t bytes = mappedBytes(count);
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
#if defined(MADV_HUGEPAGE)
    // A scan touches every page once: with small pages a tenth of the time goes to address translation. A wish, so the
    // answer doesn't matter.
    if (count * sizeof(float) >= hugePage) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    return static_cast<float *>(memory);
}

void cv_free(float *memory, size_t count) {
    if (memory) munmap(memory, mappedBytes(count));
}
