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

// Every thread gets the sums of two values over the threads with its threadIdx.y. blockDim.x must be a multiple of 32 and all threads of
// the block must call; `scratch` is shared memory for two values of each warp and may be used again at once.
__device__ __forceinline__ float2 row_sums(float first, float second, float2* scratch) {
    first = warp_sum(first);
    second = warp_sum(second);
    const int warps = blockDim.x / warp_size;
    if (warps == 1) {
        return make_float2(first, second);
    }
    float2* row = scratch + threadIdx.y * warps;
    if (threadIdx.x % warp_size == 0) {
        row[threadIdx.x / warp_size] = make_float2(first, second);
    }
    __syncthreads();
    float2 total = make_float2(0.0f, 0.0f);
    for (int warp = 0; warp < warps; warp++) {
        total.x += row[warp].x;
        total.y += row[warp].y;
    }
    __syncthreads();
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
