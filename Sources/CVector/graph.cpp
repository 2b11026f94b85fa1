#include "cvgraph.h"

#include "codes.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <memory>
#include <new>
#include <numeric>
#include <thread>
#include <vector>

using namespace cvector;

struct CVBuild {
    std::atomic<bool> isCancelled = false;
    std::atomic<uint64_t> done = 0, all = 1;
};

namespace {

constexpr uint32_t none = 0xFFFFFFFF;
constexpr char magic[8] = "CVGRAPH";

struct Header {
    char magic[8];
    uint32_t version;
    uint32_t degree;
    uint64_t count;
    uint64_t length;
    uint32_t entries;
    uint32_t hasChain;
    uint64_t duplicates;
    uint64_t zeros[2];
};
static_assert(sizeof(Header) == 64);

constexpr size_t padded(size_t bytes) { return (bytes + 63) / 64 * 64; }

/// Where things are in a block.
struct Graph {
    uint32_t *edges;
    uint32_t *entries;
    uint32_t *chain;  ///< NULL without duplicates
    uint32_t degree, entryCount;
    size_t count;

    static size_t length(size_t count, size_t degree, size_t entries, bool hasChain) {
        return sizeof(Header) + padded(count * degree * 4) + padded(entries * 4) + (hasChain ? padded(count * 4) : 0);
    }

    explicit Graph(const void *block) {
        auto header = static_cast<const Header *>(block);
        auto base = static_cast<char *>(const_cast<void *>(block)) + sizeof(Header);
        degree = header->degree;
        entryCount = header->entries;
        count = header->count;
        edges = reinterpret_cast<uint32_t *>(base);
        base += padded(count * degree * 4);
        entries = reinterpret_cast<uint32_t *>(base);
        chain = header->hasChain ? reinterpret_cast<uint32_t *>(base + padded(entryCount * size_t(4))) : nullptr;
    }

    uint32_t *list(uint32_t row) const { return edges + size_t(row) * degree; }

    void prefetch(uint32_t row) const {
        for (uint32_t e = 0; e < degree; e += 16) __builtin_prefetch(list(row) + e);
    }
};

/// Edges are read while other threads write them: what is read is then an old or a new edge, both good. No instruction but a
/// plain load or store comes of it.
uint32_t loaded(const uint32_t *edge) { return __atomic_load_n(edge, __ATOMIC_RELAXED); }
void store(uint32_t *edge, uint32_t row) { __atomic_store_n(edge, row, __ATOMIC_RELAXED); }

using Group = void (*)(const int8_t *, const int8_t *const *, size_t, int32_t *);

template <CVCoding Coding> Group groupOf(CVLevel level) {
    switch (level) {
#if defined(__x86_64__)
    case CV_LEVEL_VNNI: return VNNICodes::group<Coding>;
    case CV_LEVEL_AVX512:
    case CV_LEVEL_AVX2: return AVX2Codes::group<Coding>;
#endif
#if defined(__aarch64__)
    case CV_LEVEL_NEON: return NEONCodes::group<Coding>;
#endif
    default: return PlainCodes::group<Coding>;
    }
}

/// Scores of rows far apart, as cv_code_scores_of_rows gives them.
struct Scorer {
    const CVCodes &codes;
    size_t bytes;
    Group group;
    const int8_t *query = nullptr;
    float scale = 0;
    int32_t sum = 0;

    Scorer(CVLevel level, const CVCodes &codes)
        : codes(codes), bytes(cv_row_bytes(codes.coding, codes.width)),
          group(codes.coding == CV_CODING_INT8 ? groupOf<CV_CODING_INT8>(level) : groupOf<CV_CODING_ROTATED4>(level)) {}

    const int8_t *row(uint32_t number) const { return static_cast<const int8_t *>(codes.codes) + number * bytes; }

    /// Makes a row the query. `decoded` has room for `width` codes.
    void ask(uint32_t number, int8_t *decoded) {
        scale = codes.scales[number];
        if (codes.coding == CV_CODING_INT8) {
            query = row(number);
            return;
        }
        auto packed = reinterpret_cast<const uint8_t *>(row(number));
        sum = 0;
        for (size_t d = 0; d < codes.width; d += 128, packed += 64) {
            for (size_t b = 0; b < 64; b++) {
                decoded[d + b] = int8_t(2 * (packed[b] & 15) - 15);
                decoded[d + 64 + b] = int8_t(2 * (packed[b] >> 4) - 15);
            }
        }
        for (size_t d = 0; d < codes.width; d++) sum += decoded[d];
        query = decoded;
    }

