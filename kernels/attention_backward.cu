// Fused attention on tensor cores, backward. Shapes as in attention_forward.cu; p = exp(q k^T scale - log_sum_exp) is computed again, tile by tile.
//   attention_backward_prepare   delta (B, heads, N) = sum over channels of dy y                          float32, overwritten
//   attention_backward_dkv       dv = p^T dy;  dk = ds^T q scale, ds = p (dy v^T - delta)                 overwritten
//   attention_backward_dq        dq = ds k scale                                                          overwritten
//   attention_backward_weights   dweight (HEAD_SIZE) += sum over blocks of weight_partial                 float32, added to
// dq and dk are carried back through rotation and norm to the rows of qkv before they are stored in qkv_gradient (B, N, 3 heads HEAD_SIZE), bfloat16.
// Each block sums its rows' gradient of the norm's weight in weight_partial (blocks, HEAD_SIZE), float32, overwritten, or null if not wanted;
// block (tile, head, sample) has row (sample heads + head) tiles + tile.
// Products in bfloat16 with float32 sums. A block owns 64 keys (queries) and streams all queries (keys): dk and dv stay in registers, scores are
// computed transposed so that they are operands of the next product as they are, and no two blocks write the same element: no atomics, and the
// same launch gives the same bits.
// Launch of dkv and dq: block (128), grid (ceil(N / 64), heads, B), dynamic shared memory 4 x 64 rows x ceil(HEAD_SIZE / 8) x 16 bytes + 1024:
// two stages of two tiles, log-sum-exp and delta of a tile of queries; a fifth tile for values where HEAD_SIZE is beyond 96. The rows that a block
// owns pass through the second stage.
// Occupancy (sm_80, sm_90), by registers: HEAD_SIZE up to 56, 64 and 72: 3 blocks, 12 warps; else 2 blocks, 8 warps. sm_86, sm_89, by shared memory: 2 blocks
// from HEAD_SIZE 60, 1 from 100 on.

#include "common/attention_tile.cuh"
#include "common/attention_backward.cuh"

// Streamed rows that are worked on at a time: the depth of one product; more would cost registers.
constexpr int step_rows = 16;
// Chunks of a row that are turned at a time where two gradients are held.
constexpr int chunks_abreast = HEAD_SIZE <= 56 ? 2 : 1;

// Whether the values that a block of keys owns stay in shared memory, for lack of registers.
constexpr bool shares_values = HEAD_SIZE > 96;

constexpr int blocks_per_multiprocessor =
    resident_blocks(HEAD_SIZE <= 56 || HEAD_SIZE == 64 || HEAD_SIZE == 72 ? 3 : 2, (shares_values ? 5 : 4) * tile_bytes + 1024);

extern "C" __global__ void __launch_bounds__(128) attention_backward_prepare(
    const bfloat16* __restrict__ gradient, const bfloat16* __restrict__ output, float* __restrict__ delta, int tokens, int heads) {
    sum_products(gradient, output, delta, tokens, heads);
}

// Carries the gradient of the block's turned rows, in registers, back to its rows of qkv and to the norm's weight. `rows` and `row_gradient`
// are the block's first row. All of shared memory is free.
__device__ __forceinline__ void finish_rows(
    bfloat16* stages, const float (&gradient)[chunks][4], float factor, const bfloat16* rows, bfloat16* row_gradient, int64 stride, int count,
    int position, const rotary_norm& by, float* weight_partial) {
    float* const gradient_tile = reinterpret_cast<float*>(stages);
    bfloat16* const tile = stages + 2 * tile_elements;
    const int warp_first = threadIdx.x / warp_size * 16;
    copy_rows<tile_rows>(shared_address(tile), rows, stride, count);
    commit_copies();
    store_fragments(gradient_tile, warp_first, gradient, factor);
    wait_copies<0>();
    __syncthreads();
    rotate_row_backward(tile, gradient_tile, thread_row(), position, thread_row() < count, by);
    __syncwarp();
    store_warp_rows(row_gradient + warp_first * stride, stride, count - warp_first, tile, warp_first);
    if (weight_partial == nullptr) {
        return;
    }
    __syncthreads();
    if (threadIdx.x < HEAD_SIZE) {
        float sum = 0.0f;
        for (int row = 0; row < tile_rows; row++) {
            sum += gradient_tile[swizzled_chunk<row_chunks<float>>(row, threadIdx.x / 4) * 4 + threadIdx.x % 4];
        }
        weight_partial[threadIdx.x] = sum;
    }
}

