// Fused attention in float32, backward: the kernels, arguments, layouts and results of attention_backward.cu with float32 in place of bfloat16, on
// CUDA cores. A block owns a tile of keys (queries) and streams all queries (keys); scores are computed with the owned rows down. No atomics: the
// same launch gives the same bits.
// HEAD_SIZE: a multiple of 4 up to 128. A tile has 64 rows, 32 where HEAD_SIZE is beyond 80; it is the unit of weight_partial too.
// Launch of dkv and dq: block (256), grid (ceil(N / tile), heads, B), dynamic shared memory: four tiles of rows, a tile of scores, and log-sum-exp
// and delta of a tile's queries, float32.
// Occupancy: 1 block, 8 warps, by registers and by shared memory.

#include "common/attention_float_tile.cuh"
#include "common/attention_backward.cuh"

extern "C" __global__ void __launch_bounds__(128) attention_backward_prepare(
    const float* __restrict__ gradient, const float* __restrict__ output, float* __restrict__ delta, int tokens, int heads) {
    sum_products(gradient, output, delta, tokens, heads);
}

struct shared_tiles {
    float* own;      // two tiles
    float* streamed; // two tiles
    float* scores;
    float* log_sums; // of a tile of queries
    float* deltas;

    __device__ __forceinline__ explicit shared_tiles(float4* shared) {
        own = reinterpret_cast<float*>(shared);
        streamed = own + 2 * tile_elements;
        scores = streamed + 2 * tile_elements;
        log_sums = scores + tile_rows * tile_rows;
        deltas = log_sums + tile_rows;
    }
};

// log-sum-exp and delta of a tile of queries. Beyond the last query p becomes exp(-infinity).
__device__ __forceinline__ void load_statistics(
    const shared_tiles& tiles, const float* log_sum_exp, const float* delta, const head_place& head, int first, int tokens) {
    if (threadIdx.x < tile_rows) {
        const int query = first + threadIdx.x;
        tiles.log_sums[threadIdx.x] = query < tokens ? log_sum_exp[head.statistics + query] : infinity();
        tiles.deltas[threadIdx.x] = query < tokens ? delta[head.statistics + query] : 0.0f;
    }
}

// Carries the gradient of the block's turned rows, in registers, back to its rows of qkv and to the norm's weight. `rows` and `row_gradient` are the
// block's first row. All of shared memory is free.
__device__ __forceinline__ void finish_rows(
    const shared_tiles& tiles, const float (&gradient)[patch][channels], const float (&factors)[patch], const float* rows, float* row_gradient,
    int64 stride, int count, int position, const rotary_norm& by, float* weight_partial) {
    float* const gradient_tile = tiles.streamed;
    float* const tile = tiles.own;
    copy_rows(tile, rows, stride, count);
    commit_copies();
    store_results(gradient_tile, gradient, factors);
    wait_copies<0>();
    __syncthreads();
    if (thread_row() < tile_rows) {
        rotate_row_backward(tile, gradient_tile, thread_row(), position, thread_row() < count, by);
    }
    __syncthreads();
    store_rows(row_gradient, stride, count, tile);
    if (weight_partial != nullptr && threadIdx.x < HEAD_SIZE) {
        float sum = 0.0f;
        for (int row = 0; row < tile_rows; row++) {
            sum += gradient_tile[swizzled_chunk<chunks>(row, threadIdx.x / 4) * 4 + threadIdx.x % 4];
        }
        weight_partial[threadIdx.x] = sum;
    }
}

extern "C" __global__ void __launch_bounds__(threads, 1) attention_backward_dkv(
    const float* __restrict__ gradient, const float* __restrict__ qkv, const float* __restrict__ query_weight,
    const float* __restrict__ key_weight, const float* __restrict__ cosines, const float* __restrict__ sines, const int32* __restrict__ ids,
    const float* __restrict__ log_sum_exp, const float* __restrict__ delta, float* __restrict__ qkv_gradient,
    float* __restrict__ weight_partial, int tokens, int heads, float scale) {
    extern __shared__ float4 shared[];
    const shared_tiles tiles(shared);
    const head_place head(tokens, heads);
    const float* const queries = qkv + head.first_row * head.stride + blockIdx.y * HEAD_SIZE;
    const float* const gradients = gradient + head.first_row * head.width + blockIdx.y * HEAD_SIZE;
    const int64 own_rows = head.first * head.stride + head.width;
    const int count = tokens - head.first;
    const int own_position = token_position(ids, head.first_row, head.first + thread_row(), tokens);
    copy_rows(tiles.own, queries + own_rows, head.stride, count);
    copy_rows(tiles.own + tile_elements, queries + own_rows + head.width, head.stride, count);
    float key_gradient[patch][channels] = {}, value_gradient[patch][channels] = {};
    for (int first = 0; first < tokens; first += tile_rows) {
        copy_rows(tiles.streamed, queries + first * head.stride, head.stride, tokens - first);
        copy_rows(tiles.streamed + tile_elements, gradients + static_cast<int64>(first) * head.width, head.width, tokens - first);
        commit_copies();
        load_statistics(tiles, log_sum_exp, delta, head, first, tokens);
        const int position = token_position(ids, head.first_row, first + thread_row(), tokens);
        wait_copies<0>();
        __syncthreads();
        if (first == 0) {
            rotate_rows(tiles.own, own_position, {key_weight, cosines, sines});
        }
        rotate_rows(tiles.streamed, position, {query_weight, cosines, sines});
        __syncthreads();
        float weights[patch][patch], weight_gradients[patch][patch];
        multiply_rows(weights, tiles.own, tiles.streamed);
        multiply_rows(weight_gradients, tiles.own + tile_elements, tiles.streamed + tile_elements);
#pragma unroll
        for (int j = 0; j < patch; j++) {
            const float log_sum = tiles.log_sums[along() + j * 16], mean = tiles.deltas[along() + j * 16];
#pragma unroll
            for (int i = 0; i < patch; i++) {
                weights[i][j] = expf(fmaf(weights[i][j], scale, -log_sum));
                weight_gradients[i][j] = weights[i][j] * (weight_gradients[i][j] - mean);
            }
        }
        store_scores(tiles.scores, weights);
        __syncthreads();
        accumulate_rows(value_gradient, tiles.scores, tiles.streamed + tile_elements);
        __syncthreads();
        store_scores(tiles.scores, weight_gradients);
        __syncthreads();
        accumulate_rows(key_gradient, tiles.scores, tiles.streamed);
        __syncthreads();
    }

    float factors[patch];
#pragma unroll
    for (int i = 0; i < patch; i++) {
        factors[i] = 1.0f;
    }
    float* const row_gradient = qkv_gradient + head.first_row * head.stride + blockIdx.y * HEAD_SIZE + own_rows;
    store_results(tiles.own, value_gradient, factors);
    __syncthreads();
    store_rows(row_gradient + head.width, head.stride, count, tiles.own);
    __syncthreads();
#pragma unroll
    for (int i = 0; i < patch; i++) {
        factors[i] = scale;
    }
    finish_rows(
        tiles, key_gradient, factors, queries + own_rows, row_gradient, head.stride, count, own_position, {key_weight, cosines, sines},
        weight_partial == nullptr ? nullptr : weight_partial + head.block * HEAD_SIZE);
}