    void prefetch(uint32_t number) const {
        auto at = reinterpret_cast<const char *>(row(number));
        for (size_t line = 0; line < bytes; line += 64) __builtin_prefetch(at + line);
        __builtin_prefetch(codes.scales + number);
    }

    /// Scores of rows that are on their way already, while `coming` rows are sent for.
    void score(const uint32_t *numbers, size_t count, float *scores, const uint32_t *coming, size_t comingCount) const {
        size_t sent = 0;
        for (size_t i = 0; i < count; i += together) {
            for (size_t end = std::min(comingCount, i + together); sent < end; sent++) prefetch(coming[sent]);
            few(numbers + i, std::min(count - i, size_t(together)), scores + i);
        }
        while (sent < comingCount) prefetch(coming[sent++]);
    }

    /// Rows come out of memory, which takes longer than multiplying them: the next ones are on their way meanwhile.
    void score(const uint32_t *numbers, size_t count, float *scores) const {
        constexpr size_t ahead = 2 * together;
        for (size_t i = 0; i < std::min(count, ahead); i++) prefetch(numbers[i]);
        for (size_t i = 0; i < count; i += together) {
            for (size_t next = i + ahead; next < std::min(count, i + ahead + together); next++) prefetch(numbers[next]);
            few(numbers + i, std::min(count - i, size_t(together)), scores + i);
        }
    }

    /// Up to `together` rows.
    void few(const uint32_t *numbers, size_t count, float *scores) const {
        const int8_t *rows[together];
        int32_t dots[together];
        for (size_t r = 0; r < together; r++) rows[r] = row(numbers[std::min(r, count - 1)]);
        group(query, rows, codes.width, dots);
        for (size_t r = 0; r < count; r++) {
            int32_t dot = codes.coding == CV_CODING_INT8 ? dots[r] : centred(dots[r], sum);
            scores[r] = scored(dot, scale, codes.scales[numbers[r]]);
        }
    }
};

/// A scored row, and whether its neighbours have been looked at.
struct Candidate {
    float score;
    uint32_t row : 31;
    uint32_t isExpanded : 1;

    /// Equal scores by ascending row, so that one walk is always the same.
    bool isBetter(const Candidate &other) const { return score != other.score ? score > other.score : row < other.row; }
};

/// The best `capacity` candidates, best first.
struct Pool {
    std::vector<Candidate> entries;
    size_t capacity = 0;

    void begin(size_t most) {
        entries.clear();
        capacity = most;
    }
    bool isFull() const { return entries.size() >= capacity; }
    bool takes(float score) const { return !isFull() || score > entries.back().score; }

    /// The place that it got, or SIZE_MAX.
    size_t insert(Candidate candidate) {
        if (isFull()) {
            if (!candidate.isBetter(entries.back())) return SIZE_MAX;
            entries.pop_back();
        }
        auto place = std::lower_bound(
            entries.begin(), entries.end(), candidate, [](const Candidate &a, const Candidate &b) { return a.isBetter(b); });
        size_t at = size_t(place - entries.begin());
        entries.insert(place, candidate);
        return at;
    }
};

} // namespace

struct CVWalk {
    size_t count;
    /// A bit a row, cleared by the list of words that have any: a sixteenth of the memory of marks with 16-bit epochs, so that of
    /// a million rows it stays in the second-level cache.
    std::vector<uint64_t> seen;
    std::vector<uint32_t> touched;
    Pool pool;
    std::vector<Candidate> frontier, doors;
    std::vector<uint32_t> passed, batch, coming;
    std::vector<float> scores;
    size_t scored = 0, expanded = 0;

    explicit CVWalk(size_t count) : count(count), seen((count + 63) / 64) {}

    void begin() {
        for (uint32_t word : touched) seen[word] = 0;
        touched.clear();
        scored = expanded = 0;
    }