extern "C" __global__ void __launch_bounds__(threads, blocks_per_multiprocessor) attention_backward_dkv(
    const bfloat16* __restrict__ gradient, const bfloat16* __restrict__ qkv, const float* __restrict__ query_weight,
    const float* __restrict__ key_weight, const float* __restrict__ cosines, const float* __restrict__ sines, const int32* __restrict__ ids,
    const float* __restrict__ log_sum_exp, const float* __restrict__ delta, bfloat16* __restrict__ qkv_gradient,
    float* __restrict__ weight_partial, int tokens, int heads, float scale) {
    extern __shared__ uint4 shared[];
    bfloat16* const stages = reinterpret_cast<bfloat16*>(shared);
    const head_place head(tokens, heads);
    const bfloat16* const queries = qkv + head.first_row * head.stride + blockIdx.y * HEAD_SIZE;
    const bfloat16* const gradients = gradient + head.first_row * head.width + blockIdx.y * HEAD_SIZE;
    const int64 own_rows = head.first * head.stride + head.width;
    const uint32 stages_address = shared_address(stages), own_address = stages_address + 2 * tile_bytes;
    bfloat16* const value_tile = stages + (shares_values ? 4 : 3) * tile_elements;
    const uint32 value_address = stages_address + (shares_values ? 4 : 3) * tile_bytes;
    float* const statistics = reinterpret_cast<float*>(stages + (shares_values ? 5 : 4) * tile_elements);
    const rotary_norm of_queries{query_weight, cosines, sines}, of_keys{key_weight, cosines, sines};
    const int warp_first = threadIdx.x / warp_size * 16, count = tokens - head.first;
    const auto copy_queries = [=](int tile) {
        const uint32 stage = stages_address + tile % 2 * 2 * tile_bytes;
        const int first = tile * tile_rows;
        copy_rows<tile_rows>(stage, queries + first * head.stride, head.stride, tokens - first);
        copy_rows<tile_rows>(stage + tile_bytes, gradients + static_cast<int64>(first) * head.width, head.width, tokens - first);
        // Half of the threads copy the log-sum-exp of a query each, the others delta. Beyond the last query all is zero, and so is what p multiplies.
        const int query = first + static_cast<int>(threadIdx.x) % tile_rows;
        const float* const statistic = (threadIdx.x < tile_rows ? log_sum_exp : delta) + head.statistics + query;
        copy_async<4>(shared_address(statistics + tile % 2 * threads + threadIdx.x), statistic, query < tokens);
    };
    bfloat16* const own = stages + 2 * tile_elements;
    copy_rows<tile_rows>(own_address, queries + own_rows, head.stride, count);
    copy_rows<tile_rows>(value_address, queries + own_rows + head.width, head.stride, count);
    commit_copies();
    copy_queries(0);
    commit_copies();
    int position = token_position(ids, head.first_row, thread_row(), tokens);
    const int own_position = token_position(ids, head.first_row, head.first + thread_row(), tokens);
    wait_copies<1>();
    __syncthreads();
    rotate_row<chunks_abreast>(own, thread_row(), own_position, of_keys);
    __syncwarp();
    row_fragments own_keys[1], own_values[1];
    load_fragments(own_keys[0], own_address, warp_first);
    if constexpr (!shares_values) {
        load_fragments(own_values[0], value_address, warp_first);
    }

    float key_gradient[1][chunks][4] = {}, value_gradient[1][chunks][4] = {};
    const float scale_of_2 = scale * log2_of_e;
    const int tiles = (tokens + tile_rows - 1) / tile_rows;
    for (int tile = 0; tile < tiles; tile++) {
        const uint32 stage = stages_address + tile % 2 * 2 * tile_bytes;
        wait_copies<0>();
        __syncthreads();
        const int current = position;
        if (tile + 1 < tiles) {
            copy_queries(tile + 1);
            commit_copies();
            position = token_position(ids, head.first_row, (tile + 1) * tile_rows + thread_row(), tokens);
        }
        rotate_row<chunks_abreast>(stages + tile % 2 * 2 * tile_elements, thread_row(), current, of_queries);
        __syncthreads();
#pragma unroll 1
        for (int first = 0; first < tile_rows; first += step_rows) {
            float weights[1][2][4], weight_gradients[1][2][4];
            multiply_rows(weights, own_keys, stage, first);
            if constexpr (shares_values) {
                multiply_rows(weight_gradients, value_address, warp_first, stage + tile_bytes, first);
            } else {
                multiply_rows(weight_gradients, own_values, stage + tile_bytes, first);
            }
#pragma unroll
            for (int n = 0; n < 2; n++) {
                const float* const of_query = statistics + tile % 2 * threads + first + n * 8 + threadIdx.x % 4 * 2;
                const float2 log_sum = *reinterpret_cast<const float2*>(of_query);
                const float2 mean = *reinterpret_cast<const float2*>(of_query + tile_rows);
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    weights[0][n][i] = exp2_fast(fmaf(weights[0][n][i], scale_of_2, (i % 2 == 0 ? log_sum.x : log_sum.y) * -log2_of_e));
                    weight_gradients[0][n][i] = weights[0][n][i] * (weight_gradients[0][n][i] - (i % 2 == 0 ? mean.x : mean.y));
                }
            }
            uint32 operand[1][4];
            pack_operand(operand[0], weights[0][0], weights[0][1]);
            accumulate_rows(value_gradient, operand, stage + tile_bytes, first);
            pack_operand(operand[0], weight_gradients[0][0], weight_gradients[0][1]);
            accumulate_rows(key_gradient, operand, stage, first);
        }
    }

    __syncthreads();
    bfloat16* const row_gradient = qkv_gradient + head.first_row * head.stride + blockIdx.y * HEAD_SIZE + own_rows;
    store_fragments(value_tile, warp_first, value_gradient[0], 1.0f, 1.0f);
    __syncwarp();
    store_warp_rows(row_gradient + head.width + warp_first * head.stride, head.stride, count - warp_first, value_tile, warp_first);
    finish_rows(
        stages, key_gradient[0], scale, queries + own_rows, row_gradient, head.stride, count, own_position, of_keys,
        weight_partial == nullptr ? nullptr : weight_partial + head.block * HEAD_SIZE);
}

