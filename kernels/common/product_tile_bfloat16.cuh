// A TILE x TILE product tile of bfloat16 operands on tensor cores: mma.sync m16n8k16 with float32 sums. 2 x 2 warps, each a quarter of the
// tile. Operands pass through shared memory in steps of 32 along the depth, asynchronously copied `stages` steps ahead, in chunks of
// 16 bytes swizzled so that neither copies nor ldmatrix meet in a bank.
#pragma once

#include "common/swizzle.cuh"
#include "common/tensor_core.cuh"
#include "common/types.cuh"

constexpr int tile_threads = 128;
constexpr int tile_depth = 32;
constexpr int tile_blocks = TILE == 128 ? 2 : 4;  // resident blocks of a multiprocessor
constexpr int stages = TILE == 128 ? 3 : 4;
constexpr int warp_rows = TILE / 2;
constexpr int warp_columns = TILE / 2;
constexpr int operand_bytes = TILE * tile_depth * 2;
constexpr int tile_bytes = stages * 2 * operand_bytes;

// One operand's part of a step. ALONG: stored with the depth along its rows, (TILE, 32); else across them, (32, TILE).
template <bool ALONG, bool VECTOR>
struct operand_step {
    static constexpr int rows = ALONG ? TILE : tile_depth;
    static constexpr int columns = ALONG ? tile_depth : TILE;
    static constexpr int chunks = columns / 8;

    // Starts copying from a matrix of which `row_limit` rows and `column_limit` columns count; what is beyond them becomes 0.
    static __device__ __forceinline__ void copy(
        char* shared, const bfloat16* __restrict__ matrix, int stride, int outer, int depth, int outer_limit, int depth_limit) {
        const int first_row = ALONG ? outer : depth;
        const int first_column = ALONG ? depth : outer;
        const int row_limit = ALONG ? outer_limit : depth_limit;
        const int column_limit = ALONG ? depth_limit : outer_limit;
        if constexpr (VECTOR) {
            const uint32 target = shared_address(shared);
#pragma unroll
            for (int i = 0; i < rows * chunks / tile_threads; i++) {
                const int item = i * tile_threads + threadIdx.x;
                const int row = item / chunks;
                const int chunk = item % chunks;
                const bool valid = first_row + row < row_limit && first_column + chunk * 8 < column_limit;
                const bfloat16* source = matrix + static_cast<int64>(first_row + row) * stride + first_column + chunk * 8;
                copy_async<16>(target + swizzled_chunk<chunks>(row, chunk) * 16, valid ? source : matrix, valid);
            }
        } else {
            bfloat16* target = reinterpret_cast<bfloat16*>(shared);
#pragma unroll 4
            for (int item = threadIdx.x; item < rows * columns; item += tile_threads) {
                const int row = item / columns;
                const int column = item % columns;
                const bool valid = first_row + row < row_limit && first_column + column < column_limit;
                bfloat16 value = {0};
                if (valid) {
                    value = matrix[static_cast<int64>(first_row + row) * stride + first_column + column];
                }
                target[swizzled_chunk<chunks>(row, column / 8) * 8 + column % 8] = value;
            }
        }
    }

    // The fragments of 16 rows of A, or of 16 columns of B (two fragments), over 16 of the depth.
    template <bool IS_A>
    static __device__ __forceinline__ void load(uint32 (&fragments)[4], uint32 shared, int outer, int depth) {
        const int lane = threadIdx.x % 32;
        const int first = ALONG == IS_A ? lane % 16 : lane % 8 + lane / 16 * 8;
        const int second = ALONG == IS_A ? lane / 16 : lane / 8 % 2;
        const uint32 address = shared + swizzled_chunk<chunks>((ALONG ? outer : depth) + first, (ALONG ? depth : outer) / 8 + second) * 16;
        if constexpr (ALONG) {
            load_matrices(fragments, address);
        } else {
            load_matrices_transposed(fragments, address);
        }
    }
};

// The sums of a warp's quarter.
struct tile_sums {
    static constexpr int pieces = warp_rows / 16;
    static constexpr int columns = warp_columns / 8;
    float values[pieces][columns][4] = {};

    template <bool A_ALONG, bool B_ALONG, bool VECTOR>
    __device__ __forceinline__ void accumulate(
        char* shared, const bfloat16* __restrict__ a, int a_stride, int first_row, int row_limit,
        const bfloat16* __restrict__ b, int b_stride, int first_column, int column_limit, int depth, int depth_limit) {
        using step_a = operand_step<A_ALONG, VECTOR>;
        using step_b = operand_step<B_ALONG, VECTOR>;
        const int warp = threadIdx.x / 32;
        const int warp_row = warp / 2 * warp_rows;
        const int warp_column = warp % 2 * warp_columns;
        const int steps = (depth_limit - depth + tile_depth - 1) / tile_depth;
        auto copy = [&](int step) {
            char* slot = shared + step % stages * 2 * operand_bytes;
            if (step < steps) {
                step_a::copy(slot, a, a_stride, first_row, depth + step * tile_depth, row_limit, depth_limit);
                step_b::copy(slot + operand_bytes, b, b_stride, first_column, depth + step * tile_depth, column_limit, depth_limit);
            }
            commit_copies();
        };

#pragma unroll 1
        for (int step = 0; step < stages - 1; step++) {
            copy(step);
        }
#pragma unroll 1
        for (int step = 0; step < steps; step++) {
            wait_copies<stages - 2>();
            __syncthreads();  // the step's operands are there, and the slot of the step before is free
            copy(step + stages - 1);
            const uint32 slot_a = shared_address(shared) + step % stages * 2 * operand_bytes;
            const uint32 slot_b = slot_a + operand_bytes;
#pragma unroll
            for (int k = 0; k < tile_depth; k += 16) {
                uint32 fragments_a[pieces][4];
                uint32 fragments_b[columns / 2][4];
#pragma unroll
                for (int i = 0; i < pieces; i++) {
                    step_a::template load<true>(fragments_a[i], slot_a, warp_row + i * 16, k);
                }
#pragma unroll
                for (int j = 0; j < columns / 2; j++) {
                    step_b::template load<false>(fragments_b[j], slot_b, warp_column + j * 16, k);
                }
#pragma unroll
                for (int i = 0; i < pieces; i++) {
#pragma unroll
                    for (int j = 0; j < columns; j++) {
                        multiply_add(values[i][j], fragments_a[i], fragments_b[j / 2][j % 2 * 2], fragments_b[j / 2][j % 2 * 2 + 1]);
                    }
                }
            }
        }
    }

    __device__ __forceinline__ static int row() { return threadIdx.x / 64 * warp_rows; }

    __device__ __forceinline__ static int column() { return threadIdx.x / 32 % 2 * warp_columns; }

    // Puts a piece of 16 rows where the warp's lanes can read it by rows.
    template <int PIECE>
    __device__ __forceinline__ void stage(float* staged) const {
        constexpr int stride = warp_columns + 8;
        const int lane = threadIdx.x % 32;
        float* target = staged + lane / 4 * stride + lane % 4 * 2;
#pragma unroll
        for (int j = 0; j < columns; j++) {
            *reinterpret_cast<float2*>(target + j * 8) = make_float2(values[PIECE][j][0], values[PIECE][j][1]);
            *reinterpret_cast<float2*>(target + 8 * stride + j * 8) = make_float2(values[PIECE][j][2], values[PIECE][j][3]);
        }
    }
};
