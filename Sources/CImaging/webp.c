#include "failure.h"

#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

static CIStatus frame_status(VP8StatusCode code, char *message) {
    switch (code) {
    case VP8_STATUS_OK:
        return CI_OK;
    case VP8_STATUS_OUT_OF_MEMORY:
        return ci_fail(CI_ERR_MEMORY, message, "no memory for its frame");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return ci_fail(CI_ERR_TRUNCATED, message, "the data of its first frame ends early");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return ci_fail(CI_ERR_UNSUPPORTED, message, "its first frame uses a feature that libwebp does not know");
    default:
        return ci_fail(CI_ERR_BROKEN, message, "its first frame does not decode");
    }
}

/// In how many steps a frame is handed to the decoder, which asks for nothing meanwhile. Few: it reads some headers anew in each.
#define STEPS 8

/// Decodes one frame into memory of the caller, in RGB or RGBA, rows `stride` bytes apart.
static CIStatus decode_frame(
    const WebPIterator *frame, WEBP_CSP_MODE mode, const CIControl *control, uint8_t *out, size_t stride, char *message) {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) return ci_fail(CI_ERR_UNSUPPORTED, message, "libwebp has another version than its header");
    config.output.colorspace = mode;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = out;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = stride * (size_t)(frame->height - 1) + (size_t)frame->width * (mode == MODE_RGB ? 3 : 4);
    WebPIDecoder *decoder = WebPIDecode(NULL, 0, &config);
    if (decoder == NULL) return ci_fail(CI_ERR_MEMORY, message, "no memory for its frame");
    VP8StatusCode code = VP8_STATUS_SUSPENDED;
    const size_t size = frame->fragment.size;
    for (size_t step = 1; step <= STEPS && code == VP8_STATUS_SUSPENDED; step++) {
        if (ci_stops(control)) {
            WebPIDelete(decoder);
            return ci_fail(CI_ERR_STOPPED, message, "it was given up");
        }
        code = WebPIUpdate(decoder, frame->fragment.bytes, step == STEPS ? size : size / STEPS * step);
    }
    WebPIDelete(decoder);
    return frame_status(code, message);
}

static CIStatus decode_canvas(
    const WebPDemuxer *demuxer, const WebPIterator *frame, uint32_t width, uint32_t height, CIAlpha alpha,
    const CIControl *control, uint8_t *rgb, char *message) {
    const int transparent = (WebPDemuxGetI(demuxer, WEBP_FF_FORMAT_FLAGS) & ALPHA_FLAG) != 0;
    const uint32_t frame_width = (uint32_t)frame->width, frame_height = (uint32_t)frame->height;
    const int whole = frame->x_offset == 0 && frame->y_offset == 0 && frame_width == width && frame_height == height;
    if (frame->x_offset < 0 || frame->y_offset < 0 || frame->width <= 0 || frame->height <= 0 ||
        (uint32_t)frame->x_offset + frame_width > width || (uint32_t)frame->y_offset + frame_height > height) {
        return ci_fail(CI_ERR_BROKEN, message, "its first frame lies outside of its canvas");
    }
    if (whole && (!transparent || alpha == CI_ALPHA_DROPPED)) return decode_frame(frame, MODE_RGB, control, rgb, (size_t)width * 3, message);

    const size_t stride = (size_t)width * 4;
    uint8_t *canvas = calloc(height, stride);
    if (canvas == NULL) return ci_fail(CI_ERR_MEMORY, message, "no memory for its canvas");
    uint8_t *corner = canvas + stride * (size_t)frame->y_offset + 4 * (size_t)frame->x_offset;
    const CIStatus status = decode_frame(frame, MODE_RGBA, control, corner, stride, message);
    if (status == CI_OK) {
        const size_t pixels = (size_t)width * height;
        if (transparent && alpha == CI_ALPHA_ON_WHITE) {
            ci_compose_on_white(canvas, rgb, pixels);
        } else {
            ci_drop_alpha(canvas, rgb, pixels);
        }
    }
    free(canvas);
    return status;
}

CIStatus ci_webp_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, CIAlpha alpha, const CIControl *control, uint8_t *rgb,
    char *message) {
    const WebPData data = {bytes, count};
    WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
    WebPDemuxer *demuxer = WebPDemuxPartial(&data, &state);
    if (demuxer == NULL || state != WEBP_DEMUX_DONE) {
        WebPDemuxDelete(demuxer);
        return state == WEBP_DEMUX_PARSE_ERROR ? ci_fail(CI_ERR_BROKEN, message, "its chunks do not fit together")
                                               : ci_fail(CI_ERR_TRUNCATED, message, "the data ends early");
    }
    CIStatus status;
    WebPIterator frame;
    memset(&frame, 0, sizeof frame);
    if (WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH) != width || WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT) != height) {
        status = ci_fail(CI_ERR_ARGUMENT, message, "its header gives another size");
    } else if (!WebPDemuxGetFrame(demuxer, 1, &frame)) {
        status = ci_fail(CI_ERR_BROKEN, message, "it has no frame");
    } else {
        status = decode_canvas(demuxer, &frame, width, height, alpha, control, rgb, message);
    }
    WebPDemuxReleaseIterator(&frame);
    WebPDemuxDelete(demuxer);
    return status;
}