    bool hasSeen(uint32_t row) const { return seen[row / 64] >> (row % 64) & 1; }

    /// False if it was marked before.
    bool mark(uint32_t row) {
        uint64_t &word = seen[row / 64], bit = uint64_t(1) << (row % 64);
        if (word & bit) return false;
        if (word == 0) touched.push_back(row / 64);
        word |= bit;
        return true;
    }

    void scoreBatch(const Scorer &scorer) {
        if (scores.size() < batch.size()) scores.resize(batch.size());
        scorer.score(batch.data(), batch.size(), scores.data());
        scored += batch.size();
    }

    /// Marks and scores the first `entryCount` entries, into `doors`, best first.
    void enter(const Graph &graph, const Scorer &scorer, size_t entryCount) {
        batch.clear();
        for (size_t e = 0; e < entryCount; e++) {
            if (mark(graph.entries[e])) batch.push_back(graph.entries[e]);
        }
        scoreBatch(scorer);
        doors.clear();
        for (size_t i = 0; i < batch.size(); i++) doors.push_back({scores[i], batch[i], 0});
        std::sort(doors.begin(), doors.end(), [](const Candidate &a, const Candidate &b) { return a.isBetter(b); });
    }

    /// So many entries are followed at first: the best, and some beside it in case that it leads astray.
    static constexpr size_t starts = 8;

    /// The nodes nearest to the query, in `pool`: best first, always following the best that has not been followed.
    void walk(const Graph &graph, const Scorer &scorer, size_t entryCount, size_t breadth, size_t limit) {
        begin();
        enter(graph, scorer, entryCount);
        pool.begin(breadth);
        size_t opened = std::min(starts, doors.size());
        for (size_t d = 0; d < opened; d++) pool.insert(doors[d]);
        // Two steps are under way: while the neighbours of one node are scored, the rows of the next one's are sent for. The
        // next one is then sometimes not the best: of 100,000 rows of 512 a hundredth more were scored, in 3 (int8) and 6 (4
        // bits) hundredths less time on a Zen 3.
        batch.clear();
        for (size_t at = 0; scored < limit;) {
            while (at < pool.entries.size() && pool.entries[at].isExpanded) at++;
            coming.clear();
            if (at < pool.entries.size()) {
                pool.entries[at].isExpanded = 1;
                expanded++;
                const uint32_t *list = graph.list(pool.entries[at].row);
                for (uint32_t e = 0; e < graph.degree; e++) {
                    uint32_t row = loaded(list + e);
                    if (row == none) break;
                    if (mark(row)) coming.push_back(row);
                }
                at++;
            } else if (batch.empty()) {
                if (pool.isFull() || opened == doors.size()) break;
                // From all entries together, every node can be reached.
                while (opened < doors.size()) pool.insert(doors[opened++]);
                at = 0;
                continue;
            }
            if (scores.size() < batch.size()) scores.resize(batch.size());
            scorer.score(batch.data(), batch.size(), scores.data(), coming.data(), coming.size());
            scored += batch.size();
            for (size_t i = 0; i < batch.size(); i++) {
                if (!pool.takes(scores[i])) continue;
                size_t place = pool.insert({scores[i], batch[i], 0});
                // One of the next to be followed: its edges will be wanted.
                if (place < at + 4) graph.prefetch(batch[i]);
                at = std::min(at, place);
            }
            batch.swap(coming);
        }
    }
};

namespace {

bool bit(const uint64_t *bits, uint32_t row) { return bits[row / 64] >> (row % 64) & 1; }

/// Which rows may be found.
struct Filter {
    const uint64_t *admitted, *deleted;
    const uint32_t *chain;

    bool admits(uint32_t row) const { return (!admitted || bit(admitted, row)) && !(deleted && bit(deleted, row)); }

    /// Of a node: whether one of its rows may.
    bool admitsAny(uint32_t row) const {
        if (admits(row)) return true;
        if (chain) {
            while ((row = chain[row]) != none) {
                if (admits(row)) return true;
            }
        }
        return false;
    }
};

/// A search with a filter: `pool` has what may be found, `frontier` (a heap) what is to be followed.
struct FilteredWalk {
    CVWalk &walk;
    const Graph &graph;
    const Scorer &scorer;
    Filter filter;
    bool isTwoHop;

