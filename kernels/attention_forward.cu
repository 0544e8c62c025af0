// Fused attention on tensor cores, forward: y = softmax(q k^T scale) v for each head, q and k normalised and turned on load (common/rotary_norm.cuh).
//   qkv           (B, N, 3 heads HEAD_SIZE) bfloat16: all q heads, all k heads, all v heads
//   query_weight, key_weight   (HEAD_SIZE) float32, or null for no norm;   cosines, sines   (positions, HEAD_SIZE / 2) float32
//   ids           (B, N) int32: each token's row in the tables; null: token n has row n
//   output        (B, N, heads HEAD_SIZE) bfloat16, overwritten;   log_sum_exp   (B, heads, N) float32, overwritten: ln sum exp(scores)
// Products in bfloat16 with float32 sums; softmax online, in float32; N is any. No two blocks write the same element: the same launch gives the same bits.
// HEAD_SIZE: a multiple of 4 from 32 to 128. QUERY_TILE: 64, or 128 where more than 64 tokens attend and HEAD_SIZE is at most 80: a warp then
// has 32 queries, and what it reads of k and v from shared memory serves twice as many products.
// Launch: block (128), grid (ceil(N / QUERY_TILE), heads, B), dynamic shared memory 4 x 64 rows x ceil(HEAD_SIZE / 8) x 16 bytes: two stages of
// a tile of k and one of v; q passes through the second stage.
// Occupancy (sm_80, sm_90), by registers: QUERY_TILE 128: 2 blocks, 8 warps. QUERY_TILE 64: HEAD_SIZE up to 40, and 72, 4 blocks, 16 warps; up to 96 3 blocks,
// 12 warps; beyond 2 blocks, 8 warps. sm_86, sm_89, by shared memory: 2 blocks from HEAD_SIZE 68, 1 from 100 on.

#include "common/attention_tile.cuh"

#ifndef QUERY_TILE
#define QUERY_TILE 64
#endif

constexpr int row_tiles = QUERY_TILE / tile_rows;
constexpr int score_tiles = tile_rows / 8;
constexpr int blocks_per_multiprocessor =
    resident_blocks(row_tiles > 1 || HEAD_SIZE > 96 ? 2 : HEAD_SIZE <= 40 || HEAD_SIZE == 72 ? 4 : 3, 4 * tile_bytes);

// A running softmax of two rows: 8 apart, the same in the four lanes that share them.
struct running_softmax {
    float largest[2] = {-infinity(), -infinity()};
    float sum[2] = {};  // of this lane's columns

    // Turns scores into exp(scores - largest) and rescales what was accumulated before.
    __device__ __forceinline__ void advance(float (&scores)[score_tiles][4], float (&accumulated)[chunks][4], float scale) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float now = largest[half];
#pragma unroll
            for (int n = 0; n < score_tiles; n++) {
                now = fmaxf(now, fmaxf(scores[n][2 * half], scores[n][2 * half + 1]));
            }
            now = fmaxf(now, __shfl_xor_sync(full_warp, now, 1));
            now = fmaxf(now, __shfl_xor_sync(full_warp, now, 2));
            const float correction = exp2_fast((largest[half] - now) * scale);
            const float shift = now * scale;
            float added = 0.0f;
#pragma unroll
            for (int n = 0; n < score_tiles; n++) {
#pragma unroll
                for (int i = 2 * half; i < 2 * half + 2; i++) {
                    scores[n][i] = exp2_fast(fmaf(scores[n][i], scale, -shift));
                    added += scores[n][i];
                }
            }
#pragma unroll
            for (int chunk = 0; chunk < chunks; chunk++) {
                accumulated[chunk][2 * half] *= correction;
                accumulated[chunk][2 * half + 1] *= correction;
            }
            sum[half] = fmaf(sum[half], correction, added);
            largest[half] = now;
        }
    }

    __device__ __forceinline__ float total(int half) const {
        float value = sum[half];
        value += __shfl_xor_sync(full_warp, value, 1);
        return value + __shfl_xor_sync(full_warp, value, 2);
    }
};

