#include "csentencepiece.h"

#include <sentencepiece_processor.h>

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <vector>

struct CSPModel {
    sentencepiece::SentencePieceProcessor processor;
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
        const auto status = model->processor.LoadFromSerializedProto({static_cast<const char *>(bytes), count});
        if (!status.ok()) return failed(CSP_ERR_MODEL, status.error_message());
        *out = model.release();
        return CSP_OK;
    });
}

void csp_model_free(CSPModel *model) { delete model; }

int32_t csp_piece_count(const CSPModel *model) { return model == nullptr ? 0 : model->processor.GetPieceSize(); }

CSPStatus csp_encode(const CSPModel *model, const char *text, size_t length, int32_t **ids, size_t *count) {
    return guarded([&] {
        if (model == nullptr || ids == nullptr || count == nullptr || (text == nullptr && length != 0)) {
            return failed(CSP_ERR_ARGUMENT, "a pointer is null");
        }
        std::vector<int> found;
        const auto status = model->processor.Encode({text, length}, &found);
        if (!status.ok()) return failed(CSP_ERR_ENCODE, status.error_message());
        int32_t *copy = found.empty() ? nullptr : new int32_t[found.size()];
        std::copy(found.begin(), found.end(), copy);
        *ids = copy;
        *count = found.size();
        return CSP_OK;
    });
}

void csp_ids_free(int32_t *ids) { delete[] ids; }