    static bool isWorse(const Candidate &a, const Candidate &b) { return b.isBetter(a); }

    void offer(Candidate candidate, bool isFindable) {
        if (!walk.pool.takes(candidate.score)) return;
        if (isFindable) walk.pool.insert(candidate);
        walk.frontier.push_back(candidate);
        std::push_heap(walk.frontier.begin(), walk.frontier.end(), isWorse);
    }

    void run(size_t breadth, size_t limit) {
        walk.begin();
        walk.frontier.clear();
        walk.passed.clear();
        walk.enter(graph, scorer, graph.entryCount);
        const std::vector<Candidate> &entries = walk.doors;
        walk.pool.begin(breadth);
        size_t next = 0;
        auto enterMore = [&](size_t most) {
            for (size_t end = std::min(next + most, entries.size()); next < end; next++) {
                offer(entries[next], filter.admitsAny(entries[next].row));
            }
        };
        enterMore(CVWalk::starts);
        while (walk.scored < limit) {
            if (walk.frontier.empty()) {
                // Nothing leads on, and too little has been found: what was passed through comes into its own, and then the
                // entries that seemed too far. From all of these every node can be reached.
                if (walk.pool.isFull()) break;
                if (!walk.passed.empty()) {
                    size_t most = std::min(walk.passed.size(), limit - walk.scored);
                    walk.batch.assign(walk.passed.end() - ptrdiff_t(most), walk.passed.end());
                    walk.passed.resize(walk.passed.size() - most);
                    walk.scoreBatch(scorer);
                    for (size_t i = 0; i < walk.batch.size(); i++) offer({walk.scores[i], walk.batch[i], 0}, false);
                } else if (next < entries.size()) {
                    enterMore(entries.size());
                } else {
                    break;
                }
                continue;
            }
            Candidate best = walk.frontier.front();
            if (!walk.pool.takes(best.score)) break;
            std::pop_heap(walk.frontier.begin(), walk.frontier.end(), isWorse);
            walk.frontier.pop_back();
            walk.expanded++;
            isTwoHop ? expandTwice(best.row) : expand(best.row);
        }
    }

    void expand(uint32_t row) {
        const uint32_t *list = graph.list(row);
        walk.batch.clear();
        for (uint32_t e = 0; e < graph.degree && list[e] != none; e++) {
            if (walk.mark(list[e])) walk.batch.push_back(list[e]);
        }
        walk.scoreBatch(scorer);
        for (size_t i = 0; i < walk.batch.size(); i++) {
            if (walk.pool.takes(walk.scores[i])) offer({walk.scores[i], walk.batch[i], 0}, filter.admitsAny(walk.batch[i]));
        }
    }

    void expandTwice(uint32_t row) {
        const uint32_t *list = graph.list(row);
        size_t firstPassed = walk.passed.size();
        walk.batch.clear();
        for (uint32_t e = 0; e < graph.degree && list[e] != none; e++) {
            if (!walk.mark(list[e])) continue;
            if (filter.admitsAny(list[e])) {
                walk.batch.push_back(list[e]);
            } else {
                walk.passed.push_back(list[e]);
                graph.prefetch(list[e]);
            }
        }
        for (size_t p = firstPassed; p < walk.passed.size(); p++) {
            const uint32_t *second = graph.list(walk.passed[p]);
            for (uint32_t e = 0; e < graph.degree && second[e] != none; e++) {
                if (!walk.hasSeen(second[e]) && filter.admitsAny(second[e])) {
                    walk.mark(second[e]);
                    walk.batch.push_back(second[e]);
                }
            }
        }
        walk.scoreBatch(scorer);
        for (size_t i = 0; i < walk.batch.size(); i++) offer({walk.scores[i], walk.batch[i], 0}, true);
    }
};

/// Locks of rows, a byte each: held for some microseconds, and hardly ever contended.
struct RowLocks {
    std::unique_ptr<std::atomic<uint8_t>[]> locks;
    explicit RowLocks(size_t count) : locks(new std::atomic<uint8_t>[count]()) {}
    void lock(uint32_t row) {
        while (locks[row].exchange(1, std::memory_order_acquire)) std::this_thread::yield();
    }
    void unlock(uint32_t row) { locks[row].store(0, std::memory_order_release); }
};

struct SplitMix {
    uint64_t state;
    uint64_t next() {
        uint64_t z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
};

struct Cancelled {};

struct Builder {
    const CVLevel level;
    const CVCodes &codes;
    const Graph graph;
    const CVGraphOptions options;
    CVBuild &build;
    /// Nodes in the order of insertion; the first are the entries.
    const std::vector<uint32_t> &order;
    RowLocks locks;
    std::atomic<size_t> next = 0;
    std::atomic<bool> isOutOfMemory = false;