extern "C" __global__ void __launch_bounds__(threads, blocks_per_multiprocessor) attention_backward_dq(
    const bfloat16* __restrict__ gradient, const bfloat16* __restrict__ qkv, const float* __restrict__ query_weight,
    const float* __restrict__ key_weight, const float* __restrict__ cosines, const float* __restrict__ sines, const int32* __restrict__ ids,
    const float* __restrict__ log_sum_exp, const float* __restrict__ delta, bfloat16* __restrict__ qkv_gradient,
    float* __restrict__ weight_partial, int tokens, int heads, float scale) {
    extern __shared__ uint4 shared[];
    bfloat16* const stages = reinterpret_cast<bfloat16*>(shared);
    const head_place head(tokens, heads);
    const bfloat16* const queries = qkv + head.first_row * head.stride + blockIdx.y * HEAD_SIZE;
    const bfloat16* const keys = queries + head.width;
    const bfloat16* const gradients = gradient + head.first_row * head.width + blockIdx.y * HEAD_SIZE;
    const int64 own_rows = head.first * head.stride;
    const uint32 stages_address = shared_address(stages), own_address = stages_address + 2 * tile_bytes;
    const rotary_norm of_queries{query_weight, cosines, sines}, of_keys{key_weight, cosines, sines};
    const int warp_first = threadIdx.x / warp_size * 16, count = tokens - head.first;
    const auto copy_keys = [=](int tile) {
        const uint32 stage = stages_address + tile % 2 * 2 * tile_bytes;
        const bfloat16* const rows = keys + tile * tile_rows * head.stride;
        copy_rows<tile_rows>(stage, rows, head.stride, tokens - tile * tile_rows);
        copy_rows<tile_rows>(stage + tile_bytes, rows + head.width, head.stride, tokens - tile * tile_rows);
    };

    bfloat16* const own = stages + 2 * tile_elements;
    copy_rows<tile_rows>(own_address, queries + own_rows, head.stride, count);
    copy_rows<tile_rows>(own_address + tile_bytes, gradients + static_cast<int64>(head.first) * head.width, head.width, count);
    commit_copies();
    copy_keys(0);
    commit_copies();
    int position = token_position(ids, head.first_row, thread_row(), tokens);
    const int own_position = token_position(ids, head.first_row, head.first + thread_row(), tokens);
    float log_sum[2], mean[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int row = warp_first + threadIdx.x % warp_size / 4 + half * 8;
        log_sum[half] = row < count ? log_sum_exp[head.statistics + head.first + row] * log2_of_e : 0.0f;
        mean[half] = row < count ? delta[head.statistics + head.first + row] : 0.0f;
    }
    wait_copies<1>();
    __syncthreads();
    rotate_row(own, thread_row(), own_position, of_queries);
    __syncwarp();
    row_fragments own_queries[1], own_gradients[1];
    load_fragments(own_queries[0], own_address, warp_first);
    load_fragments(own_gradients[0], own_address + tile_bytes, warp_first);

    float query_gradient[1][chunks][4] = {};
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
            position = token_position(ids, head.first_row, (tile + 1) * tile_rows + thread_row(), tokens);
        }
        rotate_row(stages + tile % 2 * 2 * tile_elements, thread_row(), current, of_keys);
        __syncthreads();
