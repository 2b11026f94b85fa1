#include "failure.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>
#include <zlib.h>

/// All state lives outside of the function that calls setjmp, so a jump leaves every member defined.
struct reader {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t count, position;
    /// How far the row that is being read may take the position; none is before the rows begin.
    size_t row_end, bytes_a_row;
    uint32_t width, height;
    CIAlpha alpha;
    const CIControl *control;
    uint8_t *rgb;
    /// One row of RGBA, or all of them when the picture is interlaced.
    uint8_t *rgba;
    CIStatus status;
    char *message;
};

struct writer {
    png_structp png;
    png_infop info;
    const uint8_t *rgb;
    uint32_t width, height;
    uint8_t *out;
    size_t count, capacity;
    CIStatus status;
    char *message;
};

static void on_read_error(png_structp png, png_const_charp text) {
    struct reader *reader = png_get_error_ptr(png);
    if (reader->status == CI_OK) reader->status = CI_ERR_BROKEN;
    ci_fail(reader->status, reader->message, text);
    png_longjmp(png, 1);
}

static void on_write_error(png_structp png, png_const_charp text) {
    struct writer *writer = png_get_error_ptr(png);
    if (writer->status == CI_OK) writer->status = CI_ERR_BROKEN;
    ci_fail(writer->status, writer->message, text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void take_bytes(png_structp png, png_bytep out, size_t wanted) {
    struct reader *reader = png_get_io_ptr(png);
    if (wanted > reader->count - reader->position) {
        reader->status = CI_ERR_TRUNCATED;
        png_error(png, "the data ends early");
    }
    // Once its rows are full libpng inflates what is left of the data, a thousand bytes for each, before it returns.
    if (reader->row_end != 0 && reader->position > reader->row_end) {
        reader->status = CI_ERR_WORK;
        png_error(png, "its data go on far behind its last row");
    }
    memcpy(out, reader->bytes + reader->position, wanted);
    reader->position += wanted;
}

/// Metadata that cannot change a pixel: read by nobody here, and a broken one must not spoil the picture.
static void ignore_metadata(png_structp png) {
    static const png_byte chunks[] = "iCCP\0sRGB\0gAMA\0cHRM\0tEXt\0zTXt\0iTXt\0eXIf\0pHYs\0tIME\0sPLT\0hIST\0bKGD\0sBIT\0oFFs\0pCAL\0sCAL";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, chunks, (int)(sizeof chunks / 5));
}

static uint32_t number(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/// Walks from the last chunk that was read from to IEND, without which the file is cut off.
static void find_end(struct reader *reader) {
    size_t position = 8;
    while (position <= reader->count && reader->count - position >= 12) {
        const uint8_t *chunk = reader->bytes + position;
        const size_t length = number(chunk);
        if (length > reader->count - position - 12) break;
        const size_t end = position + 12 + length;
        const int last = memcmp(chunk + 4, "IEND", 4) == 0;
        // What libpng has read whole it has checked; of the rest the chunks that make the picture count.
        if (end >= reader->position && (last || memcmp(chunk + 4, "IDAT", 4) == 0) &&
            crc32_z(crc32(0, NULL, 0), chunk + 4, length + 4) != number(chunk + 8 + length)) {
            png_error(reader->png, last ? "IEND: CRC error" : "IDAT: CRC error");
        }
        if (last) return;
        position = end;
    }
    reader->status = CI_ERR_TRUNCATED;
    png_error(reader->png, "the data ends early");
}

static void read_row(struct reader *reader, uint32_t y, uint8_t *row) {
    if (y % 16 == 0 && ci_stops(reader->control)) {
        reader->status = CI_ERR_STOPPED;
        png_error(reader->png, "it was given up");
    }
    // A row is never much longer when it is deflated; the rest is room for the headers of chunks and what libpng reads ahead.
    reader->row_end = reader->position + reader->bytes_a_row + reader->bytes_a_row / 8 + (64 << 10);
    png_read_row(reader->png, row, NULL);
}

static void read_picture(struct reader *reader) {
    png_structp png = reader->png;
    png_infop info = reader->info;
    png_set_read_fn(png, reader, take_bytes);
    png_set_user_limits(png, reader->width, reader->height);
    ignore_metadata(png);
    png_read_info(png, info);
    if (png_get_image_width(png, info) != reader->width || png_get_image_height(png, info) != reader->height) {
        reader->status = CI_ERR_ARGUMENT;
        png_error(png, "its header gives another size");
    }
    reader->bytes_a_row = png_get_rowbytes(png, info);
    png_set_expand(png);
    png_set_gray_to_rgb(png);
    // The high byte, not a rounded one; libpng compares a transparent colour before it cuts the samples.
    png_set_strip_16(png);
    if (reader->alpha == CI_ALPHA_DROPPED) png_set_strip_alpha(png);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);

    // Asked, not worked out from the chunks: a transparent colour that stands before a palette is dropped by libpng, though its flag stays.
    const size_t channels = png_get_channels(png, info);
    if ((channels != 3 && channels != 4) || png_get_rowbytes(png, info) != channels * reader->width) {
        png_error(png, "its rows have an unexpected length");
    }
    const size_t stride = (size_t)reader->width * 3;
    if (channels == 3) {
        for (int pass = 0; pass < passes; pass++) {
            for (uint32_t y = 0; y < reader->height; y++) read_row(reader, y, reader->rgb + stride * y);
        }
    } else {
        const size_t kept = passes > 1 ? reader->height : 1;
        const size_t rgba_stride = (size_t)reader->width * 4;
        reader->rgba = calloc(kept, rgba_stride);
        if (reader->rgba == NULL) {
            reader->status = CI_ERR_MEMORY;
            png_error(png, "no memory for its alpha channel");
        }
        for (int pass = 0; pass < passes; pass++) {
            for (uint32_t y = 0; y < reader->height; y++) {
                uint8_t *row = reader->rgba + rgba_stride * (kept > 1 ? y : 0);
                read_row(reader, y, row);
                if (pass == passes - 1) ci_compose_on_white(row, reader->rgb + stride * y, reader->width);
            }
        }
    }
    find_end(reader);
}

static CIStatus guarded_read(struct reader *reader) {
    if (setjmp(png_jmpbuf(reader->png)) != 0) return reader->status;
    read_picture(reader);
    return CI_OK;
}

CIStatus ci_png_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, CIAlpha alpha, const CIControl *control, uint8_t *rgb,
    char *message) {
    struct reader reader;
    memset(&reader, 0, sizeof reader);
    reader.bytes = bytes;
    reader.count = count;
    reader.width = width;
    reader.height = height;
    reader.alpha = alpha;
    reader.control = control;
    reader.rgb = rgb;
    reader.message = message;
    reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_read_error, on_warning);
    if (reader.png != NULL) reader.info = png_create_info_struct(reader.png);
    CIStatus status;
    if (reader.info == NULL) {
        status = ci_fail(CI_ERR_MEMORY, message, "no memory for its header");
    } else {
        status = guarded_read(&reader);
    }
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    free(reader.rgba);
    return status;
}