    Builder(CVLevel level, const CVCodes &codes, void *block, const CVGraphOptions &options, CVBuild &build,
            const std::vector<uint32_t> &order)
        : level(level), codes(codes), graph(block), options(options), build(build), order(order), locks(codes.count) {}

    /// What one thread needs.
    struct Worker {
        CVWalk walk;
        Scorer scorer, between;
        std::vector<int8_t> decoded, decodedBetween;
        std::vector<Candidate> candidates;
        std::vector<uint32_t> chosen;
        std::vector<float> scores;
        Worker(CVLevel level, const CVCodes &codes)
            : walk(codes.count), scorer(level, codes), between(level, codes), decoded(codes.width), decodedBetween(codes.width) {}
    };

    /// Of `candidates` of a row, best first, those that no chosen one is nearer to by `slack` (RobustPrune of DiskANN, the
    /// heuristic of HNSW's algorithm 4), at most `most`, into `chosen`.
    void prune(Worker &worker, size_t most, float slack) {
        worker.chosen.clear();
        for (const Candidate &candidate : worker.candidates) {
            if (worker.chosen.size() >= most) break;
            worker.between.ask(candidate.row, worker.decodedBetween.data());
            float distance = 1 - candidate.score;
            bool isCovered = false;
            for (size_t c = 0; c < worker.chosen.size() && !isCovered; c += together) {
                size_t count = std::min(worker.chosen.size() - c, size_t(together));
                float scores[together];
                worker.between.few(worker.chosen.data() + c, count, scores);
                for (size_t i = 0; i < count; i++) isCovered |= slack * (1 - scores[i]) < distance;
            }
            if (!isCovered) worker.chosen.push_back(candidate.row);
        }
    }

    void set(uint32_t row, const std::vector<uint32_t> &chosen) {
        uint32_t *list = graph.list(row);
        for (size_t e = 0; e < graph.degree; e++) store(list + e, e < chosen.size() ? chosen[e] : none);
    }

    /// An edge back; a list that is full is pruned.
    void link(Worker &worker, uint32_t from, uint32_t to) {
        locks.lock(from);
        uint32_t *list = graph.list(from);
        size_t count = 0;
        while (count < graph.degree && list[count] != none && list[count] != to) count++;
        if (count == graph.degree) {
            worker.scorer.ask(from, worker.decoded.data());
            worker.chosen.assign(list, list + count);
            worker.chosen.push_back(to);
            worker.scores.resize(count + 1);
            worker.scorer.score(worker.chosen.data(), count + 1, worker.scores.data());
            worker.candidates.clear();
            for (size_t i = 0; i <= count; i++) worker.candidates.push_back({worker.scores[i], worker.chosen[i], 0});
            std::sort(worker.candidates.begin(), worker.candidates.end(), [](auto &a, auto &b) { return a.isBetter(b); });
            // With room for some more, so that one pruning serves as many edges.
            prune(worker, graph.degree - graph.degree / 4, options.slack);
            set(from, worker.chosen);
        } else if (list[count] != to) {
            store(list + count, to);
        }
        locks.unlock(from);
    }

