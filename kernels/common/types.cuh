// Element types and their conversions. Everything is computed in float32; ELEMENT only says how tensors are stored.
// bfloat16 is the upper half of a float32: 8 exponent bits, 7 fraction bits; rounding is to nearest, ties to even.
#pragma once

using int32 = int;
using int64 = long long;
using uint16 = unsigned short;
using uint32 = unsigned int;
using uint64 = unsigned long long;

struct bfloat16 {
    uint16 bits;
};

__device__ __forceinline__ float to_float(float value) { return value; }

__device__ __forceinline__ float to_float(bfloat16 value) { return __uint_as_float(static_cast<uint32>(value.bits) << 16); }

template <typename T>
__device__ __forceinline__ T from_float(float value);

template <>
__device__ __forceinline__ float from_float<float>(float value) { return value; }

template <>
__device__ __forceinline__ bfloat16 from_float<bfloat16>(float value) {
    bfloat16 result;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
}

// Two floats as neighbouring bfloat16, rounded to nearest even.
__device__ __forceinline__ uint32 pack_bfloat16(float low, float high) {
    uint32 packed;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
    return packed;
}

__device__ __forceinline__ float2 unpack_bfloat16(uint32 packed) {
    return make_float2(__uint_as_float(packed << 16), __uint_as_float(packed & 0xffff0000u));
}