// Keys from `count` on take no part.
__device__ __forceinline__ void mask_scores(float (&scores)[score_tiles][4], int count) {
#pragma unroll
    for (int n = 0; n < score_tiles; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            if (n * 8 + static_cast<int>(threadIdx.x) % 4 * 2 + i % 2 >= count) {
                scores[n][i] = -infinity();
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(threads, blocks_per_multiprocessor) attention_forward(
    const bfloat16* __restrict__ qkv, const float* __restrict__ query_weight, const float* __restrict__ key_weight,
    const float* __restrict__ cosines, const float* __restrict__ sines, const int32* __restrict__ ids, bfloat16* __restrict__ output,
    float* __restrict__ log_sum_exp, int tokens, int heads, float scale) {
    extern __shared__ uint4 shared[];
    bfloat16* const stages = reinterpret_cast<bfloat16*>(shared);
    const int width = heads * HEAD_SIZE, stride = 3 * width, first = blockIdx.x * QUERY_TILE, warp_first = threadIdx.x / warp_size * 16;
    const int64 first_row = static_cast<int64>(blockIdx.z) * tokens;
    const bfloat16* const queries = qkv + first_row * stride + blockIdx.y * HEAD_SIZE;
    const bfloat16* const keys = queries + width;
    const uint32 stages_address = shared_address(stages);
    const rotary_norm of_queries{query_weight, cosines, sines}, of_keys{key_weight, cosines, sines};
    const auto copy_keys = [=](int tile) {
        const uint32 stage = stages_address + tile % 2 * 2 * tile_bytes;
        const bfloat16* const rows = keys + static_cast<int64>(tile * tile_rows) * stride;
        // A token's values lie a third of its row behind its keys.
        copy_rows<tile_rows>(stage, rows, stride, tokens - tile * tile_rows);
        copy_rows<tile_rows>(stage + tile_bytes, rows + stride / 3, stride, tokens - tile * tile_rows);
    };

    bfloat16* const own = stages + 2 * tile_elements;
    const uint32 own_address = stages_address + 2 * tile_bytes;
    copy_rows<QUERY_TILE>(own_address, queries + static_cast<int64>(first) * stride, stride, tokens - first);
    commit_copies();
    copy_keys(0);
    commit_copies();
    int position = token_position(ids, first_row, thread_row(), tokens);
    wait_copies<1>();
    __syncthreads();
    row_fragments own_rows[row_tiles];
#pragma unroll
    for (int m = 0; m < row_tiles; m++) {
        const int row = m * tile_rows + thread_row();
        rotate_row(own, row, token_position(ids, first_row, first + row, tokens), of_queries);
        // The warp turned the very rows that it owns.
        __syncwarp();
        load_fragments(own_rows[m], own_address, m * tile_rows + warp_first);
    }

    float result[row_tiles][chunks][4] = {};
    running_softmax softmax[row_tiles];
    const float scale_of_2 = scale * log2_of_e;
    const int tiles = (tokens + tile_rows - 1) / tile_rows;
    for (int tile = 0; tile < tiles; tile++) {
        const uint32 stage = stages_address + tile % 2 * 2 * tile_bytes;
        wait_copies<0>();
        __syncthreads();
        const int current = position;
        if (tile + 1 < tiles) {
            copy_keys(tile + 1);
            commit_copies();
            position = token_position(ids, first_row, (tile + 1) * tile_rows + thread_row(), tokens);
        }
        rotate_row(stages + tile % 2 * 2 * tile_elements, thread_row(), current, of_keys);
        __syncthreads();

        float scores[row_tiles][score_tiles][4];
        multiply_rows(scores, own_rows, stage, 0);
#pragma unroll
        for (int m = 0; m < row_tiles; m++) {
            if (tile + 1 == tiles) {
                mask_scores(scores[m], tokens - tile * tile_rows);
            }
            softmax[m].advance(scores[m], result[m], scale_of_2);
        }
#pragma unroll
        for (int step = 0; step < tile_rows / 16; step++) {
            uint32 weights[row_tiles][4];
#pragma unroll
            for (int m = 0; m < row_tiles; m++) {
                pack_operand(weights[m], scores[m][2 * step], scores[m][2 * step + 1]);
            }
            accumulate_rows(result, weights, stage + tile_bytes, step * 16);
        }
    }

    // Each warp writes its rows through shared memory, once nobody reads the last tile any more.
    __syncthreads();
#pragma unroll
    for (int m = 0; m < row_tiles; m++) {
        const int row = m * tile_rows + warp_first, token = first + row + static_cast<int>(threadIdx.x) % warp_size / 4;
        const float sums[2] = {softmax[m].total(0), softmax[m].total(1)};
        float* const log_sums = log_sum_exp + (static_cast<int64>(blockIdx.z) * heads + blockIdx.y) * tokens;
#pragma unroll
        for (int half = 0; half < 2; half++) {
            if (threadIdx.x % 4 == 0 && token + half * 8 < tokens) {
                log_sums[token + half * 8] = fmaf(softmax[m].largest[half], scale, logf(sums[half]));
            }
        }
        store_fragments(stages, row, result[m], 1.0f / sums[0], 1.0f / sums[1]);
        __syncwarp();
        bfloat16* const rows = output + (first_row + first + row) * width + blockIdx.y * HEAD_SIZE;
        store_warp_rows(rows, width, tokens - first - row, stages, row);
    }
}