    void insert(Worker &worker, size_t number) {
        uint32_t row = order[number];
        worker.scorer.ask(row, worker.decoded.data());
        worker.walk.walk(graph, worker.scorer, std::min(number, size_t(graph.entryCount)), options.breadth, SIZE_MAX);
        worker.candidates.clear();
        for (const Candidate &candidate : worker.walk.pool.entries) {
            if (candidate.row != row) worker.candidates.push_back(candidate);
        }
        prune(worker, graph.degree, options.slack);
        locks.lock(row);
        // Other rows may have linked to it by now; they stay.
        uint32_t *list = graph.list(row);
        for (size_t e = 0; e < graph.degree && list[e] != none; e++) {
            if (worker.chosen.size() < graph.degree &&
                std::find(worker.chosen.begin(), worker.chosen.end(), list[e]) == worker.chosen.end()) {
                worker.chosen.push_back(list[e]);
            }
        }
        set(row, worker.chosen);
        locks.unlock(row);
        std::vector<uint32_t> neighbours = worker.chosen;
        for (uint32_t neighbour : neighbours) link(worker, neighbour, row);
    }

    void work() noexcept {
        try {
            Worker worker(level, codes);
            for (size_t number; (number = next.fetch_add(1)) < order.size();) {
                if (build.isCancelled.load(std::memory_order_relaxed) || isOutOfMemory.load(std::memory_order_relaxed)) return;
                insert(worker, number);
                build.done.fetch_add(1, std::memory_order_relaxed);
            }
        } catch (const std::bad_alloc &) {
            isOutOfMemory = true;
        }
    }

    void run() {
        std::vector<std::thread> threads;
        try {
            threads.reserve(options.threads);
            while (threads.size() + 1 < std::min<size_t>(options.threads, order.size())) threads.emplace_back([this] { work(); });
        } catch (...) {
            // The system grants no more threads; those that there are do it.
        }
        work();
        for (std::thread &thread : threads) thread.join();
        if (isOutOfMemory) throw std::bad_alloc();
        if (build.isCancelled) throw Cancelled();
        connect();
    }

