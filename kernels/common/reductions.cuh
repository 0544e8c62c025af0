// Sums over a warp, and over the threads of a row that spans several warps of a block. The order of the additions depends on the
// number of threads alone, so the same launch gives the same bits.
#pragma once

#include "common/types.cuh"

constexpr int warp_size = 32;
constexpr uint32 full_warp = 0xffffffffu;

// Every lane gets the sum over the warp. All 32 lanes must take part.
__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
    for (int distance = warp_size / 2; distance > 0; distance /= 2) {
        value += __shfl_xor_sync(full_warp, value, distance);
    }
    return value;
}

// Every thread gets the sum over the threads with its threadIdx.y. blockDim.x must be a multiple of 32 and all threads of the block must call; `scratch` is
// shared memory for a value of each warp, and may be written again only behind a barrier that follows, such as that of a sum in other scratch.
__device__ __forceinline__ float row_sum(float value, float* scratch) {
    value = warp_sum(value);
    const int warps = blockDim.x / warp_size;
    if (warps == 1) {
        return value;
    }
    float* row = scratch + threadIdx.y * warps;
    if (threadIdx.x % warp_size == 0) {
        row[threadIdx.x / warp_size] = value;
    }
    __syncthreads();
    float total = 0.0f;
    for (int warp = 0; warp < warps; warp++) {
        total += row[warp];
    }
    return total;
}

// Two sums at once, of values side by side.
__device__ __forceinline__ float2 row_sum(float2 values, float2* scratch) {
    values = make_float2(warp_sum(values.x), warp_sum(values.y));
    const int warps = blockDim.x / warp_size;
    if (warps == 1) {
        return values;
    }
    float2* row = scratch + threadIdx.y * warps;
    if (threadIdx.x % warp_size == 0) {
        row[threadIdx.x / warp_size] = values;
    }
    __syncthreads();
    float2 total = make_float2(0.0f, 0.0f);
    for (int warp = 0; warp < warps; warp++) {
        total.x += row[warp].x;
        total.y += row[warp].y;
    }
    return total;
}

// Thread 0 gets the sum of an array in float64, by one block of 256 threads; `scratch` is shared memory for as many numbers.
__device__ __forceinline__ double block_sum(const float* __restrict__ values, int count, double* scratch) {
    double sum = 0.0;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        sum += static_cast<double>(values[i]);
    }
    scratch[threadIdx.x] = sum;
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        __syncthreads();
        if (static_cast<int>(threadIdx.x) < half) {
            scratch[threadIdx.x] += scratch[threadIdx.x + half];
        }
    }
    return scratch[threadIdx.x];
}
