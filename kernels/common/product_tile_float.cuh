// A TILE x TILE product tile of float32 operands with fused multiply-adds. A warp computes 32 rows; each thread 8 rows, in two groups of
// four neighbours, and TILE/16 columns, likewise. Operands pass through shared memory in steps of 8 or 16 along the depth, stored
// (depth, TILE) and double buffered: a step is fetched while the one before is computed, by asynchronous copies of 16 bytes, or by way of
// registers where it has to be transposed. Columns are swizzled, so that
// neither the transposing stores of operands along the depth nor any load meet in a bank.
#pragma once

#include "common/packs.cuh"
#include "common/tensor_core.cuh"
#include "common/types.cuh"

constexpr int tile_threads = TILE * 2;
constexpr int tile_depth = TILE == 128 ? 8 : 16;
constexpr int tile_blocks = TILE == 128 ? 2 : 4;  // resident blocks of a multiprocessor
constexpr int warp_rows = 32;
constexpr int warp_columns = TILE / 2;
constexpr int operand_floats = TILE * tile_depth;
constexpr int tile_bytes = 2 * 2 * operand_floats * 4;

// What a column of step row k is exchanged with: a warp stores 32 packs along the depth at once, those of a step's 2 or 4 rows of packs.
__device__ __forceinline__ constexpr int swizzle_of(int k) { return k / 4 * (32 / (tile_depth / 4)); }

// The thread's number, read anew: what is computed from it is computed again in each step instead of occupying registers, of which none is left.
__device__ __forceinline__ int thread_anew() {
    uint32 thread;
    asm volatile("mov.u32 %0, %%tid.x;" : "=r"(thread));
    return static_cast<int>(thread % tile_threads);
}

// One operand's part of a step, in packs of four along its rows. ALONG: stored with the depth along its rows; else across.
template <bool ALONG, bool VECTOR>
struct operand_step {
    static constexpr bool through_registers = ALONG || !VECTOR;
    static constexpr int row_packs = (ALONG ? tile_depth : TILE) / 4;
    static constexpr int packs = operand_floats / 4 / tile_threads;
    float values[packs][4];

    // Fetches a step, on its way to `shared`. What is beyond the limits becomes 0.
    __device__ __forceinline__ void fetch(
        float* shared, const float* __restrict__ matrix, int stride, int outer, int depth, int outer_limit, int depth_limit) {
        const int row_limit = ALONG ? outer_limit : depth_limit;
        const int column_limit = ALONG ? depth_limit : outer_limit;
        const int thread = VECTOR && ALONG ? threadIdx.x : thread_anew();
#pragma unroll
        for (int i = 0; i < packs; i++) {
            const int item = i * tile_threads + thread;
            const int row = (ALONG ? outer : depth) + item / row_packs;
            const int column = (ALONG ? depth : outer) + item % row_packs * 4;
            const bool valid = row < row_limit && column < column_limit;
            const float* source = matrix + static_cast<int64>(row) * stride + column;
            if constexpr (!through_registers) {
                copy_async<16>(shared_address(shared + place(item)), valid ? source : matrix, valid);
            } else if constexpr (VECTOR) {
                const float4 loaded = valid ? __ldg(reinterpret_cast<const float4*>(source)) : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
                values[i][0] = loaded.x;
                values[i][1] = loaded.y;
                values[i][2] = loaded.z;
                values[i][3] = loaded.w;
            } else {
#pragma unroll
                for (int e = 0; e < 4; e++) {
                    values[i][e] = valid && column + e < column_limit ? __ldg(source + e) : 0.0f;
                }
            }
        }
    }

    // Lets what was fetched arrive. A barrier must follow.
    __device__ __forceinline__ void arrive(float* shared) const {
        if constexpr (through_registers) {
#pragma unroll
            for (int i = 0; i < packs; i++) {
                const int item = i * tile_threads + threadIdx.x;
                if constexpr (ALONG) {
                    const int pack = item % row_packs;
#pragma unroll
                    for (int e = 0; e < 4; e++) {
                        shared[(pack * 4 + e) * TILE + (item / row_packs ^ swizzle_of(pack * 4))] = values[i][e];
                    }
                } else {
                    store_pack<4>(shared + place(item), values[i]);
                }
            }
        } else {
            wait_copies<0>();
        }
    }

