#include "failure.h"
#include "libraries.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/// What is declared here of libheif is part of its interface since 1.7 (functions) or read only as far as its version says it goes (structures).
typedef struct heif_context heif_context;
typedef struct heif_image_handle heif_image_handle;
typedef struct heif_image heif_image;

typedef struct heif_error {
    int code;
    int subcode;
    const char *message;
} heif_error;

typedef struct heif_decoding_options {
    uint8_t version;
    // 1
    uint8_t ignore_transformations;
    void (*start_progress)(int step, int max_progress, void *user_data);
    void (*on_progress)(int step, int progress, void *user_data);
    void (*end_progress)(int step, void *user_data);
    void *progress_user_data;
    // 2
    uint8_t convert_hdr_to_8bit;
    // 3
    uint8_t strict_decoding;
    // 4
    const char *decoder_id;
    // 5
    struct {
        uint8_t version;
        int downsampling, upsampling;
        uint8_t only_preferred;
    } color_conversion_options;
    // 6
    int (*cancel_decoding)(void *user_data);
    // 7
    void *color_conversion_options_ext;
    // 8
    int ignore_sequence_editlist;
    void *output_image_nclx_profile;
    int num_library_threads, num_codec_threads;
} heif_decoding_options;

typedef struct heif_security_limits {
    uint8_t version;
    // 1
    uint64_t max_image_size_pixels, max_number_of_tiles;
    uint32_t max_bayer_pattern_pixels, max_items, max_color_profile_size;
    uint64_t max_memory_block_size;
    uint32_t max_components, max_iloc_extents_per_item, max_size_entity_group, max_children_per_box;
    // 2
    uint64_t max_total_memory;
} heif_security_limits;

enum {
    COLORSPACE_RGB = 1,
    CHROMA_INTERLEAVED_RGB = 10,
    CHROMA_INTERLEAVED_RGBA = 11,
    CHANNEL_INTERLEAVED = 10,
    COMPRESSION_HEVC = 1,
    COMPRESSION_AV1 = 4,
    ERROR_UNSUPPORTED_FEATURE = 4,
    ERROR_MEMORY = 6,
    ERROR_CANCELED = 12,
    SUBERROR_END_OF_DATA = 100,
    SUBERROR_SECURITY_LIMIT = 1000,
};

static struct {
    heif_error (*init)(void *);
    heif_context *(*context_alloc)(void);
    void (*context_free)(heif_context *);
    void (*set_max_decoding_threads)(heif_context *, int);
    void (*set_maximum_image_size_limit)(heif_context *, int);
    heif_security_limits *(*get_security_limits)(const heif_context *);
    heif_error (*read)(heif_context *, const void *, size_t, const void *);
    heif_error (*primary)(heif_context *, heif_image_handle **);
    void (*handle_release)(const heif_image_handle *);
    int (*handle_width)(const heif_image_handle *);
    int (*handle_height)(const heif_image_handle *);
    int (*handle_has_alpha)(const heif_image_handle *);
    int (*handle_is_premultiplied)(const heif_image_handle *);
    int (*have_decoder)(int);
    heif_decoding_options *(*options_alloc)(void);
    void (*options_free)(heif_decoding_options *);
    heif_error (*decode)(const heif_image_handle *, heif_image **, int, int, const heif_decoding_options *);
    int (*image_width)(const heif_image *, int);
    int (*image_height)(const heif_image *, int);
    const uint8_t *(*plane)(const heif_image *, int, int *);
    void (*image_release)(const heif_image *);
} heif;

