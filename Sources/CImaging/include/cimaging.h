#pragma once

/// The C shim of Imaging: JPEG, PNG and WebP through libjpeg-turbo, libpng and libwebp; TIFF, HEIC and AVIF through libtiff and libheif, which are loaded
/// when they are first asked for; and the inner loops of the resampler.
///
/// Every function that can fail returns a `CIStatus` and, on failure, writes one clause without a full stop to `message`
/// (`CI_MESSAGE_SIZE` bytes, always terminated). Results that are handed out by pointer are untouched on failure; a pixel buffer that the
/// caller lent may then be partly written and means nothing. Nothing but loaded libraries is kept between calls, so any thread may call anything at any time.
/// Nobody but the caller owns memory after a call, with one exception: what an encoder hands out is freed with `ci_free`.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CI_MESSAGE_SIZE 256

typedef enum CIStatus {
    CI_OK = 0,
    /// The data ends before the picture does.
    CI_ERR_TRUNCATED = 1,
    /// The data contradicts its format.
    CI_ERR_BROKEN = 2,
    /// The data is valid, but of a kind the library does not decode.
    CI_ERR_UNSUPPORTED = 3,
    CI_ERR_MEMORY = 4,
    /// The caller's width, height or scale is not what the data says.
    CI_ERR_ARGUMENT = 5,
    /// The decode would cost more than its control allows.
    CI_ERR_WORK = 6,
    /// The control's `stops` said so.
    CI_ERR_STOPPED = 7,
    /// A library that is loaded when asked for is not there (the message is empty), or lacks a function (the message says which).
    CI_ERR_LIBRARY = 8,
    /// The library is there, but without a decoder for this codec.
    CI_ERR_DECODER = 9,
} CIStatus;

/// A JPEG with more scans is refused: each costs a pass over the whole picture. Real ones have about ten, the most seen is 20.
#define CI_MAX_SCANS 100

/// What a decode may cost, and who may end it.
typedef struct CIControl {
    /// How many samples may be passed over; the samples of a JPEG count once for each scan that they are in.
    uint64_t work;
    /// Asked every few rows on the thread that decodes; anything but 0 ends the decode. May be null.
    int (*stops)(void *context);
    void *context;
} CIControl;

/// What becomes of transparency.
typedef enum CIAlpha {
    /// c·α + 255·(1 − α), rounded to nearest.
    CI_ALPHA_ON_WHITE = 0,
    /// The colour that is stored under the alpha channel.
    CI_ALPHA_DROPPED = 1,
} CIAlpha;

/// Decodes a JPEG of 1, 3 or 4 components to RGB8. `denominator` is 1, 2, 4 or 8: the picture is decoded at 1/denominator of its size, each side
/// rounded up. `width` and `height` are the sizes of the *result* as the caller computed them; `rgb` takes width·height·3 bytes.
/// Four components are taken as inverted CMYK, as Adobe writes them and Pillow reads them.
CIStatus ci_jpeg_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, uint32_t denominator, const CIControl *control, uint8_t *rgb,
    char *message);

/// Decodes a PNG of any kind to RGB8: of 16-bit samples the high byte, gray repeated, palettes looked up. `rgb` takes width·height·3 bytes.
/// Data behind the last row are inflated as far as 64 KiB of them and a row more go; beyond that the decode fails with CI_ERR_WORK.
CIStatus ci_png_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, CIAlpha alpha, const CIControl *control, uint8_t *rgb,
    char *message);

/// Decodes a WebP, of an animation its first frame on a transparent canvas, to RGB8. `rgb` takes width·height·3 bytes.
CIStatus ci_webp_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, CIAlpha alpha, const CIControl *control, uint8_t *rgb,
    char *message);

/// Libraries that are loaded and not linked.
typedef enum CILibrary {
    CI_LIBRARY_TIFF = 0,
    CI_LIBRARY_HEIF = 1,
} CILibrary;

/// Loads a library where no call has tried before; every later call gives the same answer: CI_OK or CI_ERR_LIBRARY.
CIStatus ci_library_load(CILibrary library, char *message);