    // Where a pack of an operand stored across the depth belongs.
    static __device__ __forceinline__ int place(int item) {
        return item / row_packs * TILE + (item % row_packs * 4 ^ swizzle_of(item / row_packs));
    }
};

// The sums of a thread.
struct tile_sums {
    static constexpr int pieces = 2;
    static constexpr int column_groups = warp_columns / 32;
    float values[pieces][4][column_groups][4] = {};

    template <bool A_ALONG, bool B_ALONG, bool VECTOR>
    __device__ __forceinline__ void accumulate(
        char* bytes, const float* __restrict__ a, int a_stride, int first_row, int row_limit,
        const float* __restrict__ b, int b_stride, int first_column, int column_limit, int depth, int depth_limit) {
        float* shared = reinterpret_cast<float*>(bytes);
        const int lane = threadIdx.x % 32;
        const int own_row = row() + lane / 8 * 4;
        const int own_column = column() + lane % 8 * 4;
        operand_step<A_ALONG, VECTOR> step_a;
        operand_step<B_ALONG, VECTOR> step_b;
        step_a.fetch(shared, a, a_stride, first_row, depth, row_limit, depth_limit);
        step_b.fetch(shared + operand_floats, b, b_stride, first_column, depth, column_limit, depth_limit);
        commit_copies();
        step_a.arrive(shared);
        step_b.arrive(shared + operand_floats);
        __syncthreads();
        int buffer = 0;
#pragma unroll 1
        for (; depth < depth_limit; depth += tile_depth) {
            const bool more = depth + tile_depth < depth_limit;
            const float* shared_a = shared + buffer * 2 * operand_floats;
            const float* shared_b = shared_a + operand_floats;
            buffer ^= 1;
            float* next = shared + buffer * 2 * operand_floats;
            if (more) {
                step_a.fetch(next, a, a_stride, first_row, depth + tile_depth, row_limit, depth_limit);
                step_b.fetch(next + operand_floats, b, b_stride, first_column, depth + tile_depth, column_limit, depth_limit);
                commit_copies();
            }
#pragma unroll
            for (int k = 0; k < tile_depth; k++) {
                float part_a[pieces][4];
                float part_b[column_groups][4];
#pragma unroll
                for (int i = 0; i < pieces; i++) {
                    // Bit 4 of own_row is 0: the swizzle's bit 4 goes into the constant part of the address.
                    load_pack<4>(shared_a + (own_row ^ (swizzle_of(k) & 8)) + k * TILE + (i * 16 ^ (swizzle_of(k) & 16)), part_a[i]);
                }
#pragma unroll
                for (int j = 0; j < column_groups; j++) {
                    load_pack<4>(shared_b + (own_column ^ swizzle_of(k)) + k * TILE + j * 32, part_b[j]);
                }
#pragma unroll
                for (int i = 0; i < pieces; i++) {
#pragma unroll
                    for (int ii = 0; ii < 4; ii++) {
#pragma unroll
                        for (int j = 0; j < column_groups; j++) {
#pragma unroll
                            for (int jj = 0; jj < 4; jj++) {
                                values[i][ii][j][jj] = fmaf(part_a[i][ii], part_b[j][jj], values[i][ii][j][jj]);
                            }
                        }
                    }
                }
            }
            if (more) {
                step_a.arrive(next);
                step_b.arrive(next + operand_floats);
            }
            __syncthreads();
        }
    }

    __device__ __forceinline__ static int row() { return threadIdx.x / 64 * warp_rows; }

    __device__ __forceinline__ static int column() { return threadIdx.x / 32 % 2 * warp_columns; }

    // Puts a piece of 16 rows where the warp's lanes can read it by rows.
    template <int PIECE>
    __device__ __forceinline__ void stage(float* staged) const {
        constexpr int stride = warp_columns + 8;
        const int lane = threadIdx.x % 32;
#pragma unroll
        for (int ii = 0; ii < 4; ii++) {
#pragma unroll
            for (int j = 0; j < column_groups; j++) {
                const float(&sums)[4] = values[PIECE][ii][j];
                reinterpret_cast<float4*>(staged)[(lane / 8 * 4 + ii) * stride / 4 + j * 8 + lane % 8] = make_float4(sums[0], sums[1], sums[2], sums[3]);
            }
        }
    }
};