static const struct ci_symbol symbols[] = {
    {"heif_init", &heif.init, 1},
    {"heif_context_alloc", &heif.context_alloc, 0},
    {"heif_context_free", &heif.context_free, 0},
    {"heif_context_set_max_decoding_threads", &heif.set_max_decoding_threads, 1},
    {"heif_context_set_maximum_image_size_limit", &heif.set_maximum_image_size_limit, 0},
    {"heif_context_get_security_limits", &heif.get_security_limits, 1},
    {"heif_context_read_from_memory_without_copy", &heif.read, 0},
    {"heif_context_get_primary_image_handle", &heif.primary, 0},
    {"heif_image_handle_release", &heif.handle_release, 0},
    {"heif_image_handle_get_width", &heif.handle_width, 0},
    {"heif_image_handle_get_height", &heif.handle_height, 0},
    {"heif_image_handle_has_alpha_channel", &heif.handle_has_alpha, 0},
    {"heif_image_handle_is_premultiplied_alpha", &heif.handle_is_premultiplied, 0},
    {"heif_have_decoder_for_format", &heif.have_decoder, 0},
    {"heif_decoding_options_alloc", &heif.options_alloc, 0},
    {"heif_decoding_options_free", &heif.options_free, 0},
    {"heif_decode_image", &heif.decode, 0},
    {"heif_image_get_width", &heif.image_width, 0},
    {"heif_image_get_height", &heif.image_height, 0},
    {"heif_image_get_plane_readonly", &heif.plane, 0},
    {"heif_image_release", &heif.image_release, 0},
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CIStatus load_status;
static char load_message[CI_MESSAGE_SIZE];
static int counts_threads;

static void load(void) {
    load_status = ci_load(CI_LIBRARY_HEIF, symbols, sizeof symbols / sizeof *symbols, load_message);
    if (load_status != CI_OK) return;
    // Since 1.14 this loads the codecs that lie in files of their own.
    if (heif.init != NULL) heif.init(NULL);
    heif_decoding_options *options = heif.options_alloc();
    counts_threads = options != NULL && options->version >= 8;
    if (options != NULL) heif.options_free(options);
}

CIStatus ci_heif_load(char *message) {
    pthread_once(&once, load);
    return load_status == CI_OK ? CI_OK : ci_fail(load_status, message, load_message);
}

int ci_heif_has_decoder(CICodec codec) {
    pthread_once(&once, load);
    return load_status == CI_OK && heif.have_decoder(codec == CI_CODEC_AV1 ? COMPRESSION_AV1 : COMPRESSION_HEVC) != 0;
}

int ci_heif_counts_threads(void) {
    pthread_once(&once, load);
    return counts_threads;
}

static CIStatus fail_with(heif_error error, char *message) {
    CIStatus status = CI_ERR_BROKEN;
    if (error.subcode == SUBERROR_END_OF_DATA) {
        status = CI_ERR_TRUNCATED;
    } else if (error.subcode == SUBERROR_SECURITY_LIMIT) {
        status = CI_ERR_WORK;
    } else if (error.code == ERROR_UNSUPPORTED_FEATURE) {
        status = CI_ERR_UNSUPPORTED;
    } else if (error.code == ERROR_MEMORY) {
        status = CI_ERR_MEMORY;
    } else if (error.code == ERROR_CANCELED) {
        status = CI_ERR_STOPPED;
    }
    // libheif's sentences begin with a capital, may go over lines and end with a full stop.
    char text[CI_MESSAGE_SIZE];
    snprintf(text, sizeof text, "libheif says: %s", error.message == NULL ? "no reason" : error.message);
    for (char *c = text; *c != 0; c++) {
        if (*c == '\n' || *c == '\r') *c = ' ';
    }
    for (size_t end = strlen(text); end > 0 && (text[end - 1] == '.' || text[end - 1] == ' '); end--) text[end - 1] = 0;
    return ci_fail(status, message, text);
}

static int cancels(void *control) { return ci_stops(control); }

static void set_limits(heif_context *context, uint32_t width, uint32_t height, uint64_t largest_area, uint64_t memory) {
    // Tiles are decoded on the caller's thread; versions before 1.13 take up to four.
    if (heif.set_max_decoding_threads != NULL) heif.set_max_decoding_threads(context, 0);
    heif_security_limits *limits = heif.get_security_limits == NULL ? NULL : heif.get_security_limits(context);
    if (limits == NULL) {
        // A longest side, which is 32,768 where nothing is said.
        heif.set_maximum_image_size_limit(context, (int)(width > height ? width : height) + 256);
        return;
    }
    limits->max_image_size_pixels = largest_area;
    if (limits->version >= 2) limits->max_total_memory = 2 * memory + ((uint64_t)64 << 20);
}

/// Composes one row, whose colours are already multiplied by their alpha, on white.
static void add_white(const uint8_t *rgba, uint8_t *rgb, size_t pixels) {
    for (size_t i = 0; i < pixels; i++) {
        for (size_t c = 0; c < 3; c++) {
            const int sum = rgba[4 * i + c] + 255 - rgba[4 * i + 3];
            rgb[3 * i + c] = sum > 255 ? 255 : (uint8_t)sum;
        }
    }
}

static CIStatus copy_picture(
    const heif_image *image, uint32_t width, uint32_t height, int has_alpha, int is_premultiplied, CIAlpha alpha, uint8_t *rgb, char *message) {
    int stride = 0;
    const uint8_t *plane = heif.plane(image, CHANNEL_INTERLEAVED, &stride);
    if (plane == NULL || heif.image_width(image, CHANNEL_INTERLEAVED) != (int)width || heif.image_height(image, CHANNEL_INTERLEAVED) != (int)height ||
        stride < 0 || (size_t)stride < (size_t)width * (has_alpha ? 4 : 3)) {
        return ci_fail(CI_ERR_ARGUMENT, message, "it decodes to another size than its header gives");
    }
    for (uint32_t y = 0; y < height; y++) {
        const uint8_t *row = plane + (size_t)stride * y;
        uint8_t *out = rgb + (size_t)width * 3 * y;
        if (!has_alpha) {
            memcpy(out, row, (size_t)width * 3);
        } else if (alpha == CI_ALPHA_DROPPED) {
            ci_drop_alpha(row, out, width);
        } else if (is_premultiplied) {
            add_white(row, out, width);
        } else {
            ci_compose_on_white(row, out, width);
        }
    }
    return CI_OK;
}

static CIStatus decode_handle(
    const heif_image_handle *handle, uint32_t width, uint32_t height, int has_alpha, CIAlpha alpha, const CIControl *control, uint8_t *rgb,
    char *message) {
    if (heif.handle_width(handle) != (int)width || heif.handle_height(handle) != (int)height) {
        return ci_fail(CI_ERR_ARGUMENT, message, "its header gives another size");
    }
    // Versions before 1.16 read a layer of alpha that is smaller than its picture beyond its end, so only one that the caller has judged may come.
    if ((heif.handle_has_alpha(handle) != 0) != (has_alpha != 0)) return ci_fail(CI_ERR_ARGUMENT, message, "its header names another alpha");
    heif_decoding_options *options = heif.options_alloc();
    if (options == NULL) return ci_fail(CI_ERR_MEMORY, message, "no memory to decode");
    options->convert_hdr_to_8bit = 1;
    if (options->version >= 6) {
        options->cancel_decoding = cancels;
        options->progress_user_data = (void *)control;
    }
    if (options->version >= 8) options->num_codec_threads = 1;
    heif_image *image = NULL;
    const heif_error error =
        heif.decode(handle, &image, COLORSPACE_RGB, has_alpha ? CHROMA_INTERLEAVED_RGBA : CHROMA_INTERLEAVED_RGB, options);
    heif.options_free(options);
    if (error.code != 0) return fail_with(error, message);
    const CIStatus status =
        copy_picture(image, width, height, has_alpha, heif.handle_is_premultiplied(handle) != 0, alpha, rgb, message);
    heif.image_release(image);
    return status;
}

CIStatus ci_heif_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, CICodec codec, int has_alpha, CIAlpha alpha, uint64_t largest_area,
    uint64_t memory, const CIControl *control, uint8_t *rgb, char *message) {
    CIStatus status = ci_heif_load(message);
    if (status != CI_OK) return status;
    if (!ci_heif_has_decoder(codec)) {
        return ci_fail(CI_ERR_DECODER, message, "libheif has no decoder for it");
    }
    heif_context *context = heif.context_alloc();
    if (context == NULL) return ci_fail(CI_ERR_MEMORY, message, "no memory for its boxes");
    set_limits(context, width, height, largest_area, memory);
    heif_image_handle *handle = NULL;
    heif_error error = heif.read(context, bytes, count, NULL);
    if (error.code == 0) error = heif.primary(context, &handle);
    if (error.code != 0) {
        status = fail_with(error, message);
    } else if (ci_stops(control)) {
        status = ci_fail(CI_ERR_STOPPED, message, "it was given up");
    } else {
        status = decode_handle(handle, width, height, has_alpha, alpha, control, rgb, message);
        // Versions before 1.19 cannot be stopped within a picture.
        if (status == CI_OK && ci_stops(control)) status = ci_fail(CI_ERR_STOPPED, message, "it was given up");
    }
    if (handle != NULL) heif.handle_release(handle);
    heif.context_free(context);
    return status;
}
