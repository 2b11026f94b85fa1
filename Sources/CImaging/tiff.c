#include "failure.h"
#include "libraries.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/// What is declared here of libtiff has been its interface since 4.0, but for the options, which came with 4.5.
typedef struct tiff TIFF;
typedef struct TIFFOpenOptions TIFFOpenOptions;
typedef int64_t tiff_size;
typedef tiff_size (*read_write_proc)(void *, void *, tiff_size);
typedef uint64_t (*seek_proc)(void *, uint64_t, int);
typedef int (*close_proc)(void *);
typedef uint64_t (*size_proc)(void *);
typedef int (*map_proc)(void *, void **, uint64_t *);
typedef void (*unmap_proc)(void *, void *, uint64_t);
typedef void (*global_handler)(void *, const char *, const char *, va_list);
typedef int (*handler)(TIFF *, void *, const char *, const char *, va_list);

enum {
    TAG_WIDTH = 256,
    TAG_HEIGHT = 257,
    TAG_BITS = 258,
    TAG_COMPRESSION = 259,
    TAG_COLOUR = 262,
    TAG_SAMPLES = 277,
    TAG_PLANAR = 284,
    TAG_COLOUR_MAP = 320,
    TAG_TILE_WIDTH = 322,
    TAG_TILE_HEIGHT = 323,
    TAG_JPEG_COLOUR_MODE = 65538,
    COMPRESSION_JPEG = 7,
    WHITE_IS_ZERO = 0,
    BLACK_IS_ZERO = 1,
    RGB = 2,
    PALETTE = 3,
    INKS = 5,
    YCBCR = 6,
    MAX_SAMPLES = 8,
};

static struct {
    TIFF *(*open)(const char *, const char *, void *, read_write_proc, read_write_proc, seek_proc, close_proc, size_proc, map_proc, unmap_proc);
    TIFF *(*open_with)(
        const char *, const char *, void *, read_write_proc, read_write_proc, seek_proc, close_proc, size_proc, map_proc, unmap_proc,
        TIFFOpenOptions *);
    TIFFOpenOptions *(*options_alloc)(void);
    void (*options_free)(TIFFOpenOptions *);
    void (*set_max_single)(TIFFOpenOptions *, tiff_size);
    void (*set_error_handler)(TIFFOpenOptions *, handler, void *);
    void (*set_warning_handler)(TIFFOpenOptions *, handler, void *);
    void *(*set_plain_error_handler)(void *);
    void *(*set_plain_warning_handler)(void *);
    global_handler (*set_global_error_handler)(global_handler);
    global_handler (*set_global_warning_handler)(global_handler);
    void (*close)(TIFF *);
    int (*get)(TIFF *, uint32_t, ...);
    int (*get_or_default)(TIFF *, uint32_t, ...);
    int (*set)(TIFF *, uint32_t, ...);
    int (*is_tiled)(TIFF *);
    tiff_size (*row_size)(TIFF *);
    tiff_size (*tile_size)(TIFF *);
    tiff_size (*tile_row_size)(TIFF *);
    uint32_t (*tile)(TIFF *, uint32_t, uint32_t, uint32_t, uint16_t);
    int (*read_row)(TIFF *, void *, uint32_t, uint16_t);
    tiff_size (*read_tile)(TIFF *, uint32_t, void *, tiff_size);
} tiff;

static const struct ci_symbol symbols[] = {
    {"TIFFClientOpen", &tiff.open, 0},
    {"TIFFClientOpenExt", &tiff.open_with, 1},
    {"TIFFOpenOptionsAlloc", &tiff.options_alloc, 1},
    {"TIFFOpenOptionsFree", &tiff.options_free, 1},
    {"TIFFOpenOptionsSetMaxSingleMemAlloc", &tiff.set_max_single, 1},
    {"TIFFOpenOptionsSetErrorHandlerExtR", &tiff.set_error_handler, 1},
    {"TIFFOpenOptionsSetWarningHandlerExtR", &tiff.set_warning_handler, 1},
    {"TIFFSetErrorHandler", &tiff.set_plain_error_handler, 0},
    {"TIFFSetWarningHandler", &tiff.set_plain_warning_handler, 0},
    {"TIFFSetErrorHandlerExt", &tiff.set_global_error_handler, 0},
    {"TIFFSetWarningHandlerExt", &tiff.set_global_warning_handler, 0},
    {"TIFFClose", &tiff.close, 0},
    {"TIFFGetField", &tiff.get, 0},
    {"TIFFGetFieldDefaulted", &tiff.get_or_default, 0},
    {"TIFFSetField", &tiff.set, 0},
    {"TIFFIsTiled", &tiff.is_tiled, 0},
    {"TIFFScanlineSize", &tiff.row_size, 0},
    {"TIFFTileSize", &tiff.tile_size, 0},
    {"TIFFTileRowSize", &tiff.tile_row_size, 0},
    {"TIFFComputeTile", &tiff.tile, 0},
    {"TIFFReadScanline", &tiff.read_row, 0},
    {"TIFFReadEncodedTile", &tiff.read_tile, 0},
};