#pragma unroll 1
        for (int first = 0; first < tile_rows; first += step_rows) {
            float weights[1][2][4], weight_gradients[1][2][4];
            multiply_rows(weights, own_queries, stage, first);
            multiply_rows(weight_gradients, own_gradients, stage + tile_bytes, first);
            const int valid = tokens - tile * tile_rows - first - threadIdx.x % 4 * 2;
#pragma unroll
            for (int n = 0; n < 2; n++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    // Keys beyond the last are zeros: their weight must not overflow.
                    const float weight = n * 8 + i % 2 < valid ? exp2_fast(fmaf(weights[0][n][i], scale_of_2, -log_sum[i / 2])) : 0.0f;
                    weight_gradients[0][n][i] = weight * (weight_gradients[0][n][i] - mean[i / 2]);
                }
            }
            uint32 operand[1][4];
            pack_operand(operand[0], weight_gradients[0][0], weight_gradients[0][1]);
            accumulate_rows(query_gradient, operand, stage, first);
        }
    }

    __syncthreads();
    finish_rows(
        stages, query_gradient[0], scale, queries + own_rows, qkv_gradient + head.first_row * head.stride + blockIdx.y * HEAD_SIZE + own_rows,
        head.stride, count, own_position, of_queries, weight_partial == nullptr ? nullptr : weight_partial + head.block * HEAD_SIZE);
}

extern "C" __global__ void __launch_bounds__(weights_threads) attention_backward_weights(
    const float* __restrict__ query_partial, const float* __restrict__ key_partial, float* __restrict__ query_weight_gradient,
    float* __restrict__ key_weight_gradient, int64 blocks) {
    sum_partials(
        blockIdx.y == 0 ? query_partial : key_partial, blockIdx.y == 0 ? query_weight_gradient : key_weight_gradient, blocks);
}
