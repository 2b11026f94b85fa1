#include "failure.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/// Samples that an arithmetic decoder may make up. It has no notion of an end: when the data of a scan end it goes on with zeros, which is right
/// for a flat picture, whose trailing zeros are not written, and costs a second for what follows a spoilt one.
#define MAX_SAMPLES_WITHOUT_DATA (16u << 20)

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
    const CIControl *control;
    uint8_t *rgb;
    /// How far `watch` has counted: the scan and its rows of blocks.
    int scan;
    JDIMENSION rows;
    uint64_t work, samples_without_data;
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

/// Warnings, which have a level below 0, are counted and not told: Pillow shows pictures with damaged data as far as the library can, and so do we.
static void on_message(j_common_ptr jpeg, int level) {
    if (level < 0) jpeg->err->num_warnings++;
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

/// Called by the library before every row of blocks, while it reads scans and while it gives out rows.
static void watch(j_common_ptr common) {
    j_decompress_ptr jpeg = (j_decompress_ptr)common;
    struct failure *failure = (struct failure *)common->err;
    struct reader *reader = jpeg->client_data;
    if (jpeg->input_scan_number > CI_MAX_SCANS) escape(failure, CI_ERR_WORK, "it has more than 100 scans");
    if (jpeg->input_scan_number != reader->scan) {
        reader->scan = jpeg->input_scan_number;
        reader->rows = 0;
    }
    if (jpeg->input_iMCU_row > reader->rows) {
        uint64_t samples = 0;
        for (int i = 0; i < jpeg->comps_in_scan; i++) {
            const jpeg_component_info *component = jpeg->cur_comp_info[i];
            samples += (uint64_t)component->width_in_blocks * (uint64_t)component->v_samp_factor * DCTSIZE2;
        }
        samples *= jpeg->input_iMCU_row - reader->rows;
        reader->rows = jpeg->input_iMCU_row;
        reader->work += samples;
        // A marker that waits to be read is the end of the scan's data.
        if (jpeg->arith_code && jpeg->unread_marker != 0) reader->samples_without_data += samples;
    }
    if (reader->work > reader->control->work) escape(failure, CI_ERR_WORK, "its scans pass over the picture too often");
    if (reader->samples_without_data > MAX_SAMPLES_WITHOUT_DATA) {
        escape(failure, CI_ERR_WORK, "its arithmetic code ends long before the picture does");
    }
    if (ci_stops(reader->control)) escape(failure, CI_ERR_STOPPED, "it was given up");
}

/// Whether something stands behind the picture's data: a marker, or bytes other than the fill before one.
static int something_follows(const struct reader *reader) {
    if (reader->jpeg.unread_marker != 0) return 1;
    for (size_t i = 0; i < reader->source.bytes_in_buffer; i++) {
        if (reader->source.next_input_byte[i] != 0xFF) return 1;
    }
    return 0;
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
    reader->progress.progress_monitor = watch;
    jpeg->progress = &reader->progress;
    jpeg->client_data = reader;

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
    const long warnings = reader->failure.base.num_warnings;
    jpeg_start_decompress(jpeg);

    const size_t stride = (size_t)reader->width * 3;
    JSAMPARRAY inked = NULL;
    if (inks) inked = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, reader->width * 4, 1);
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *row = reader->rgb + stride * jpeg->output_scanline;
        if (inks) {
            jpeg_read_scanlines(jpeg, inked, 1);
            ci_inverted_cmyk_to_rgb(inked[0], row, reader->width);
        } else {
            JSAMPROW rows[ROWS_AT_ONCE];
            const JDIMENSION left = jpeg->output_height - jpeg->output_scanline;
            const JDIMENSION wanted = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
            for (JDIMENSION i = 0; i < wanted; i++) rows[i] = row + stride * i;
            jpeg_read_scanlines(jpeg, rows, wanted);
        }
    }
    // Of a picture in one scan every bit is there if no warning came and something follows: some phones write a trailer of their own in place of the
    // end marker. Anything else has to have that marker, or it is cut off, as Pillow also says.
    if (!jpeg_has_multiple_scans(jpeg) && reader->failure.base.num_warnings == warnings && something_follows(reader)) return;
    jpeg_finish_decompress(jpeg);
}

static CIStatus guarded_read(struct reader *reader) {
    if (setjmp(reader->failure.escape) != 0) return reader->failure.status;
    read_picture(reader);
    return CI_OK;
}

CIStatus ci_jpeg_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, uint32_t denominator, const CIControl *control, uint8_t *rgb,
    char *message) {
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
    reader.control = control;
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