struct reader {
    TIFF *tiff;
    const uint8_t *bytes;
    uint64_t count, position;
    const CIControl *control;
    /// What libtiff said first, and whether it is a reason to refuse the picture.
    char said[CI_MESSAGE_SIZE];
    int failed, decoding, ran_out;

    uint32_t width, height;
    uint16_t bits, samples, planar, colour;
    /// Which sample is alpha, none below 0, and whether the colours are multiplied by it.
    int alpha_sample, is_premultiplied;
    CIAlpha alpha;
    uint8_t palette[3 * 256];
    uint8_t *rgb;
    /// A row or tile as libtiff gives it, and its samples in one byte each; with planes apart, those of the whole picture.
    uint8_t *raw, *plain, *inverted;
};

static void note(struct reader *reader, const char *format, va_list arguments) {
    if (reader->failed) return;
    reader->failed = 1;
    vsnprintf(reader->said, sizeof reader->said, format, arguments);
    for (char *c = reader->said; *c != 0; c++) {
        if (*c == '\n' || *c == '\r') *c = ' ';
    }
    for (size_t end = strlen(reader->said); end > 0 && (reader->said[end - 1] == '.' || reader->said[end - 1] == ' '); end--) {
        reader->said[end - 1] = 0;
    }
}

static int on_error(TIFF *file, void *reader, const char *module, const char *format, va_list arguments) {
    (void)file;
    (void)module;
    if (reader != NULL) note(reader, format, arguments);
    return 1;
}

/// What libtiff finds odd in a directory is of tags that nobody reads here. While it decodes, a warning says that data are damaged or end early, and that
/// the rest is made up; only the codes of very old writers of LZW are no damage.
static int on_warning(TIFF *file, void *reader, const char *module, const char *format, va_list arguments) {
    (void)file;
    if (reader != NULL && ((struct reader *)reader)->decoding && (module == NULL || strstr(module, "LZW") == NULL)) note(reader, format, arguments);
    return 1;
}

static void on_global_error(void *reader, const char *module, const char *format, va_list arguments) {
    on_error(NULL, reader, module, format, arguments);
}