extern "C" __global__ void __launch_bounds__(threads, 1) attention_backward_dq(
    const float* __restrict__ gradient, const float* __restrict__ qkv, const float* __restrict__ query_weight,
    const float* __restrict__ key_weight, const float* __restrict__ cosines, const float* __restrict__ sines, const int32* __restrict__ ids,
    const float* __restrict__ log_sum_exp, const float* __restrict__ delta, float* __restrict__ qkv_gradient,
    float* __restrict__ weight_partial, int tokens, int heads, float scale) {
    extern __shared__ float4 shared[];
    const shared_tiles tiles(shared);
    const head_place head(tokens, heads);
    const float* const queries = qkv + head.first_row * head.stride + blockIdx.y * HEAD_SIZE;
    const float* const keys = queries + head.width;
    const int64 own_rows = head.first * head.stride;
    const int count = tokens - head.first;
    const int own_position = token_position(ids, head.first_row, head.first + thread_row(), tokens);
    copy_rows(tiles.own, queries + own_rows, head.stride, count);
    copy_rows(
        tiles.own + tile_elements, gradient + (head.first_row + head.first) * head.width + blockIdx.y * HEAD_SIZE, head.width, count);
    load_statistics(tiles, log_sum_exp, delta, head, head.first, tokens);
    float query_gradient[patch][channels] = {};
    for (int first = 0; first < tokens; first += tile_rows) {
        copy_rows(tiles.streamed, keys + first * head.stride, head.stride, tokens - first);
        copy_rows(tiles.streamed + tile_elements, keys + first * head.stride + head.width, head.stride, tokens - first);
        commit_copies();
        const int position = token_position(ids, head.first_row, first + thread_row(), tokens);
        wait_copies<0>();
        __syncthreads();
        if (first == 0) {
            rotate_rows(tiles.own, own_position, {query_weight, cosines, sines});
        }
        rotate_rows(tiles.streamed, position, {key_weight, cosines, sines});
        __syncthreads();
        float weights[patch][patch], weight_gradients[patch][patch];
        multiply_rows(weights, tiles.own, tiles.streamed);
        multiply_rows(weight_gradients, tiles.own + tile_elements, tiles.streamed + tile_elements);
#pragma unroll
        for (int i = 0; i < patch; i++) {
            const float log_sum = tiles.log_sums[across() + i * 16], mean = tiles.deltas[across() + i * 16];
#pragma unroll
            for (int j = 0; j < patch; j++) {
                // Keys beyond the last are zeros: their weight must not overflow.
                const float weight = first + along() + j * 16 < tokens ? expf(fmaf(weights[i][j], scale, -log_sum)) : 0.0f;
                weight_gradients[i][j] = weight * (weight_gradients[i][j] - mean);
            }
        }
        store_scores(tiles.scores, weight_gradients);
        __syncthreads();
        accumulate_rows(query_gradient, tiles.scores, tiles.streamed);
        __syncthreads();
    }

    float factors[patch];
#pragma unroll
    for (int i = 0; i < patch; i++) {
        factors[i] = scale;
    }
    finish_rows(
        tiles, query_gradient, factors, queries + own_rows, qkv_gradient + head.first_row * head.stride + blockIdx.y * HEAD_SIZE + own_rows,
        head.stride, count, own_position, {query_weight, cosines, sines},
        weight_partial == nullptr ? nullptr : weight_partial + head.block * HEAD_SIZE);
}

extern "C" __global__ void __launch_bounds__(weights_threads) attention_backward_weights(
    const float* __restrict__ query_partial, const float* __restrict__ key_partial, float* __restrict__ query_weight_gradient,
    float* __restrict__ key_weight_gradient, int64 blocks) {
    sum_partials(
        blockIdx.y == 0 ? query_partial : key_partial, blockIdx.y == 0 ? query_weight_gradient : key_weight_gradient, blocks);
}