static void give_bytes(png_structp png, png_bytep bytes, size_t count) {
    struct writer *writer = png_get_io_ptr(png);
    if (count > writer->capacity - writer->count) {
        size_t capacity = writer->capacity * 2;
        if (capacity < writer->count + count) capacity = writer->count + count;
        if (capacity < 4096) capacity = 4096;
        uint8_t *out = realloc(writer->out, capacity);
        if (out == NULL) {
            writer->status = CI_ERR_MEMORY;
            png_error(png, "no memory for the encoded picture");
        }
        writer->out = out;
        writer->capacity = capacity;
    }
    memcpy(writer->out + writer->count, bytes, count);
    writer->count += count;
}

static void nothing_to_flush(png_structp png) { (void)png; }

static void write_picture(struct writer *writer) {
    png_set_write_fn(writer->png, writer, give_bytes, nothing_to_flush);
    png_set_IHDR(
        writer->png, writer->info, writer->width, writer->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
        PNG_FILTER_TYPE_DEFAULT);
    png_write_info(writer->png, writer->info);
    for (uint32_t y = 0; y < writer->height; y++) png_write_row(writer->png, writer->rgb + (size_t)writer->width * 3 * y);
    png_write_end(writer->png, writer->info);
}

static CIStatus guarded_write(struct writer *writer) {
    if (setjmp(png_jmpbuf(writer->png)) != 0) return writer->status;
    write_picture(writer);
    return CI_OK;
}

CIStatus ci_png_encode(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **out, size_t *out_count, char *message) {
    struct writer writer;
    memset(&writer, 0, sizeof writer);
    writer.rgb = rgb;
    writer.width = width;
    writer.height = height;
    writer.message = message;
    writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, on_write_error, on_warning);
    if (writer.png != NULL) writer.info = png_create_info_struct(writer.png);
    CIStatus status;
    if (writer.info == NULL) {
        status = ci_fail(CI_ERR_MEMORY, message, "no memory for its header");
    } else {
        status = guarded_write(&writer);
    }
    png_destroy_write_struct(&writer.png, &writer.info);
    if (status != CI_OK) {
        free(writer.out);
        return status;
    }
    *out = writer.out;
    *out_count = writer.count;
    return CI_OK;
}

CIStatus ci_inflate(const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity, size_t *written, char *message) {
    if (count > UINT32_MAX || capacity > UINT32_MAX) return ci_fail(CI_ERR_ARGUMENT, message, "the buffers are too large");
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    stream.next_in = (Bytef *)bytes;
    stream.avail_in = (uInt)count;
    stream.next_out = out;
    stream.avail_out = (uInt)capacity;
    if (inflateInit(&stream) != Z_OK) return ci_fail(CI_ERR_MEMORY, message, "no memory to inflate");
    const int code = inflate(&stream, Z_FINISH);
    const size_t given = stream.total_out;
    const int full = stream.avail_out == 0;
    inflateEnd(&stream);
    if (code == Z_STREAM_END) {
        *written = given;
        return CI_OK;
    }
    if (full) return ci_fail(CI_ERR_ARGUMENT, message, "it inflates to more than is allowed");
    return ci_fail(code == Z_BUF_ERROR ? CI_ERR_TRUNCATED : CI_ERR_BROKEN, message, "it does not inflate");
}