    /// Gives every node that the entries do not lead to an edge from a near one that they do. Edges of the tree that the
    /// others were reached by stay.
    void connect() {
        Worker worker(level, codes);
        std::vector<uint32_t> parent(codes.count, none), queue(graph.entries, graph.entries + graph.entryCount);
        queue.reserve(order.size());
        for (uint32_t entry : queue) parent[entry] = entry;
        size_t at = 0;
        auto follow = [&] {
            for (; at < queue.size(); at++) {
                const uint32_t *list = graph.list(queue[at]);
                for (size_t e = 0; e < graph.degree && list[e] != none; e++) {
                    if (parent[list[e]] == none) parent[list[e]] = queue[at], queue.push_back(list[e]);
                }
            }
        };
        auto adopt = [&](uint32_t from, uint32_t row) {
            uint32_t *list = graph.list(from);
            for (size_t e = graph.degree; e-- > 0;) {
                if (list[e] != none && parent[list[e]] == from) continue;
                // The first free place, or the farthest that another one leads to.
                while (list[e] == none && e > 0 && list[e - 1] == none) e--;
                list[e] = row;
                parent[row] = from;
                queue.push_back(row);
                return true;
            }
            return false;
        };
        follow();
        for (uint32_t row : order) {
            if (parent[row] != none) continue;
            if (build.isCancelled.load(std::memory_order_relaxed)) throw Cancelled();
            worker.scorer.ask(row, worker.decoded.data());
            worker.walk.walk(graph, worker.scorer, graph.entryCount, options.breadth, SIZE_MAX);
            auto &near = worker.walk.pool.entries;
            bool isAdopted = std::any_of(near.begin(), near.end(), [&](const Candidate &candidate) {
                return parent[candidate.row] != none && adopt(candidate.row, row);
            });
            // Of m nodes that are reached, fewer than m edges are of the tree: some node has room.
            for (size_t q = 0; !isAdopted && q < queue.size(); q++) isAdopted = adopt(queue[q], row);
            follow();
        }
    }
};

/// Links rows of equal codes and scales into chains, ascending; returns the first of each.
std::vector<uint32_t> nodesOf(const CVCodes &codes, std::vector<uint32_t> &chain, size_t &duplicates) {
    size_t bytes = cv_row_bytes(codes.coding, codes.width);
    auto base = static_cast<const char *>(codes.codes);
    auto isEqual = [&](uint32_t a, uint32_t b) {
        return codes.scales[a] == codes.scales[b] && std::memcmp(base + a * bytes, base + b * bytes, bytes) == 0;
    };
    // A table with open addresses: the last row of each chain, and the first beside it.
    size_t size = std::bit_ceil(std::max<size_t>(codes.count * 3 / 2, 16));
    std::vector<uint32_t> last(size, none), nodes;
    duplicates = 0;
    for (uint32_t row = 0; row < codes.count; row++) {
        uint64_t hash = std::bit_cast<uint32_t>(codes.scales[row]);
        for (size_t b = 0; b < bytes; b += 8) {
            uint64_t word;
            std::memcpy(&word, base + row * bytes + b, 8);
            hash = (std::rotl(hash, 23) ^ word) * 0x9E3779B97F4A7C15;
        }
        size_t place = (hash ^ hash >> 32) & (size - 1);
        while (last[place] != none && !isEqual(last[place], row)) place = (place + 1) & (size - 1);
        if (last[place] == none) {
            nodes.push_back(row);
        } else {
            if (chain.empty()) chain.assign(codes.count, none);
            chain[last[place]] = row;
            duplicates++;
        }
        last[place] = row;
    }
    return nodes;
}

CVStatus built(CVLevel level, const CVCodes &codes, const CVGraphOptions &options, CVBuild &build, void **graph, size_t *length) {
    std::vector<uint32_t> chain;
    size_t duplicates;
    std::vector<uint32_t> order = nodesOf(codes, chain, duplicates);
    SplitMix random{options.seed};
    for (size_t i = order.size(); i > 1; i--) std::swap(order[i - 1], order[random.next() % i]);
    size_t entries = std::min(order.size(), std::clamp(size_t(std::sqrt(double(order.size())) / 2), size_t(16), size_t(256)));
    size_t bytes = Graph::length(codes.count, options.degree, entries, !chain.empty());
    void *block = cv_allocate_bytes(bytes);
    if (!block) return CV_NO_MEMORY;
    try {
        Header header{};
        std::memcpy(header.magic, magic, sizeof(magic));
        header.version = 1;
        header.degree = options.degree;
        header.count = codes.count;
        header.length = bytes;
        header.entries = uint32_t(entries);
        header.hasChain = !chain.empty();
        header.duplicates = duplicates;
        std::memcpy(block, &header, sizeof(header));
        Graph parts(block);
        std::fill(parts.edges, parts.edges + codes.count * options.degree, none);
        std::copy(order.begin(), order.begin() + ptrdiff_t(entries), parts.entries);
        std::copy(chain.begin(), chain.end(), parts.chain);
        build.all = std::max<size_t>(order.size(), 1);
        Builder(level, codes, block, options, build, order).run();
    } catch (...) {
        cv_free_bytes(block, bytes);
        throw;
    }
    *graph = block;
    *length = bytes;
    return CV_OK;
}

/// Every exception ends here.
template <typename Body> CVStatus guarded(Body body) noexcept {
    try {
        return body();
    } catch (const Cancelled &) {
        return CV_CANCELLED;
    } catch (...) {
        return CV_NO_MEMORY;
    }
}

} // namespace

CVBuild *cv_build_create(void) { return new (std::nothrow) CVBuild; }
void cv_build_free(CVBuild *build) { delete build; }
void cv_build_cancel(CVBuild *build) { build->isCancelled = true; }
double cv_build_progress(const CVBuild *build) { return std::min(1.0, double(build->done) / double(build->all)); }

CVStatus cv_graph_build(CVLevel level, const CVCodes *rows, const CVGraphOptions *options, CVBuild *build, void **graph,
                        size_t *length) {
    CVGraphOptions all = *options;
    if (all.degree == 0) all.degree = 48;
    if (all.breadth == 0) all.breadth = 200;
    if (all.slack == 0) all.slack = 1.15f;
    if (all.threads == 0) all.threads = 1;
    if (all.degree < 4 || all.degree > 256 || all.breadth > 4096 || !(all.slack >= 1) || all.threads > 256 ||
        rows->count >= size_t(1) << 31) {
        return CV_BAD_ARGUMENT;
    }
    all.degree = (all.degree + 3) / 4 * 4;
    return guarded([&] {
        CVBuild unwatched;
        return built(level, *rows, all, build ? *build : unwatched, graph, length);
    });
}

CVGraphInfo cv_graph_info(const void *graph) {
    auto header = static_cast<const Header *>(graph);
    Graph parts(graph);
    CVGraphInfo info{header->count, header->duplicates, header->entries, 0, header->degree};
    for (size_t e = 0; e < parts.count * parts.degree; e++) info.edges += parts.edges[e] != none;
    return info;
}

int cv_graph_check(const void *graph, size_t length, size_t count) {
    if (!graph || length < sizeof(Header)) return 0;
    Header header;
    std::memcpy(&header, graph, sizeof(header));
    if (std::memcmp(header.magic, magic, sizeof(magic)) != 0 || header.version != 1 || header.degree < 4 || header.degree > 256 ||
        header.degree % 4 != 0 || header.count != count || count >= size_t(1) << 31 || header.length != length ||
        header.entries > count || header.hasChain > 1 || (header.entries == 0 && count > 0) || header.zeros[0] != 0 ||
        header.zeros[1] != 0 || Graph::length(count, header.degree, header.entries, header.hasChain) != length) {
        return 0;
    }
    Graph parts(graph);
    for (size_t row = 0; row < count; row++) {
        const uint32_t *list = parts.list(uint32_t(row));
        size_t e = 0;
        while (e < parts.degree && list[e] < count) e++;
        for (; e < parts.degree; e++) {
            if (list[e] != none) return 0;
        }
    }
    for (size_t e = 0; e < parts.entryCount; e++) {
        if (parts.entries[e] >= count) return 0;
    }
    size_t duplicates = 0;
    if (parts.chain) {
        // A row that two others lead to would be found twice.
        std::unique_ptr<uint64_t[]> seen(new (std::nothrow) uint64_t[(count + 63) / 64]());
        if (!seen) return 0;
        for (size_t row = 0; row < count; row++) {
            uint32_t after = parts.chain[row];
            if (after == none) continue;
            if (after >= count || after <= row || bit(seen.get(), after)) return 0;
            seen[after / 64] |= uint64_t(1) << (after % 64);
            duplicates++;
        }
        // A duplicate is no node, so nothing may lead to it.
        for (size_t e = 0; e < count * parts.degree; e++) {
            if (parts.edges[e] != none && bit(seen.get(), parts.edges[e])) return 0;
        }
        for (size_t e = 0; e < parts.entryCount; e++) {
            if (bit(seen.get(), parts.entries[e])) return 0;
        }
    }
    return duplicates == header.duplicates;
}

CVWalk *cv_walk_create(size_t count) {
    try {
        return new CVWalk(count);
    } catch (...) {
        return nullptr;
    }
}

void cv_walk_free(CVWalk *walk) { delete walk; }

CVStatus cv_graph_search(CVLevel level, const void *graph, const CVCodes *codes, const CVQueries *queries, size_t query,
                         const CVWalkRequest *request, CVWalk *walk, uint32_t *rows, float *scores, CVWalkReport *report) {
    Graph parts(graph);
    if (request->k == 0 || parts.count != codes->count || walk->count < parts.count || query >= queries->count) {
        return CV_BAD_ARGUMENT;
    }
    return guarded([&] {
        Scorer scorer(level, *codes);
        scorer.query = queries->codes + query * codes->width;
        scorer.scale = queries->scales[query];
        scorer.sum = queries->sums[query];
        size_t breadth = std::min(std::max(request->breadth, request->k), std::max<size_t>(parts.count, 1));
        size_t limit = request->limit ? request->limit : SIZE_MAX;
        Filter filter{request->admitted, request->deleted, parts.chain};
        bool isFiltered = request->admitted || request->deleted;
        if (isFiltered) {
            FilteredWalk{*walk, parts, scorer, filter, request->mode == CV_WALK_TWO_HOP}.run(breadth, limit);
        } else {
            walk->walk(parts, scorer, parts.entryCount, breadth, limit);
        }
        size_t found = 0;
        for (const Candidate &candidate : walk->pool.entries) {
            for (uint32_t row = candidate.row; row != none && found < request->k; row = parts.chain ? parts.chain[row] : none) {
                if (isFiltered && !filter.admits(row)) continue;
                rows[found] = row;
                scores[found++] = candidate.score;
            }
        }
        *report = {found, walk->scored, walk->expanded, walk->scored >= limit};
        return CV_OK;
    });
}
