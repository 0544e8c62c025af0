// Elementwise operations on arrays of `count` elements stored as ELEMENT (float or bfloat16), computed in float32.
//   elements_add     output = left + right; the output may be one of the two                                overwritten
//   elements_narrow  output = input, which is float32, rounded to nearest, ties to even                     overwritten
//   elements_widen   output, which is float32, = input                                                      overwritten or added to
//   silu_forward     y = x / (1 + e^-x)                                                                     overwritten
//   silu_backward    dx = dy s (1 + x (1 - s)), s = 1 / (1 + e^-x)                                          overwritten or added to
// Each input is read once and each output written once, 16 bytes a thread; elements_widen reads what becomes 16 bytes.
// Launch: one-dimensional, threads in all at least ceil(count / (16 / sizeof(ELEMENT))), of elements_widen ceil(count / 4). Arrays start at multiples of 16 bytes.

#include "common/activations.cuh"
#include "common/elements.cuh"

#ifndef ELEMENT
#define ELEMENT float
#endif

constexpr int widest = pack_of<ELEMENT>::widest;

template <int COUNT>
__device__ __forceinline__ void add(const ELEMENT* left, const ELEMENT* right, ELEMENT* output) {
    float sum[COUNT], term[COUNT];
    load_pack<COUNT>(left, sum);
    load_pack<COUNT>(right, term);
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        sum[i] += term[i];
    }
    store_pack<COUNT>(output, sum);
}

extern "C" __global__ void __launch_bounds__(256) elements_add(const ELEMENT* left, const ELEMENT* right, ELEMENT* output, int64 count) {
    for_elements<widest>(
        count, [=](int64 at) { add<widest>(left + at, right + at, output + at); }, [=](int64 at) { add<1>(left + at, right + at, output + at); });
}

template <int COUNT>
__device__ __forceinline__ void narrow(const float* __restrict__ input, ELEMENT* __restrict__ output) {
    float values[COUNT];
    load_pack<COUNT>(input, values);
    store_pack<COUNT>(output, values);
}

extern "C" __global__ void __launch_bounds__(256) elements_narrow(const float* __restrict__ input, ELEMENT* __restrict__ output, int64 count) {
    for_elements<widest>(count, [=](int64 at) { narrow<widest>(input + at, output + at); }, [=](int64 at) { narrow<1>(input + at, output + at); });
}

template <int COUNT>
__device__ __forceinline__ void widen(const ELEMENT* __restrict__ input, float* __restrict__ output, bool accumulate) {
    float values[COUNT];
    load_pack<COUNT>(input, values);
    contribute<COUNT>(output, values, accumulate);
}

// Packs of four: a warp's accesses to the wider array then lie side by side.
extern "C" __global__ void __launch_bounds__(256) elements_widen(const ELEMENT* __restrict__ input, float* __restrict__ output, int64 count, int accumulate) {
    for_elements<4>(
        count, [=](int64 at) { widen<4>(input + at, output + at, accumulate != 0); }, [=](int64 at) { widen<1>(input + at, output + at, accumulate != 0); });
}

template <int COUNT>
__device__ __forceinline__ void activate(const ELEMENT* __restrict__ input, ELEMENT* __restrict__ output) {
    float values[COUNT];
    load_pack<COUNT>(input, values);
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        values[i] = silu(values[i]);
    }
    store_pack<COUNT>(output, values);
}

extern "C" __global__ void __launch_bounds__(256) silu_forward(const ELEMENT* __restrict__ input, ELEMENT* __restrict__ output, int64 count) {
    for_elements<widest>(count, [=](int64 at) { activate<widest>(input + at, output + at); }, [=](int64 at) { activate<1>(input + at, output + at); });
}

template <int COUNT>
__device__ __forceinline__ void differentiate_silu(
    const ELEMENT* __restrict__ gradient, const ELEMENT* __restrict__ input, ELEMENT* __restrict__ input_gradient, bool accumulate) {
    float values[COUNT], upstream[COUNT];
    load_pack<COUNT>(input, values);
    load_pack<COUNT>(gradient, upstream);
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        values[i] = upstream[i] * silu_derivative(values[i]);
    }
    contribute<COUNT>(input_gradient, values, accumulate);
}

extern "C" __global__ void __launch_bounds__(256) silu_backward(
    const ELEMENT* __restrict__ gradient, const ELEMENT* __restrict__ input, ELEMENT* __restrict__ input_gradient, int64 count, int accumulate) {
    for_elements<widest>(
        count,
        [=](int64 at) { differentiate_silu<widest>(gradient + at, input + at, input_gradient + at, accumulate != 0); },
        [=](int64 at) { differentiate_silu<1>(gradient + at, input + at, input_gradient + at, accumulate != 0); });
}
