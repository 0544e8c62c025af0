// Standard normal numbers by Box and Muller, from two words a pair. Logarithm, sine and cosine are written out in IEEE additions,
// products, quotients, roots and fused multiply-adds, each rounded to nearest, so that a processor computes the same bits.
// Errors of logarithm, sine and cosine stay within 2 units in the last place.
#pragma once

#include "common/types.cuh"

// ln(x) for normal x in (0, 1]. With x = 2^e m, m in [sqrt(1/2), sqrt(2)), s = (m - 1)/(m + 1):
// ln(x) = e ln 2 + 2 s (1 + s^2/3 + s^4/5 + ...).
__device__ __forceinline__ float exact_logarithm(float x) {
    const uint32 bits = __float_as_uint(x) - 0x3f3504f3u;
    const float exponent = static_cast<float>(static_cast<int32>(bits) >> 23);
    const float m = __uint_as_float((bits & 0x007fffffu) + 0x3f3504f3u);
    const float s = __fdiv_rn(__fadd_rn(m, -1.0f), __fadd_rn(m, 1.0f));
    const float z = __fmul_rn(s, s);
    float series = __fmaf_rn(z, 0.09090909f, 0.11111111f);
    series = __fmaf_rn(z, series, 0.14285715f);
    series = __fmaf_rn(z, series, 0.2f);
    series = __fmaf_rn(z, series, 0.33333334f);
    const float twice = __fadd_rn(s, s);
    const float logarithm = __fmaf_rn(__fmul_rn(twice, z), series, twice);
    return __fmaf_rn(exponent, 0.693145752f, __fmaf_rn(exponent, 1.42860677e-6f, logarithm));
}

// (cos, sin) of 2 pi turn, turn in [0, 1) with at most 24 fraction bits: the quadrant and the rest are exact.
__device__ __forceinline__ float2 exact_cosine_sine(float turn) {
    const float quarters = __fmul_rn(turn, 4.0f);
    const int32 quadrant = static_cast<int32>(__fadd_rn(quarters, 0.5f));
    const float angle = __fmul_rn(__fadd_rn(quarters, -static_cast<float>(quadrant)), 1.57079637f);
    const float z = __fmul_rn(angle, angle);
    float sine = __fmaf_rn(z, -1.95152959e-4f, 8.33216087e-3f);
    sine = __fmaf_rn(z, sine, -0.166666546f);
    sine = __fmaf_rn(__fmul_rn(z, angle), sine, angle);
    float cosine = __fmaf_rn(z, 2.44331571e-5f, -1.38873162e-3f);
    cosine = __fmaf_rn(z, cosine, 4.16666457e-2f);
    cosine = __fmaf_rn(__fmul_rn(z, z), cosine, __fmaf_rn(z, -0.5f, 1.0f));
    const float first = (quadrant & 1) == 0 ? cosine : sine;
    const float second = (quadrant & 1) == 0 ? sine : cosine;
    return make_float2(((quadrant + 1) & 2) == 0 ? first : -first, (quadrant & 2) == 0 ? second : -second);
}

// Two independent standard normal numbers. The first word gives the radius from (0, 1], the second the angle.
__device__ __forceinline__ float2 normal_pair(uint32 radius_word, uint32 angle_word) {
    const float uniform = __fmul_rn(static_cast<float>((radius_word >> 8) + 1), 0x1p-24f);
    const float radius = __fsqrt_rn(__fmul_rn(-2.0f, exact_logarithm(uniform)));
    const float2 direction = exact_cosine_sine(__fmul_rn(static_cast<float>(angle_word >> 8), 0x1p-24f));
    return make_float2(__fmul_rn(radius, direction.x), __fmul_rn(radius, direction.y));
}