static void on_global_warning(void *reader, const char *module, const char *format, va_list arguments) {
    on_warning(NULL, reader, module, format, arguments);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CIStatus load_status;
static char load_message[CI_MESSAGE_SIZE];
static int has_options;

static void load(void) {
    load_status = ci_load(CI_LIBRARY_TIFF, symbols, sizeof symbols / sizeof *symbols, load_message);
    if (load_status != CI_OK) return;
    has_options = tiff.open_with != NULL && tiff.options_alloc != NULL && tiff.options_free != NULL && tiff.set_max_single != NULL &&
                  tiff.set_error_handler != NULL && tiff.set_warning_handler != NULL;
    // The ones of the whole process: they would print. Before 4.5 there are no others; each is handed the reader of its file.
    tiff.set_plain_error_handler(NULL);
    tiff.set_plain_warning_handler(NULL);
    if (!has_options) {
        tiff.set_global_error_handler(on_global_error);
        tiff.set_global_warning_handler(on_global_warning);
    }
}

CIStatus ci_tiff_load(char *message) {
    pthread_once(&once, load);
    return load_status == CI_OK ? CI_OK : ci_fail(load_status, message, load_message);
}

static tiff_size take_bytes(void *context, void *out, tiff_size wanted) {
    struct reader *reader = context;
    const uint64_t left = reader->position < reader->count ? reader->count - reader->position : 0;
    if (wanted < 0) return -1;
    if ((uint64_t)wanted > left) {
        reader->ran_out = 1;
        wanted = (tiff_size)left;
    }
    memcpy(out, reader->bytes + (wanted > 0 ? reader->position : 0), (size_t)wanted);
    reader->position += (uint64_t)wanted;
    return wanted;
}

static tiff_size give_no_bytes(void *context, void *bytes, tiff_size count) {
    (void)context;
    (void)bytes;
    (void)count;
    return -1;
}

static uint64_t seek(void *context, uint64_t offset, int whence) {
    struct reader *reader = context;
    const uint64_t base = whence == SEEK_CUR ? reader->position : whence == SEEK_END ? reader->count : 0;
    reader->position = base + offset;
    return reader->position;
}

static int leave_open(void *context) {
    (void)context;
    return 0;
}

static uint64_t size(void *context) { return ((struct reader *)context)->count; }

static CIStatus refuse(struct reader *reader, char *message) {
    if (ci_stops(reader->control)) return ci_fail(CI_ERR_STOPPED, message, "it was given up");
    if (reader->ran_out) return ci_fail(CI_ERR_TRUNCATED, message, "the data ends early");
    char text[CI_MESSAGE_SIZE];
    snprintf(text, sizeof text, "libtiff says: %.*s", CI_MESSAGE_SIZE - 20, reader->failed ? reader->said : "its data do not decode");
    return ci_fail(CI_ERR_BROKEN, message, text);
}

/// One byte a sample: of 16 bits the high ones, of fewer than 8 what they are in a palette, else spread over 0...255.
static void flatten(const struct reader *reader, const uint8_t *raw, uint8_t *plain, size_t count) {
    if (reader->bits == 8) {
        memcpy(plain, raw, count);
    } else if (reader->bits == 16) {
        for (size_t i = 0; i < count; i++) {
            uint16_t value;
            memcpy(&value, raw + 2 * i, 2);
            plain[i] = (uint8_t)(value >> 8);
        }
    } else {
        const unsigned bits = reader->bits, mask = (1u << bits) - 1, scale = reader->colour == PALETTE ? 1 : 255 / mask;
        for (size_t i = 0; i < count; i++) {
            const size_t place = i * bits;
            plain[i] = (uint8_t)((raw[place / 8] >> (8 - bits - place % 8) & mask) * scale);
        }
    }
}

/// A row of samples in one byte each to RGB, alpha composed or left out.
static void convert(const struct reader *reader, const uint8_t *plain, uint8_t *rgb, size_t pixels) {
    const size_t samples = reader->samples;
    if (reader->colour == INKS) {
        for (size_t i = 0; i < pixels; i++) {
            for (size_t c = 0; c < 4; c++) reader->inverted[4 * i + c] = 255 - plain[samples * i + c];
        }
        ci_inverted_cmyk_to_rgb(reader->inverted, rgb, pixels);
    }
    for (size_t i = 0; i < pixels; i++) {
        const uint8_t *in = plain + samples * i;
        uint8_t *out = rgb + 3 * i;
        switch (reader->colour) {
        case WHITE_IS_ZERO:
            out[0] = out[1] = out[2] = 255 - in[0];
            break;
        case BLACK_IS_ZERO:
            out[0] = out[1] = out[2] = in[0];
            break;
        case PALETTE:
            memcpy(out, reader->palette + 3 * in[0], 3);
            break;
        case INKS:
            break;
        default:
            memcpy(out, in, 3);
        }
        if (reader->alpha_sample < 0) continue;
        const uint32_t alpha = in[reader->alpha_sample];
        uint8_t rgba[4] = {out[0], out[1], out[2], (uint8_t)alpha};
        if (reader->is_premultiplied && alpha != 255) {
            for (size_t c = 0; c < 3; c++) {
                const uint32_t value = alpha == 0 ? 0 : 255u * rgba[c] / alpha;
                rgba[c] = value > 255 ? 255 : (uint8_t)value;
            }
        }
        if (reader->alpha == CI_ALPHA_ON_WHITE) {
            ci_compose_on_white(rgba, out, 1);
        } else {
            memcpy(out, rgba, 3);
        }
    }
}

static int reads_palette(struct reader *reader) {
    uint16_t *maps[3] = {NULL, NULL, NULL};
    if (!tiff.get(reader->tiff, TAG_COLOUR_MAP, &maps[0], &maps[1], &maps[2])) return 0;
    const size_t count = (size_t)1 << reader->bits;
    // Some writers of old gave colours of 8 bits in their 16.
    int is_short = 1;
    for (size_t i = 0; i < count; i++) {
        if (maps[0][i] > 255 || maps[1][i] > 255 || maps[2][i] > 255) is_short = 0;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < 3; c++) reader->palette[3 * i + c] = (uint8_t)(is_short ? maps[c][i] : maps[c][i] >> 8);
    }
    return 1;
}

