// Attention's backward pass, what does not depend on how products are computed. Included behind the header of the tiles.
#pragma once

#include "common/rotary_norm.cuh"

// The head that a block works on, and the rows of it that the block owns.
struct head_place {
    int64 stride;      // elements from row to row of qkv
    int64 first_row;   // the sample's
    int64 statistics;  // where the head begins in log_sum_exp and delta
    int64 block;       // the block's row of weight_partial
    int first;         // the first token that the block owns
    int width;

    __device__ __forceinline__ head_place(int tokens, int heads) {
        const int64 head = static_cast<int64>(blockIdx.z) * heads + blockIdx.y;
        width = heads * HEAD_SIZE;
        stride = 3 * static_cast<int64>(width);
        first_row = static_cast<int64>(blockIdx.z) * tokens;
        statistics = head * tokens;
        block = head * gridDim.x + blockIdx.x;
        first = blockIdx.x * tile_rows;
    }
};

// delta (B, heads, N) = sum over channels of dy y, both (B, N, heads HEAD_SIZE). Four lanes a row: block (128), grid (heads, ceil(N / 32), B).
template <typename T>
__device__ __forceinline__ void sum_products(const T* gradient, const T* output, float* delta, int tokens, int heads) {
    constexpr int piece = HEAD_SIZE % pack_of<T>::widest == 0 ? pack_of<T>::widest : 4;
    const int token = blockIdx.y * 32 + threadIdx.x / 4;
    const int64 sample = blockIdx.z, row = ((sample * tokens + token) * heads + blockIdx.x) * HEAD_SIZE;
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < (HEAD_SIZE + 4 * piece - 1) / (4 * piece); i++) {
        const int channel = (i * 4 + threadIdx.x % 4) * piece;
        if (token < tokens && channel < HEAD_SIZE) {
            float dy[piece], y[piece];
            load_pack<piece>(gradient + row + channel, dy);
            load_pack<piece>(output + row + channel, y);
#pragma unroll
            for (int j = 0; j < piece; j++) {
                sum = fmaf(dy[j], y[j], sum);
            }
        }
    }
    sum += __shfl_xor_sync(full_warp, sum, 1);
    sum += __shfl_xor_sync(full_warp, sum, 2);
    if (token < tokens && threadIdx.x % 4 == 0) {
        delta[(sample * heads + blockIdx.x) * tokens + token] = sum;
    }
}

constexpr int weights_threads = 1024;

// weight_gradient (HEAD_SIZE) += the sum of partial (blocks, HEAD_SIZE) over blocks; nothing where it is null. Eight columns a block: block (1024), grid
// (ceil(HEAD_SIZE / 8), ...). Thread t adds rows t / 8, t / 8 + 128, ... in four sums, so that four loads are under way; then a warp's four threads of a
// column are added, then the warps' sums in order.
__device__ __forceinline__ void sum_partials(const float* partial, float* weight_gradient, int64 blocks) {
    constexpr int rows = weights_threads / 8, warps = weights_threads / warp_size, abreast = 4;
    __shared__ float sums[warps * 8];
    if (weight_gradient == nullptr) {
        return;
    }
    const int column = blockIdx.x * 8 + threadIdx.x % 8;
    float own[abreast] = {};
    if (column < HEAD_SIZE) {
        const float* const source = partial + column;
        int64 block = threadIdx.x / 8;
        for (; block + (abreast - 1) * rows < blocks; block += abreast * rows) {
#pragma unroll
            for (int i = 0; i < abreast; i++) {
                own[i] += source[(block + i * rows) * HEAD_SIZE];
            }
        }
        for (; block < blocks; block += rows) {
            own[0] += source[block * HEAD_SIZE];
        }
    }
    float sum = (own[0] + own[1]) + (own[2] + own[3]);
    sum += __shfl_xor_sync(full_warp, sum, 8);
    sum += __shfl_xor_sync(full_warp, sum, 16);
    if (threadIdx.x % warp_size < 8) {
        sums[threadIdx.x / warp_size * 8 + threadIdx.x % 8] = sum;
    }
    __syncthreads();
    if (threadIdx.x < 8 && column < HEAD_SIZE) {
        float total = 0.0f;
        for (int i = 0; i < warps; i++) {
            total += sums[i * 8 + threadIdx.x];
        }
        weight_gradient[column] += total;
    }
}
