// Attention in float32, what its passes share: tiles of rows of one head in shared memory and their products on CUDA cores.
// A block has 256 threads, 16 x 16 over a tile: a thread has rows across() below, columns along() beside, each 16 apart, so that every operand
// read from shared memory is used several times. Tiles are of chunks of 4 channels (16 bytes), swizzled. HEAD_SIZE is a multiple of 4.
#pragma once

#include "common/rotary_norm.cuh"
#include "common/tensor_core.cuh"

constexpr int threads = 256;
constexpr int tile_rows = HEAD_SIZE <= 80 ? 64 : 32;
constexpr int patch = tile_rows / 16;  // rows, and columns of scores, of a thread
constexpr int chunks = row_chunks<float>;
constexpr int tile_elements = tile_rows * HEAD_SIZE;
constexpr int score_chunks = tile_rows / 4;
constexpr int channels = (HEAD_SIZE + 15) / 16;  // of a thread, 16 apart; the last may lie beyond the head

__device__ __forceinline__ float infinity() { return __uint_as_float(0x7f800000u); }

// Of the 16 lanes that share a row, and of the two rows of a warp: four apart, so that neither meets the other in a bank.
__device__ __forceinline__ int along() { return threadIdx.x % 16; }

__device__ __forceinline__ int across() { return threadIdx.x / warp_size % 4 + threadIdx.x / 16 % 2 * 4 + threadIdx.x / 128 * 8; }

// Sum or maximum over the 16 lanes that share a row; all get it.
template <typename Combine>
__device__ __forceinline__ float row_reduce(float value, Combine combine) {
#pragma unroll
    for (int distance = 8; distance > 0; distance /= 2) {
        value = combine(value, __shfl_xor_sync(full_warp, value, distance));
    }
    return value;
}

// Starts copying a tile of rows, `stride` elements apart; zeros from row `count` on.
__device__ __forceinline__ void copy_rows(float* tile, const float* rows, int64 stride, int count) {
    for (int place = threadIdx.x; place < tile_rows * chunks; place += threads) {
        const int row = place / chunks, chunk = place % chunks;
        copy_async<16>(
            shared_address(tile + swizzled_chunk<chunks>(row, chunk) * 4), row < count ? rows + row * stride + chunk * 4 : rows, row < count);
    }
}

__device__ __forceinline__ void store_rows(float* rows, int64 stride, int count, const float* tile) {
    for (int place = threadIdx.x; place < tile_rows * chunks; place += threads) {
        const int row = place / chunks, chunk = place % chunks;
        if (row < count) {
            *reinterpret_cast<float4*>(rows + row * stride + chunk * 4) =
                *reinterpret_cast<const float4*>(tile + swizzled_chunk<chunks>(row, chunk) * 4);
        }
    }
}

// Normalises and turns a tile's rows: 16 rows a warp, as many warps as there are rows.
__device__ __forceinline__ void rotate_rows(float* tile, int position, const rotary_norm& by) {
    if (thread_row() < tile_rows) {
        rotate_row(tile, thread_row(), position, by);
    }
}

// scores = rows times columns transposed, both tiles of the head's channels.
__device__ __forceinline__ void multiply_rows(float (&scores)[patch][patch], const float* rows, const float* columns) {
#pragma unroll
    for (int i = 0; i < patch; i++) {
#pragma unroll
        for (int j = 0; j < patch; j++) {
            scores[i][j] = 0.0f;
        }
    }
#pragma unroll 2
    for (int chunk = 0; chunk < chunks; chunk++) {
        float a[patch][4], b[patch][4];
#pragma unroll
        for (int i = 0; i < patch; i++) {
            load_pack<4>(rows + swizzled_chunk<chunks>(across() + i * 16, chunk) * 4, a[i]);
            load_pack<4>(columns + swizzled_chunk<chunks>(along() + i * 16, chunk) * 4, b[i]);
        }
#pragma unroll
        for (int k = 0; k < 4; k++) {
#pragma unroll
            for (int i = 0; i < patch; i++) {
#pragma unroll
                for (int j = 0; j < patch; j++) {
                    scores[i][j] = fmaf(a[i][k], b[j][k], scores[i][j]);
                }
            }
        }
    }
}

__device__ __forceinline__ void store_scores(float* tile, const float (&scores)[patch][patch]) {
#pragma unroll
    for (int i = 0; i < patch; i++) {
#pragma unroll
        for (int j = 0; j < patch; j++) {
            const int column = along() + j * 16;
            tile[swizzled_chunk<score_chunks>(across() + i * 16, column / 4) * 4 + column % 4] = scores[i][j];
        }
    }
}

// result += scores (in shared memory) times a tile of rows.
__device__ __forceinline__ void accumulate_rows(float (&result)[patch][channels], const float* scores, const float* rows) {
#pragma unroll 1
    for (int chunk = 0; chunk < score_chunks; chunk++) {
        float a[patch][4];
#pragma unroll
        for (int i = 0; i < patch; i++) {
            load_pack<4>(scores + swizzled_chunk<score_chunks>(across() + i * 16, chunk) * 4, a[i]);
        }
#pragma unroll
        for (int k = 0; k < 4; k++) {
#pragma unroll
            for (int j = 0; j < channels; j++) {
                const int channel = along() + j * 16;
                if (HEAD_SIZE % 16 == 0 || channel < HEAD_SIZE) {
                    const float b = rows[swizzled_chunk<chunks>(chunk * 4 + k, channel / 4) * 4 + channel % 4];
#pragma unroll
                    for (int i = 0; i < patch; i++) {
                        result[i][j] = fmaf(a[i][k], b, result[i][j]);
                    }
                }
            }
        }
    }
}

// Writes results, each row times its factor, into a tile.
__device__ __forceinline__ void store_results(float* tile, const float (&result)[patch][channels], const float (&factors)[patch]) {
#pragma unroll
    for (int i = 0; i < patch; i++) {
#pragma unroll
        for (int j = 0; j < channels; j++) {
            const int channel = along() + j * 16;
            if (HEAD_SIZE % 16 == 0 || channel < HEAD_SIZE) {
                tile[swizzled_chunk<chunks>(across() + i * 16, channel / 4) * 4 + channel % 4] = result[i][j] * factors[i];
            }
        }
    }
}
