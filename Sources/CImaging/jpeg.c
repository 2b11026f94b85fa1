#include "failure.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/// A progressive file of a few kilobytes can hold thousands of scans, each of which costs a pass over the picture. Real ones have about ten.
#define MAX_SCANS 500

/// Rows per call of the library: a whole row of blocks of any sampling.
#define ROWS_AT_ONCE 16

/// libjpeg's error manager, with the place to jump to. `base` stays first: the library hands back a pointer to it.
struct failure {
    struct jpeg_error_mgr base;
    jmp_buf escape;
    CIStatus status;
    char *message;
};

/// All state lives outside of the function that calls setjmp, so a jump leaves every member defined.
struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    struct failure failure;
    const uint8_t *bytes;
    size_t count;
    uint32_t width, height, denominator;
    uint8_t *rgb;
};

struct writer {
    struct jpeg_compress_struct jpeg;
    struct failure failure;
    const uint8_t *rgb;
    uint32_t width, height;
    int quality;
    unsigned char *out;
    unsigned long out_count;
};

static CIStatus status_of(int code) {
    switch (code) {
    case JERR_OUT_OF_MEMORY:
        return CI_ERR_MEMORY;
    case JERR_INPUT_EOF:
    case JERR_INPUT_EMPTY:
        return CI_ERR_TRUNCATED;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_SOF_UNSUPPORTED:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_COMPONENT_COUNT:
        return CI_ERR_UNSUPPORTED;
    default:
        return CI_ERR_BROKEN;
    }
}

static void on_error(j_common_ptr jpeg) {
    struct failure *failure = (struct failure *)jpeg->err;
    char text[JMSG_LENGTH_MAX];
    failure->base.format_message(jpeg, text);
    failure->status = ci_fail(status_of(failure->base.msg_code), failure->message, text);
    longjmp(failure->escape, 1);
}

/// Fails with a text of our own.
static void escape(struct failure *failure, CIStatus status, const char *text) {
    failure->status = ci_fail(status, failure->message, text);
    longjmp(failure->escape, 1);
}

/// Warnings are dropped: Pillow shows pictures with damaged data as far as the library can, and so do we.
static void on_message(j_common_ptr jpeg, int level) {
    (void)jpeg;
    (void)level;
}

static void on_output(j_common_ptr jpeg) { (void)jpeg; }

static struct jpeg_error_mgr *prepare(struct failure *failure, char *message) {
    jpeg_std_error(&failure->base);
    failure->base.error_exit = on_error;
    failure->base.emit_message = on_message;
    failure->base.output_message = on_output;
    failure->status = CI_OK;
    failure->message = message;
    return &failure->base;
}

static void source_begins_or_ends(j_decompress_ptr jpeg) { (void)jpeg; }

/// All bytes were there from the start, so a wish for more means that the file is cut off.
static boolean source_is_empty(j_decompress_ptr jpeg) {
    ERREXIT(jpeg, JERR_INPUT_EOF);
    return FALSE;
}

static void source_skips(j_decompress_ptr jpeg, long bytes) {
    if (bytes <= 0) return;
    if ((size_t)bytes > jpeg->src->bytes_in_buffer) ERREXIT(jpeg, JERR_INPUT_EOF);
    jpeg->src->next_input_byte += bytes;
    jpeg->src->bytes_in_buffer -= (size_t)bytes;
}

static void watch_scans(j_common_ptr jpeg) {
    if (((j_decompress_ptr)jpeg)->input_scan_number > MAX_SCANS) {
        escape((struct failure *)jpeg->err, CI_ERR_UNSUPPORTED, "it has more than 500 scans");
    }
}

/// Pillow's conversion of inverted CMYK: each ink darkens what black left over, products rounded to nearest.
static void cmyk_to_rgb(const uint8_t *cmyk, uint8_t *rgb, size_t pixels) {
    for (size_t i = 0; i < pixels; i++) {
        const uint32_t left = cmyk[4 * i + 3];
        for (size_t c = 0; c < 3; c++) {
            const uint32_t product = (255u - cmyk[4 * i + c]) * left + 128;
            const int32_t value = (int32_t)left - (int32_t)((product + (product >> 8)) >> 8);
            rgb[3 * i + c] = value < 0 ? 0 : (uint8_t)value;
        }
    }
}

