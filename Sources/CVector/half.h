/// Float16 in software, for the portable level and for what is left behind the last whole block.
#pragma once

#include <bit>
#include <cstdint>

namespace cvector {

/// Without branches, so that the compiler may take several at once.
inline float floatOfHalf(uint16_t half) {
    uint32_t sign = uint32_t(half & 0x8000) << 16, rest = half & 0x7FFF;
    // The exponent's bias differs by 112. Multiplying moves it, and makes normal numbers of the subnormal ones.
    uint32_t finite = std::bit_cast<uint32_t>(std::bit_cast<float>(rest << 13) * 0x1p112f);
    // Infinite, or NaN, which becomes a quiet one as the processors make it.
    uint32_t special = 0x7F800000 | rest << 13 | (rest > 0x7C00 ? 0x00400000u : 0u);
    return std::bit_cast<float>(sign | (rest >= 0x7C00 ? special : finite));
}

/// To nearest, ties to even.
inline uint16_t halfOfFloat(float value) {
    uint32_t bits = std::bit_cast<uint32_t>(value), sign = bits >> 16 & 0x8000, rest = bits & 0x7FFFFFFF;
    if (rest > 0x7F800000) return uint16_t(sign | 0x7E00 | (rest >> 13 & 0x1FF));
    // 65,520, halfway between the largest float16 and the next power of two, which is even.
    if (rest >= 0x477FF000) return uint16_t(sign | 0x7C00);
    if (rest < 0x38800000) {
        // Subnormal: 0.5 has the unit of float16's smallest number as its last bit, and the addition rounds to it.
        float sum = std::bit_cast<float>(rest) + 0.5f;
        return uint16_t(sign | (std::bit_cast<uint32_t>(sum) - std::bit_cast<uint32_t>(0.5f)));
    }
    uint32_t isOdd = rest >> 13 & 1;
    return uint16_t(sign | ((rest + 0xFFF + isOdd - (112u << 23)) >> 13));
}

} // namespace cvector