/// Reads what the directory says and compares it with what the caller made of it.
static CIStatus read_directory(struct reader *reader, char *message) {
    uint32_t width = 0, height = 0;
    uint16_t compression = 1;
    if (!tiff.get(reader->tiff, TAG_WIDTH, &width) || !tiff.get(reader->tiff, TAG_HEIGHT, &height) || width != reader->width ||
        height != reader->height) {
        return ci_fail(CI_ERR_ARGUMENT, message, "its header gives another size");
    }
    if (!tiff.get(reader->tiff, TAG_COLOUR, &reader->colour)) return ci_fail(CI_ERR_BROKEN, message, "it does not say what its samples mean");
    tiff.get_or_default(reader->tiff, TAG_BITS, &reader->bits);
    tiff.get_or_default(reader->tiff, TAG_SAMPLES, &reader->samples);
    tiff.get_or_default(reader->tiff, TAG_PLANAR, &reader->planar);
    tiff.get_or_default(reader->tiff, TAG_COMPRESSION, &compression);
    const int is_whole = reader->bits == 8 || reader->bits == 16;
    const int is_part = (reader->bits == 1 || reader->bits == 2 || reader->bits == 4) && reader->samples == 1;
    const unsigned colours = reader->colour == INKS ? 4 : reader->colour == RGB || reader->colour == YCBCR ? 3 : 1;
    if (!(is_whole || is_part) || reader->samples < colours || reader->samples > MAX_SAMPLES || reader->colour > YCBCR || reader->colour == 4 ||
        (reader->planar != 1 && reader->planar != 2)) {
        return ci_fail(CI_ERR_UNSUPPORTED, message, "an arrangement of samples that is not read");
    }
    if (reader->colour == YCBCR) {
        if (compression != COMPRESSION_JPEG || reader->samples != 3 || reader->planar != 1 || reader->bits != 8) {
            return ci_fail(CI_ERR_UNSUPPORTED, message, "YCbCr other than JPEG's");
        }
        // libjpeg enlarges the chroma and converts.
        tiff.set(reader->tiff, TAG_JPEG_COLOUR_MODE, 1);
    }
    if (reader->colour == PALETTE && (reader->bits > 8 || !reads_palette(reader))) {
        return ci_fail(CI_ERR_BROKEN, message, "it has no palette for its samples");
    }
    if (reader->alpha_sample >= (int)reader->samples) return ci_fail(CI_ERR_ARGUMENT, message, "its header names another alpha");
    return CI_OK;
}

static CIStatus read_rows(struct reader *reader, char *message) {
    const size_t samples = reader->planar == 1 ? reader->samples : 1, row = (size_t)reader->width * samples;
    const tiff_size bytes = tiff.row_size(reader->tiff);
    if (bytes <= 0 || (uint64_t)bytes < ((uint64_t)row * reader->bits + 7) / 8) return ci_fail(CI_ERR_BROKEN, message, "its rows are too short");
    reader->raw = calloc(1, (size_t)bytes);
    if (reader->raw == NULL) return ci_fail(CI_ERR_MEMORY, message, "no memory for a row");
    for (uint16_t plane = 0; plane < (reader->planar == 1 ? 1 : reader->samples); plane++) {
        for (uint32_t y = 0; y < reader->height; y++) {
            if (y % 16 == 0 && ci_stops(reader->control)) return refuse(reader, message);
            if (tiff.read_row(reader->tiff, reader->raw, y, plane) != 1 || reader->failed) return refuse(reader, message);
            if (reader->planar == 1) {
                flatten(reader, reader->raw, reader->plain, row);
                convert(reader, reader->plain, reader->rgb + (size_t)reader->width * 3 * y, reader->width);
            } else {
                uint8_t *out = reader->plain + (size_t)reader->width * reader->samples * y + plane;
                flatten(reader, reader->raw, reader->inverted, row);
                for (size_t x = 0; x < row; x++) out[reader->samples * x] = reader->inverted[x];
            }
        }
    }
    return CI_OK;
}

