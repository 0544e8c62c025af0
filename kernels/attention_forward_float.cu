// Fused attention in float32, forward: the arguments, layouts and results of attention_forward.cu with float32 in place of bfloat16.
// Products on CUDA cores, fused multiply-add, sums in order of the channels and of the keys; softmax online. No two blocks write the same element: the
// same launch gives the same bits.
// HEAD_SIZE: a multiple of 4 up to 128. A tile has 64 rows, 32 where HEAD_SIZE is beyond 80.
// Launch: block (256), grid (ceil(N / tile), heads, B), dynamic shared memory: tiles of q, k and v and the tile's probabilities, float32. v arrives
// while the scores are computed, the next k while they are used.
// Occupancy (sm_80, sm_90): 2 blocks, 16 warps, by registers.

#include "common/attention_float_tile.cuh"

extern "C" __global__ void __launch_bounds__(threads, 2) attention_forward(
    const float* __restrict__ qkv, const float* __restrict__ query_weight, const float* __restrict__ key_weight,
    const float* __restrict__ cosines, const float* __restrict__ sines, const int32* __restrict__ ids, float* __restrict__ output,
    float* __restrict__ log_sum_exp, int tokens, int heads, float scale) {
    extern __shared__ float4 shared[];
    float* const query_tile = reinterpret_cast<float*>(shared);
    float* const key_tile = query_tile + tile_elements;
    float* const value_tile = key_tile + tile_elements;
    float* const weights = value_tile + tile_elements;
    const int width = heads * HEAD_SIZE, first = blockIdx.x * tile_rows;
    const int64 first_row = static_cast<int64>(blockIdx.z) * tokens, stride = 3 * static_cast<int64>(width);
    const float* const queries = qkv + first_row * stride + blockIdx.y * HEAD_SIZE;
    const float* const keys = queries + width;
    const float* const values = keys + width;

    copy_rows(query_tile, queries + first * stride, stride, tokens - first);
    copy_rows(key_tile, keys, stride, tokens);
    commit_copies();
    copy_rows(value_tile, values, stride, tokens);
    commit_copies();
    float result[patch][channels] = {}, largest[patch], sum[patch];
#pragma unroll
    for (int i = 0; i < patch; i++) {
        largest[i] = -infinity();
        sum[i] = 0.0f;
    }
    const int tiles = (tokens + tile_rows - 1) / tile_rows;
    for (int tile = 0; tile < tiles; tile++) {
        const int start = tile * tile_rows;
        const int position = token_position(ids, first_row, start + thread_row(), tokens);
        wait_copies<1>();
        __syncthreads();
        if (tile == 0) {
            rotate_rows(query_tile, token_position(ids, first_row, first + thread_row(), tokens), {query_weight, cosines, sines});
        }
        rotate_rows(key_tile, position, {key_weight, cosines, sines});
        __syncthreads();
        float scores[patch][patch];
        multiply_rows(scores, query_tile, key_tile);
#pragma unroll
        for (int i = 0; i < patch; i++) {
            float now = largest[i];
#pragma unroll
            for (int j = 0; j < patch; j++) {
                scores[i][j] = start + along() + j * 16 < tokens ? scores[i][j] * scale : -infinity();
                now = fmaxf(now, scores[i][j]);
            }
            now = row_reduce(now, [](float a, float b) { return fmaxf(a, b); });
            float added = 0.0f;
#pragma unroll
            for (int j = 0; j < patch; j++) {
                scores[i][j] = expf(scores[i][j] - now);
                added += scores[i][j];
            }
            const float correction = expf(largest[i] - now);
            largest[i] = now;
            sum[i] = fmaf(sum[i], correction, added);
#pragma unroll
            for (int j = 0; j < channels; j++) {
                result[i][j] *= correction;
            }
        }
        store_scores(weights, scores);
        __syncthreads();
        if (tile + 1 < tiles) {
            copy_rows(key_tile, keys + (start + tile_rows) * stride, stride, tokens - start - tile_rows);
        }
        commit_copies();
        wait_copies<1>();
        __syncthreads();
        accumulate_rows(result, weights, value_tile);
        __syncthreads();
        if (tile + 1 < tiles) {
            copy_rows(value_tile, values + (start + tile_rows) * stride, stride, tokens - start - tile_rows);
        }
        commit_copies();
    }

    const int64 head = static_cast<int64>(blockIdx.z) * heads + blockIdx.y;
#pragma unroll
    for (int i = 0; i < patch; i++) {
        const int token = first + across() + i * 16;
        sum[i] = row_reduce(sum[i], [](float a, float b) { return a + b; });
        if (along() == 0 && token < tokens) {
            log_sum_exp[head * tokens + token] = largest[i] + logf(sum[i]);
        }
        sum[i] = 1.0f / sum[i];
    }
    store_results(query_tile, result, sum);
    __syncthreads();
    store_rows(output + (first_row + first) * width + blockIdx.y * HEAD_SIZE, width, tokens - first, query_tile);
}
