/// A graph over coded rows, for search that looks at a few thousand of millions of rows.
///
/// One layer of directed edges, at most `degree` from a row: nearest neighbours without those that another neighbour leads to
/// (Vamana: Subramanya et al. 2019, "DiskANN"; R is `degree`, L is `breadth`, alpha is `slack` there), built by inserting rows
/// in a random order, each found by a walk over the graph so far (HNSW's bottom layer: Malkov & Yashunin 2018,
/// arXiv:1603.09320; efConstruction is `breadth`). A walk begins at the best of some hundred rows drawn at random, which serve as
/// HNSW's upper layers do.
///
/// A graph is built once and never changes: it belongs to an immutable set of rows. It is one block of memory without pointers,
/// which can be written to a file as it is and mapped again. Rows with equal codes are one node of the graph, so thousands of
/// duplicates cost nothing and part nothing from the rest; and every node can be reached from where walks begin.
///
/// Functions may be called from any thread; a CVWalk by one thread at a time.
#pragma once

#include "cvector.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum CVStatus {
    CV_OK = 0,
    CV_CANCELLED = 1,  ///< cv_build_cancel was called
    CV_NO_MEMORY = 2,
    CV_BAD_ARGUMENT = 3,  ///< named at each function; nothing was read or written
} CVStatus;

/// How a graph is built. Zeroes mean the values in parentheses.
typedef struct CVGraphOptions {
    uint32_t degree;   ///< (48) edges of a row at most, 4…256, rounded up to a multiple of 4
    uint32_t breadth;  ///< (200) rows that an insertion chooses its edges from, up to 4,096
    /// (1.15) from 1 on: how much nearer to a chosen neighbour than to the row itself another one must lie to be left out,
    /// in ratios of 1 - score. More than 1 keeps longer edges, which queries need that lie outside of the rows, as texts do.
    float slack;
    uint32_t threads;  ///< (1) up to 256
    uint64_t seed;     ///< of the order of insertion
} CVGraphOptions;

/// Watches and ends a build from other threads.
typedef struct CVBuild CVBuild;
CVBuild *cv_build_create(void);  ///< NULL without memory; ended by cv_build_free, after the build
void cv_build_free(CVBuild *build);
void cv_build_cancel(CVBuild *build);
/// The share of the work that is done, 0…1, ascending.
double cv_build_progress(const CVBuild *build);

/// Builds a graph over coded rows of about unit length. On success `*graph` is a new block of `*length` bytes, owned by the
/// caller (cv_free_bytes); else both are untouched. One thread always builds the same block from the same rows and options, on
/// every level; several do not, but as good a one. Beside the block it takes up to some 20 bytes a row, and for each thread an eighth of a byte a row.
/// `build` may be NULL. Errors: CV_CANCELLED, CV_NO_MEMORY, CV_BAD_ARGUMENT (options outside of their ranges, 2^31 rows or more).
CVStatus cv_graph_build(CVLevel level, const CVCodes *rows, const CVGraphOptions *options, CVBuild *build, void **graph,
                        size_t *length);

/// What a block says of itself. Meaningful after cv_graph_check.
typedef struct CVGraphInfo {
    size_t count;       ///< rows
    size_t duplicates;  ///< of them, rows whose codes an earlier row has
    size_t entries;     ///< rows where walks begin
    size_t edges;
    uint32_t degree;
} CVGraphInfo;
CVGraphInfo cv_graph_info(const void *graph);

/// 1 if the block is a whole graph over `count` rows, whose walks stay within it and within the rows; else 0. Everything is
/// looked at once. Whether edges are good ones cannot be seen: a changed bit can make one valid row another, which costs
/// recall. `graph` must be aligned to 8 bytes.
///
/// Bytes, all in the machine's order (little-endian on both architectures): a header of 64,
///
///     0  "CVGRAPH\0"   8  version, 1   12  degree   16  count   24  length of the block   32  entries   36  1 if a chain follows
///     40  duplicates   48  zeros
///
/// then, each beginning at a multiple of 64 and followed by zeros: edges uint32 [count, degree], in each row the filled ones
/// first and 0xFFFFFFFF behind; entries uint32 [entries]; and, with duplicates, uint32 [count], the next row of equal codes,
/// always a later one, or 0xFFFFFFFF.
int cv_graph_check(const void *graph, size_t length, size_t count);

/// What walks need to remember: an eighth of a byte a row, and what they grow to. Reused from search to search.
typedef struct CVWalk CVWalk;
CVWalk *cv_walk_create(size_t count);  ///< for graphs of up to `count` rows; NULL without memory
void cv_walk_free(CVWalk *walk);

typedef enum CVWalkMode {
    /// All rows are walked, those that may be found are kept. For no filter, or one that admits many.
    CV_WALK_PLAIN = 0,
    /// Rows that may not be found are passed through without a look at their codes, to their neighbours (ACORN-1: Patel et al.
    /// 2024, arXiv:2403.04871). For filters that admit some hundredths to some tenths.
    CV_WALK_TWO_HOP = 1,
} CVWalkMode;

typedef struct CVWalkRequest {
    CVWalkMode mode;
    size_t k;        ///< rows wanted, at least 1
    size_t breadth;  ///< the ef of HNSW: so many of the best are followed; at least k is taken
    /// So many rows are scored at most, about; 0: no limit. With a limit, what is found until then is returned.
    size_t limit;
    /// Bitmaps of (count + 63) / 64 words, bit r % 64 of word r / 64 for row r: rows that may be found, and rows that may not.
    /// NULL: all, and none.
    const uint64_t *admitted;
    const uint64_t *deleted;
} CVWalkRequest;

typedef struct CVWalkReport {
    size_t found;     ///< rows written, at most k
    size_t scored;    ///< rows that were scored
    size_t expanded;  ///< rows whose neighbours were looked at
    int limited;      ///< 1 if the limit ended it
} CVWalkReport;

/// Walks the graph towards query `query` of `queries`, over rows coded in either coding (not necessarily the one that the graph
/// was built over). Writes up to k rows and their scores, best first, equal scores by ascending row; rows of equal codes
/// have one score. A walk ends when `breadth` rows that may be found are better than all that are left, so that it finds k of
/// them whenever k exist, unless a limit ends it. With rare or contrary filters that can be a walk over all rows: the limit is for this.
/// `graph` must have passed cv_graph_check with rows->count.
/// Errors: CV_NO_MEMORY (`rows` and `scores` may be written), CV_BAD_ARGUMENT (k is 0; the walk was made for fewer rows; the
/// graph is of another count).
CVStatus cv_graph_search(CVLevel level, const void *graph, const CVCodes *codes, const CVQueries *queries, size_t query,
                         const CVWalkRequest *request, CVWalk *walk, uint32_t *rows, float *scores, CVWalkReport *report);

#ifdef __cplusplus
}
#endif
