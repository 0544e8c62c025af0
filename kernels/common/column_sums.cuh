// Sums over rows, column by column, in blocks of 32 x 8 threads: threadIdx.x is a pack of COUNT neighbouring columns, threadIdx.y every
// eighth row. Sums are float32, by rising row in each thread and by rising threadIdx.y after: the same launch gives the same bits.
#pragma once

#include "common/packs.cuh"

constexpr int sum_lanes = 32;
constexpr int sum_rows = 8;

// Floats of shared memory that store_block_sums needs for packs of COUNT.
template <int COUNT>
constexpr int sum_scratch = sum_rows * COUNT * (sum_lanes + sum_lanes / COUNT);

// Adds what the threads of a column have summed and stores it to target, of `width` columns of which this block's first is first_column.
// All threads of the block must call; `scratch` may be used again at once. Element i of pack x lies at i (32 + 32 / COUNT) + x, so that
// neither packs nor columns side by side meet in a bank.
template <int COUNT>
__device__ __forceinline__ void store_block_sums(const float (&sums)[COUNT], float* target, int first_column, int width, float* scratch) {
    constexpr int stride = sum_lanes + sum_lanes / COUNT;
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        scratch[(threadIdx.y * COUNT + i) * stride + threadIdx.x] = sums[i];
    }
    __syncthreads();
    const int column = threadIdx.y * sum_lanes + threadIdx.x;
    if (column < sum_lanes * COUNT && first_column + column < width) {
        const float* own = scratch + column % COUNT * stride + column / COUNT;
        float sum = own[0];
#pragma unroll
        for (int row = 1; row < sum_rows; row++) {
            sum += own[row * COUNT * stride];
        }
        target[first_column + column] = sum;
    }
    __syncthreads();
}

// The sum of a column over `chunks` rows of `stride` floats, each four independent partial sums: chunk c goes to sum c % 4.
__device__ __forceinline__ float add_chunks(const float* partial, int64 stride, int chunks) {
    float sums[4] = {};
    int chunk = 0;
    for (; chunk + 4 <= chunks; chunk += 4) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            sums[i] += partial[(chunk + i) * stride];
        }
    }
    for (; chunk < chunks; chunk++) {
        sums[0] += partial[chunk * stride];
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Stores to a tensor of ELEMENT or float, or adds to it.
__device__ __forceinline__ void leave_element(void* tensor, int64 place, float value, bool is_float, bool accumulate) {
    if (is_float) {
        float* target = static_cast<float*>(tensor) + place;
        *target = accumulate ? *target + value : value;
    } else {
        ELEMENT* target = static_cast<ELEMENT*>(tensor) + place;
        *target = from_float<ELEMENT>(accumulate ? to_float(*target) + value : value);
    }
}
