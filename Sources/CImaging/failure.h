#pragma once

#include "cimaging.h"

#include <stdio.h>

/// Writes `text`, cut to fit, to the caller's message and gives back the status, so that a failure is one expression.
static inline CIStatus ci_fail(CIStatus status, char *message, const char *text) {
    snprintf(message, CI_MESSAGE_SIZE, "%s", text);
    return status;
}

/// Whether whoever asked for the picture has given it up.
static inline int ci_stops(const CIControl *control) { return control->stops != NULL && control->stops(control->context); }

/// Composes one row of RGBA on white: (c·α + 255·(255 − α)) / 255, rounded to nearest, which is what Pillow's paste and alpha_composite give.
static inline void ci_compose_on_white(const uint8_t *rgba, uint8_t *rgb, size_t pixels) {
    for (size_t i = 0; i < pixels; i++) {
        const uint32_t alpha = rgba[4 * i + 3];
        for (size_t c = 0; c < 3; c++) {
            const uint32_t sum = rgba[4 * i + c] * alpha + 255 * (255 - alpha) + 128;
            rgb[3 * i + c] = (uint8_t)((sum + (sum >> 8)) >> 8);
        }
    }
}

static inline void ci_drop_alpha(const uint8_t *rgba, uint8_t *rgb, size_t pixels) {
    for (size_t i = 0; i < pixels; i++) {
        rgb[3 * i] = rgba[4 * i];
        rgb[3 * i + 1] = rgba[4 * i + 1];
        rgb[3 * i + 2] = rgba[4 * i + 2];
    }
}

/// Pillow's conversion of inverted CMYK: each ink darkens what black left over, products rounded to nearest.
static inline void ci_inverted_cmyk_to_rgb(const uint8_t *cmyk, uint8_t *rgb, size_t pixels) {
    for (size_t i = 0; i < pixels; i++) {
        const uint32_t left = cmyk[4 * i + 3];
        for (size_t c = 0; c < 3; c++) {
            const uint32_t product = (255u - cmyk[4 * i + c]) * left + 128;
            const int32_t value = (int32_t)left - (int32_t)((product + (product >> 8)) >> 8);
            rgb[3 * i + c] = value < 0 ? 0 : (uint8_t)value;
        }
    }
}