static CIStatus read_tiles(struct reader *reader, char *message) {
    uint32_t width = 0, height = 0;
    const size_t samples = reader->planar == 1 ? reader->samples : 1;
    const tiff_size bytes = tiff.tile_size(reader->tiff), stride = tiff.tile_row_size(reader->tiff);
    if (!tiff.get(reader->tiff, TAG_TILE_WIDTH, &width) || !tiff.get(reader->tiff, TAG_TILE_HEIGHT, &height) || width == 0 || height == 0 ||
        stride <= 0 || (uint64_t)stride < ((uint64_t)width * samples * reader->bits + 7) / 8 || bytes < stride ||
        (uint64_t)bytes / (uint64_t)stride < height) {
        return ci_fail(CI_ERR_BROKEN, message, "its tiles are too small");
    }
    reader->raw = calloc(1, (size_t)bytes);
    if (reader->raw == NULL) return ci_fail(CI_ERR_MEMORY, message, "no memory for a tile");
    for (uint16_t plane = 0; plane < (reader->planar == 1 ? 1 : reader->samples); plane++) {
        for (uint64_t top = 0; top < reader->height; top += height) {
            for (uint64_t left = 0; left < reader->width; left += width) {
                if (ci_stops(reader->control)) return refuse(reader, message);
                const uint32_t tile = tiff.tile(reader->tiff, (uint32_t)left, (uint32_t)top, 0, plane);
                if (tiff.read_tile(reader->tiff, tile, reader->raw, bytes) != bytes || reader->failed) return refuse(reader, message);
                const size_t across = reader->width - left < width ? reader->width - (size_t)left : width;
                const size_t down = reader->height - top < height ? reader->height - (size_t)top : height;
                for (size_t y = 0; y < down; y++) {
                    const size_t place = (size_t)reader->width * (top + y) + left;
                    const uint8_t *row = reader->raw + (size_t)stride * y;
                    if (reader->planar == 1) {
                        flatten(reader, row, reader->plain, across * samples);
                        convert(reader, reader->plain, reader->rgb + 3 * place, across);
                    } else {
                        flatten(reader, row, reader->inverted, across);
                        for (size_t x = 0; x < across; x++) reader->plain[reader->samples * (place + x) + plane] = reader->inverted[x];
                    }
                }
            }
        }
    }
    return CI_OK;
}

static CIStatus read_picture(struct reader *reader, char *message) {
    CIStatus status = read_directory(reader, message);
    if (status != CI_OK) return status;
    const size_t row = (size_t)reader->width * reader->samples;
    reader->plain = calloc(reader->planar == 1 ? 1 : reader->height, row);
    reader->inverted = calloc(4, reader->width);
    if (reader->plain == NULL || reader->inverted == NULL) return ci_fail(CI_ERR_MEMORY, message, "no memory for its samples");
    reader->failed = 0;
    reader->decoding = 1;
    status = tiff.is_tiled(reader->tiff) ? read_tiles(reader, message) : read_rows(reader, message);
    if (status != CI_OK || reader->planar == 1) return status;
    for (uint32_t y = 0; y < reader->height; y++) {
        convert(reader, reader->plain + row * y, reader->rgb + (size_t)reader->width * 3 * y, reader->width);
    }
    return CI_OK;
}

CIStatus ci_tiff_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, int alpha_sample, int is_premultiplied, CIAlpha alpha,
    uint64_t memory, const CIControl *control, uint8_t *rgb, char *message) {
    CIStatus status = ci_tiff_load(message);
    if (status != CI_OK) return status;
    struct reader reader;
    memset(&reader, 0, sizeof reader);
    reader.bytes = bytes;
    reader.count = count;
    reader.width = width;
    reader.height = height;
    reader.alpha_sample = alpha_sample;
    reader.is_premultiplied = is_premultiplied;
    reader.alpha = alpha;
    reader.control = control;
    reader.rgb = rgb;
    // "m": not as if the bytes were mapped, whose pieces libtiff would change in place.
    if (has_options) {
        TIFFOpenOptions *options = tiff.options_alloc();
        if (options == NULL) return ci_fail(CI_ERR_MEMORY, message, "no memory for its header");
        // Its largest piece as its file has it and decoded, and tables.
        tiff.set_max_single(options, (tiff_size)(memory + count + ((uint64_t)16 << 20)));
        tiff.set_error_handler(options, on_error, &reader);
        tiff.set_warning_handler(options, on_warning, &reader);
        reader.tiff =
            tiff.open_with("picture", "rm", &reader, take_bytes, give_no_bytes, seek, leave_open, size, NULL, NULL, options);
        tiff.options_free(options);
    } else {
        reader.tiff = tiff.open("picture", "rm", &reader, take_bytes, give_no_bytes, seek, leave_open, size, NULL, NULL);
    }
    status = reader.tiff == NULL ? refuse(&reader, message) : read_picture(&reader, message);
    if (reader.tiff != NULL) tiff.close(reader.tiff);
    free(reader.raw);
    free(reader.plain);
    free(reader.inverted);
    return status;
}