/// Decodes the first picture of a TIFF in gray, a palette, RGB, CMYK, or a JPEG's YCbCr, in strips or tiles, of samples of 1, 2, 4, 8 or 16 bits, as it
/// lies in the file: it is not turned. `alpha_sample` says which sample is alpha, below 0 that none is: libtiff does not tell what stood in the file from
/// what it assumes. `memory` is what its header lets expect beside `rgb`, which takes width·height·3 bytes.
CIStatus ci_tiff_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, int alpha_sample, int is_premultiplied, CIAlpha alpha,
    uint64_t memory, const CIControl *control, uint8_t *rgb, char *message);

typedef enum CICodec {
    CI_CODEC_HEVC = 0,
    CI_CODEC_AV1 = 1,
} CICodec;

/// Decodes the primary picture of a HEIF file, turned, mirrored and cropped as the file says, to RGB8. `width` and `height` are the sizes after that.
/// `has_alpha` says whether the header names a layer of alpha, of that size; `largest_area` is the number of pixels of the largest frame that a codec may make, `memory` what its header lets expect beside `rgb`, which takes
/// width·height·3 bytes. libheif starts no thread; the codec takes one where it can be told (`ci_heif_counts_threads`).
CIStatus ci_heif_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, CICodec codec, int has_alpha, CIAlpha alpha, uint64_t largest_area,
    uint64_t memory, const CIControl *control, uint8_t *rgb, char *message);

/// Whether libheif can be loaded and has a decoder for a codec.
int ci_heif_has_decoder(CICodec codec);

/// Whether the libheif that is loaded tells a codec how many threads to take (since 1.21). Before, dav1d takes one for each core, libde265 one.
int ci_heif_counts_threads(void);

/// Inflates a zlib stream into `out`, which holds `capacity` bytes; `*written` becomes the number of bytes it gave.
/// A stream that would give more fails with CI_ERR_ARGUMENT: no more than `capacity` bytes are ever inflated.
CIStatus ci_inflate(const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity, size_t *written, char *message);

/// Encodes RGB8 as a baseline JPEG, 4:2:0, quality 1...100. `*out` becomes `*out_count` bytes owned by the caller (`ci_free`).
CIStatus ci_jpeg_encode(const uint8_t *rgb, uint32_t width, uint32_t height, int quality, uint8_t **out, size_t *out_count, char *message);

/// Encodes RGB8 as an 8-bit truecolour PNG. `*out` becomes `*out_count` bytes owned by the caller (`ci_free`).
CIStatus ci_png_encode(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **out, size_t *out_count, char *message);

/// Frees what an encoder handed out; a null pointer is allowed.
void ci_free(void *pointer);

/// The weights of one axis of a resampling, for `count` outputs. Output i is the sum over t in 0..<taps of input[first[i] + t] · w[i·taps + t],
/// where the weight w = high·2^15 + low is a fixed-point number with 22 bits after the point. `taps` is a multiple of 4; weights past
/// what an output needs are zero, and the inputs under them are never used for anything.
typedef struct CIWeights {
    const int32_t *first;
    /// How many weights of each output count; the others are the zero padding. 1...taps.
    const int32_t *used;
    /// 0 ... 2^15 − 1
    const int16_t *low;
    const int16_t *high;
    size_t count;
    size_t taps;
} CIWeights;

/// Which implementation the resampler runs. CI_KERNEL_BEST asks the processor.
typedef enum CIKernel {
    CI_KERNEL_BEST = 0,
    CI_KERNEL_PLAIN = 1,
} CIKernel;

/// Resamples `rows` rows of RGB8 along x. `in` is the first byte of the first row, `in_stride` the bytes from row to row and `in_count` the bytes that
/// may be read from `in` on. `out` takes rows · weights->count · 3 bytes. Sums are rounded to nearest and clamped to 0...255.
void ci_resample_horizontally(
    const uint8_t *in, size_t in_count, size_t in_stride, size_t rows, const CIWeights *weights, uint8_t *out, CIKernel kernel);

/// Resamples rows of `row_bytes` bytes along y; `in` is row 0 of the weights, `in_stride` the bytes from row to row. `out` takes weights->count · row_bytes bytes.
void ci_resample_vertically(const uint8_t *in, size_t in_stride, size_t row_bytes, const CIWeights *weights, uint8_t *out, CIKernel kernel);

#ifdef __cplusplus
}
#endif
