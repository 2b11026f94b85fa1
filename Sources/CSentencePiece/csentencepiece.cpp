#include "csentencepiece.h"

#include <dlfcn.h>
#include <sentencepiece_processor.h>

#include <algorithm>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

// The library is loaded when the first model is, and not linked: it defines variables that libtorch's c10 defines too, of other sizes
// (FLAGS_minloglevel). Were both in one scope, constructing the one would overwrite what lies behind the other. Loaded with its own scope
// first, it keeps its variables to itself. What is called directly is looked up by name; the rest are virtual functions.

namespace {

using sentencepiece::SentencePieceProcessor;
using sentencepiece::util::Status;

#ifdef __APPLE__
constexpr const char *library_names[] = {"libsentencepiece.dylib", "/opt/homebrew/lib/libsentencepiece.dylib", "/usr/local/lib/libsentencepiece.dylib"};
constexpr int library_mode = RTLD_NOW | RTLD_LOCAL;
#else
constexpr const char *library_names[] = {"libsentencepiece.so.0", "libsentencepiece.so"};
constexpr int library_mode = RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND;
#endif

struct LibraryError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Library {
    void (*construct)(void *) = nullptr;
    void (*destroy_status)(void *) = nullptr;
    const char *(*message)(const void *) = nullptr;

    static const Library &shared() {
        static const Library library;
        return library;
    }

private:
    Library() {
        void *handle = nullptr;
        for (const char *name : library_names) {
            if ((handle = dlopen(name, library_mode)) != nullptr) break;
        }
        if (handle == nullptr) throw LibraryError("libsentencepiece can't be loaded");
        construct = reinterpret_cast<void (*)(void *)>(find(handle, "_ZN13sentencepiece22SentencePieceProcessorC1Ev"));
        destroy_status = reinterpret_cast<void (*)(void *)>(find(handle, "_ZN13sentencepiece4util6StatusD1Ev"));
        message = reinterpret_cast<const char *(*)(const void *)>(find(handle, "_ZNK13sentencepiece4util6Status13error_messageEv"));
    }

    static void *find(void *handle, const char *name) {
        void *symbol = dlsym(handle, name);
        if (symbol == nullptr) throw LibraryError("this version of libsentencepiece has another interface");
        return symbol;
    }
};

/// What a call answers, destroyed by the library's own function.
class Outcome {
    union {
        Status status;
    };
    const Library &library;

public:
    template <typename Call>
    Outcome(const Library &library, Call &&call) : library(library) {
        new (&status) Status(call());
    }
    ~Outcome() { library.destroy_status(&status); }
    Outcome(const Outcome &) = delete;
    Outcome &operator=(const Outcome &) = delete;

    bool ok() const { return status.ok(); }
    const char *message() const { return library.message(&status); }
};

}  // namespace

struct CSPModel {
    const Library &library;
    alignas(SentencePieceProcessor) unsigned char storage[sizeof(SentencePieceProcessor)];

    CSPModel() : library(Library::shared()) { library.construct(storage); }
    ~CSPModel() { processor().~SentencePieceProcessor(); }
    CSPModel(const CSPModel &) = delete;
    CSPModel &operator=(const CSPModel &) = delete;

    SentencePieceProcessor &processor() { return *reinterpret_cast<SentencePieceProcessor *>(storage); }
    const SentencePieceProcessor &processor() const { return *reinterpret_cast<const SentencePieceProcessor *>(storage); }
};

namespace {

thread_local std::string last_error;

CSPStatus failed(CSPStatus status, const char *message) noexcept {
    try {
        std::string text = message == nullptr ? "" : message;
        last_error = text.substr(0, text.find('\n'));
        if (last_error.empty()) last_error = "sentencepiece gave no reason";
    } catch (...) {
        last_error.clear();  // no memory left for a message: the status still tells
    }
    return status;
}

/// The one catch: every function that can fail runs its body here.
template <typename Body>
CSPStatus guarded(Body &&body) noexcept {
    last_error.clear();
    try {
        return body();
    } catch (const LibraryError &error) {
        return failed(CSP_ERR_LIBRARY, error.what());
    } catch (const std::bad_alloc &error) {
        return failed(CSP_ERR_MEMORY, error.what());
    } catch (const std::exception &error) {
        return failed(CSP_ERR_INTERNAL, error.what());
    } catch (...) {
        return failed(CSP_ERR_INTERNAL, "an exception of unknown type");
    }
}

}  // namespace

const char *csp_last_error(void) { return last_error.c_str(); }

CSPStatus csp_model_load(const void *bytes, size_t count, CSPModel **out) {
    return guarded([&] {
        if (bytes == nullptr || out == nullptr) return failed(CSP_ERR_ARGUMENT, "a pointer is null");
        auto model = std::make_unique<CSPModel>();
        const Outcome outcome(model->library, [&] {
            return model->processor().LoadFromSerializedProto({static_cast<const char *>(bytes), count});
        });
        if (!outcome.ok()) return failed(CSP_ERR_MODEL, outcome.message());
        *out = model.release();
        return CSP_OK;
    });
}

void csp_model_free(CSPModel *model) { delete model; }

int32_t csp_piece_count(const CSPModel *model) { return model == nullptr ? 0 : model->processor().GetPieceSize(); }

CSPStatus csp_encode(const CSPModel *model, const char *text, size_t length, int32_t **ids, size_t *count) {
    return guarded([&] {
        if (model == nullptr || ids == nullptr || count == nullptr || (text == nullptr && length != 0)) {
            return failed(CSP_ERR_ARGUMENT, "a pointer is null");
        }
        std::vector<int> found;
        const Outcome outcome(model->library, [&] { return model->processor().Encode({text, length}, &found); });
        if (!outcome.ok()) return failed(CSP_ERR_ENCODE, outcome.message());
        int32_t *copy = found.empty() ? nullptr : new int32_t[found.size()];
        std::copy(found.begin(), found.end(), copy);
        *ids = copy;
        *count = found.size();
        return CSP_OK;
    });
}

void csp_ids_free(int32_t *ids) { delete[] ids; }
