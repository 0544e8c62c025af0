// Matrix products of row-major matrices with an epilogue: C (m, n) = finish(op(A) (m, k) op(B) (k, n)), overwritten or added to.
//   matrix_product_forward           op(A) = A (m, k),   op(B) = B^T, B (n, k):  y = x W^T
//   matrix_product_backward_input    op(A) = A (m, k),   op(B) = B (k, n):       dx = dy W
//   matrix_product_backward_weight   op(A) = A^T, A (k, m), op(B) = B (k, n):    dW = dy^T x
//   matrix_product_reduce            C = finish(sum over splits of the partial sums of one of the others)
// Operations of the epilogue and all arguments: common/product_epilogue.cuh. Operands are ELEMENT (float or bfloat16), C is ELEMENT or
// float32. bfloat16 products run on tensor cores, float32 ones on fused multiply-adds; both sum in float32, from low depth to high in each
// split, and splits from first to last: the same launch gives the same bits. Any m, n, k >= 1; each stride below 2^31 elements.
// A block computes a TILE x TILE tile:
//                        threads   warp's part   depth of a step   shared memory        blocks of a multiprocessor (by registers)
//   bfloat16, TILE 128   128       64 x 64       32, 3 stages      49,152 bytes         2 (8 warps)
//   bfloat16, TILE 64    128       32 x 32       32, 4 stages      32,768 bytes         4 (16 warps); 3 on sm_86 and sm_89
//   float, TILE 128      256       32 x 64       8, 2 buffers      36,864 bytes         2 (16 warps)
//   float, TILE 64       128       32 x 32       16, 2 buffers     16,384 bytes         4 (16 warps)
// In shared memory are the stages, in each A's part and behind it B's; after the last, each warp stages 16 rows of sums at a time.
// Launch: threads as above; grid (ceil(m / TILE) ceil(n / TILE), 1, splits), splits = ceil(k / split_depth); dynamic shared memory as above.
// matrix_product_reduce: blocks of 256, threads at least m n / 4 where vector_result is set, else m n.

#include "common/types.cuh"

#ifndef ELEMENT
#define ELEMENT float
#endif
#ifndef TILE
#define TILE 64
#endif

#include "common/product_epilogue.cuh"

#define IS_FLOAT_float 1
#define IS_FLOAT_OF(element) IS_FLOAT_##element
#define IS_FLOAT(element) IS_FLOAT_OF(element)
#if IS_FLOAT(ELEMENT)
#include "common/product_tile_float.cuh"
#else
#include "common/product_tile_bfloat16.cuh"
#endif

constexpr int tile_group = 8;
constexpr int staged_floats = 16 * (warp_columns + 8);

// The first row and column of a block's tile. Read anew for the epilogue, so that it takes no registers in the main loop.
// Tiles follow each other down groups of eight tile rows, so that blocks that run together share operands in the L2 cache.
__device__ __forceinline__ int2 tile_of_block(int m, int n) {
    const int tile_rows = (m + TILE - 1) / TILE;
    const int tile_columns = (n + TILE - 1) / TILE;
    int block;
    asm volatile("mov.u32 %0, %%ctaid.x;" : "=r"(block));
    const int group = block / (tile_group * tile_columns);
    const int rows = min(tile_rows - group * tile_group, tile_group);
    const int inside = block - group * tile_group * tile_columns;
    return make_int2((group * tile_group + inside % rows) * TILE, inside / rows * TILE);
}

// Sums are in registers, which no loop can number: one of the pieces is taken by a chain of comparisons.
template <int PIECE>
__device__ __forceinline__ void stage_piece(const tile_sums& sums, int piece, float* staged) {
    if constexpr (PIECE < tile_sums::pieces) {
        if (piece == PIECE) {
            sums.stage<PIECE>(staged);
        }
        stage_piece<PIECE + 1>(sums, piece, staged);
    }
}

template <bool A_ALONG, bool B_ALONG>
__device__ __forceinline__ void multiply(const product_arguments& p, char* shared) {
    const int2 tile = tile_of_block(p.m, p.n);
    const int depth = blockIdx.z * p.split_depth;
    const int depth_limit = min(depth + p.split_depth, p.k);
    tile_sums sums;
    if (p.vector_operands != 0) {
        sums.accumulate<A_ALONG, B_ALONG, true>(shared, p.a, p.a_stride, tile.x, p.m, p.b, p.b_stride, tile.y, p.n, depth, depth_limit);
    } else {
        sums.accumulate<A_ALONG, B_ALONG, false>(shared, p.a, p.a_stride, tile.x, p.m, p.b, p.b_stride, tile.y, p.n, depth, depth_limit);
    }

    __syncthreads();
    const int2 target = tile_of_block(p.m, p.n);
    float* staged = reinterpret_cast<float*>(shared) + threadIdx.x / 32 * staged_floats;
#pragma unroll 1
    for (int piece = 0; piece < tile_sums::pieces; piece++) {
        stage_piece<0>(sums, piece, staged);
        __syncwarp();
        leave_staged<warp_columns>(p, staged, target.x + sums.row() + piece * 16, target.y + sums.column());
        __syncwarp();
    }
}

extern "C" __global__ void __launch_bounds__(tile_threads, tile_blocks) matrix_product_forward(const __grid_constant__ product_arguments p) {
    extern __shared__ __align__(128) char shared[];
    multiply<true, true>(p, shared);
}

extern "C" __global__ void __launch_bounds__(tile_threads, tile_blocks) matrix_product_backward_input(const __grid_constant__ product_arguments p) {
    extern __shared__ __align__(128) char shared[];
    multiply<true, false>(p, shared);
}

extern "C" __global__ void __launch_bounds__(tile_threads, tile_blocks) matrix_product_backward_weight(const __grid_constant__ product_arguments p) {
    extern __shared__ __align__(128) char shared[];
    multiply<false, false>(p, shared);
}

template <int COUNT>
__device__ __forceinline__ void add_splits(const product_arguments& p, int splits) {
    const int64 item = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x;
    const int packs = p.n / COUNT;
    if (item >= static_cast<int64>(p.m) * packs) {
        return;
    }
    const int row = static_cast<int>(item / packs);
    const int column = static_cast<int>(item % packs) * COUNT;
    const int64 size = static_cast<int64>(p.m) * p.n;
    const float* source = p.partial + static_cast<int64>(row) * p.n + column;
    float sums[COUNT];
    load_pack<COUNT>(source, sums);
    for (int split = 1; split < splits; split++) {
        float term[COUNT];
        load_pack<COUNT>(source + split * size, term);
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            sums[i] += term[i];
        }
    }
    finish_sums<COUNT>(p, row, column, sums);
}

extern "C" __global__ void __launch_bounds__(256) matrix_product_reduce(const __grid_constant__ product_arguments p, int splits) {
    if (p.vector_result != 0) {
        add_splits<epilogue_pack>(p, splits);
    } else {
        add_splits<1>(p, splits);
    }
}