static void read_picture(struct reader *reader) {
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    jpeg_create_decompress(jpeg);
    reader->source.init_source = source_begins_or_ends;
    reader->source.fill_input_buffer = source_is_empty;
    reader->source.skip_input_data = source_skips;
    reader->source.resync_to_restart = jpeg_resync_to_restart;
    reader->source.term_source = source_begins_or_ends;
    reader->source.next_input_byte = reader->bytes;
    reader->source.bytes_in_buffer = reader->count;
    jpeg->src = &reader->source;
    reader->progress.progress_monitor = watch_scans;
    jpeg->progress = &reader->progress;

    jpeg_read_header(jpeg, TRUE);
    const int inks = jpeg->num_components == 4;
    jpeg->out_color_space = inks ? JCS_CMYK : JCS_RGB;
    jpeg->scale_num = 1;
    jpeg->scale_denom = reader->denominator;
    // Before the library allocates for the picture: a second frame header must not smuggle in another size.
    jpeg_calc_output_dimensions(jpeg);
    if (jpeg->output_width != reader->width || jpeg->output_height != reader->height) {
        escape(&reader->failure, CI_ERR_ARGUMENT, "its frame header gives another size");
    }
    jpeg_start_decompress(jpeg);

    const size_t stride = (size_t)reader->width * 3;
    JSAMPARRAY inked = NULL;
    if (inks) inked = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, reader->width * 4, 1);
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *row = reader->rgb + stride * jpeg->output_scanline;
        if (inks) {
            jpeg_read_scanlines(jpeg, inked, 1);
            cmyk_to_rgb(inked[0], row, reader->width);
        } else {
            JSAMPROW rows[ROWS_AT_ONCE];
            const JDIMENSION left = jpeg->output_height - jpeg->output_scanline;
            const JDIMENSION wanted = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
            for (JDIMENSION i = 0; i < wanted; i++) rows[i] = row + stride * i;
            jpeg_read_scanlines(jpeg, rows, wanted);
        }
    }
    // Reads on to the end marker: without it the file is cut off, as Pillow also says.
    jpeg_finish_decompress(jpeg);
}

static CIStatus guarded_read(struct reader *reader) {
    if (setjmp(reader->failure.escape) != 0) return reader->failure.status;
    read_picture(reader);
    return CI_OK;
}

CIStatus ci_jpeg_decode(const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, uint32_t denominator, uint8_t *rgb, char *message) {
    if (denominator != 1 && denominator != 2 && denominator != 4 && denominator != 8) {
        return ci_fail(CI_ERR_ARGUMENT, message, "the scale is none of 1, 1/2, 1/4, 1/8");
    }
    struct reader reader;
    memset(&reader, 0, sizeof reader);
    reader.bytes = bytes;
    reader.count = count;
    reader.width = width;
    reader.height = height;
    reader.denominator = denominator;
    reader.rgb = rgb;
    reader.jpeg.err = prepare(&reader.failure, message);
    const CIStatus status = guarded_read(&reader);
    jpeg_destroy_decompress(&reader.jpeg);
    return status;
}

static void write_picture(struct writer *writer) {
    struct jpeg_compress_struct *jpeg = &writer->jpeg;
    jpeg_create_compress(jpeg);
    jpeg_mem_dest(jpeg, &writer->out, &writer->out_count);
    jpeg->image_width = writer->width;
    jpeg->image_height = writer->height;
    jpeg->input_components = 3;
    jpeg->in_color_space = JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, writer->quality, TRUE);
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < jpeg->image_height) {
        // The library's type has no const, but it only reads.
        JSAMPROW row = (JSAMPROW)(writer->rgb + (size_t)writer->width * 3 * jpeg->next_scanline);
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
}

static CIStatus guarded_write(struct writer *writer) {
    if (setjmp(writer->failure.escape) != 0) return writer->failure.status;
    write_picture(writer);
    return CI_OK;
}

CIStatus ci_jpeg_encode(const uint8_t *rgb, uint32_t width, uint32_t height, int quality, uint8_t **out, size_t *out_count, char *message) {
    struct writer writer;
    memset(&writer, 0, sizeof writer);
    writer.rgb = rgb;
    writer.width = width;
    writer.height = height;
    writer.quality = quality;
    writer.jpeg.err = prepare(&writer.failure, message);
    const CIStatus status = guarded_write(&writer);
    jpeg_destroy_compress(&writer.jpeg);
    if (status != CI_OK) {
        free(writer.out);
        return status;
    }
    *out = writer.out;
    *out_count = writer.out_count;
    return CI_OK;
}

void ci_free(void *pointer) { free(pointer); }
