// Token dropping: which tokens of each sample are kept, and moving rows between the full grid and the kept rows. SPRINT.md section 3.
// B samples, N tokens of the full grid, M kept; rows of `width` elements stored as ELEMENT (float or bfloat16).
//   tokens_select_structured  ids (B, M): in each group of the grid the `kept` largest uniforms, by falling value; groups row-major
//   tokens_sample_structured  the same, with the uniforms drawn in place as random_uniform draws them
//   tokens_select_random      ids (B, M): the M smallest of the sample's N uniforms, by rising value
//   tokens_locate             rows (B, N): the kept row sample * M + k of each token, or -1
//   tokens_gather_forward     y[b, k] = x[b, ids[b, k]]                    overwritten
//   tokens_gather_backward    dx[b, ids[b, k]] += dy[b, k]                 added to
//   tokens_scatter_forward    y[b, n] = x's row rows[b, n], or the fill    overwritten
//   tokens_scatter_backward_input   dx's row rows[b, n] += dy[b, n]        added to
//   tokens_scatter_backward_fill    partial[c] = sum of dy[b, n] over the dropped rows of chunk c   overwritten, float32
//   tokens_scatter_backward_fill_reduce   dfill += sum of partial over c   added to
// Equal uniforms: the lower index first. An id occurs once in a sample, so nothing is written twice and no atomics are needed; sums run in
// the order of the rows: the same launch gives the same bits.
// Launch: per kernel below. Tensors start at multiples of 16 bytes.

#include "common/elements.cuh"
#include "common/philox.cuh"

#ifndef ELEMENT
#define ELEMENT float
#endif

constexpr int tile = 256;
constexpr int widest = pack_of<ELEMENT>::widest;
constexpr int rows_in_flight = 4;

// The rows this thread's threadIdx.y stands for: launched with blocks (threads across a row, rows), grid (ceil(rows / blockDim.y)).
__device__ __forceinline__ int64 block_row() { return static_cast<int64>(blockIdx.x) * blockDim.y + threadIdx.y; }

__device__ __forceinline__ void copy_row(ELEMENT* __restrict__ target, const ELEMENT* __restrict__ source, int width) {
    for_row<widest>(
        width,
        [=](int column) { *reinterpret_cast<uint4*>(target + column) = *reinterpret_cast<const uint4*>(source + column); },
        [=](int column) { target[column] = source[column]; });
}

template <int COUNT>
__device__ __forceinline__ void add_pack(ELEMENT* __restrict__ target, const ELEMENT* __restrict__ source) {
    float sum[COUNT], term[COUNT];
    load_pack<COUNT>(target, sum);
    load_pack<COUNT>(source, term);
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        sum[i] += term[i];
    }
    store_pack<COUNT>(target, sum);
}

__device__ __forceinline__ void add_row(ELEMENT* __restrict__ target, const ELEMENT* __restrict__ source, int width) {
    for_row<widest>(
        width,
        [=](int column) { add_pack<widest>(target + column, source + column); },
        [=](int column) { add_pack<1>(target + column, source + column); });
}

// Writes token `index` of a group to its place among the group's kept tokens: its rank by falling uniform.
template <typename Uniform>
__device__ __forceinline__ void select_in_group(
    Uniform uniform, int32* __restrict__ ids, int64 group, int index, int group_size, int kept, int grid_height, int grid_width) {
    const int tokens = group_size * group_size;
    const float own = uniform(index);
    int rank = 0;
    for (int other = 0; other < tokens; other++) {
        const float value = uniform(other);
        rank += value > own || (value == own && other < index) ? 1 : 0;
    }
    if (rank >= kept) {
        return;
    }
    const int groups_across = grid_width / group_size;
    const int in_sample = static_cast<int>(group % (static_cast<int64>(grid_height / group_size) * groups_across));
    const int row = in_sample / groups_across * group_size + index / group_size;
    const int column = in_sample % groups_across * group_size + index % group_size;
    ids[group * kept + rank] = row * grid_width + column;
}

// One thread a token of the uniforms (B, groups, group_size^2), one-dimensional; the grid's sides are multiples of group_size.
extern "C" __global__ void __launch_bounds__(256) tokens_select_structured(
    const float* __restrict__ uniforms, int32* __restrict__ ids, int64 count, int group_size, int kept, int grid_height, int grid_width) {
    const int64 element = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (element >= count) {
        return;
    }
    const int tokens = group_size * group_size;
    const int64 group = element / tokens;
    const float* own_group = uniforms + group * tokens;
    select_in_group(
        [=](int index) { return own_group[index]; }, ids, group, static_cast<int>(element % tokens), group_size, kept, grid_height, grid_width);
}

// As tokens_select_structured. Element i of the draw is token i of (B, groups, group_size^2).
extern "C" __global__ void __launch_bounds__(256) tokens_sample_structured(
    int32* __restrict__ ids, int64 count, int group_size, int kept, int grid_height, int grid_width, uint64 seed, uint64 stream, uint64 counter) {
    const int64 element = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (element >= count) {
        return;
    }
    const int tokens = group_size * group_size;
    const int64 group = element / tokens;
    const int64 first = group * tokens;
    select_in_group(
        [=](int index) { return uniform_of(philox_word(seed, stream, counter, first + index)); },
        ids, group, static_cast<int>(element % tokens), group_size, kept, grid_height, grid_width);
}

// uniforms (B, N). One thread a token: block (256), grid (B, ceil(N / 256)). Each block passes the sample through shared memory.
extern "C" __global__ void __launch_bounds__(tile)
tokens_select_random(const float* __restrict__ uniforms, int32* __restrict__ ids, int tokens, int kept) {
    __shared__ float values[tile];
    const int64 sample = blockIdx.x;
    const float* own_sample = uniforms + sample * tokens;
    const int token = blockIdx.y * tile + threadIdx.x;
    const float own = token < tokens ? own_sample[token] : 0.0f;
    int rank = 0;
    for (int start = 0; start < tokens; start += tile) {
        const int length = min(tile, tokens - start);
        __syncthreads();
        if (static_cast<int>(threadIdx.x) < length) {
            values[threadIdx.x] = own_sample[start + threadIdx.x];
        }
        __syncthreads();
        for (int i = 0; i < length; i++) {
            rank += values[i] < own || (values[i] == own && start + i < token) ? 1 : 0;
        }
    }
    if (token < tokens && rank < kept) {
        ids[sample * kept + rank] = token;
    }
}

// ids (B, M), or null where every token is kept in its place (M = N); path_drop (B), or null. One block a sample, one-dimensional.
extern "C" __global__ void __launch_bounds__(256) tokens_locate(
    const int32* __restrict__ ids, const int32* __restrict__ path_drop, int32* __restrict__ rows, int tokens, int kept) {
    const int64 sample = blockIdx.x;
    int32* own = rows + sample * tokens;
    const bool dropped = path_drop != nullptr && path_drop[sample] != 0;
    const bool in_place = ids == nullptr && !dropped;
    for (int token = threadIdx.x; token < tokens; token += blockDim.x) {
        own[token] = in_place ? static_cast<int32>(sample * tokens + token) : -1;
    }
    if (ids == nullptr || dropped) {
        return;
    }
    __syncthreads();
    for (int k = threadIdx.x; k < kept; k += blockDim.x) {
        own[ids[sample * kept + k]] = static_cast<int32>(sample * kept + k);
    }
}

// rows = B * M.
extern "C" __global__ void __launch_bounds__(256) tokens_gather_forward(
    const ELEMENT* __restrict__ input, const int32* __restrict__ ids, ELEMENT* __restrict__ output, int64 rows, int tokens, int kept, int width) {
    const int64 row = block_row();
    if (row < rows) {
        copy_row(output + row * width, input + (row / kept * tokens + ids[row]) * width, width);
    }
}

// rows = B * M.
extern "C" __global__ void __launch_bounds__(256) tokens_gather_backward(
    const ELEMENT* __restrict__ gradient, const int32* __restrict__ ids, ELEMENT* __restrict__ input_gradient,
    int64 rows, int tokens, int kept, int width) {
    const int64 row = block_row();
    if (row < rows) {
        add_row(input_gradient + (row / kept * tokens + ids[row]) * width, gradient + row * width, width);
    }
}

// count = B * N.
extern "C" __global__ void __launch_bounds__(256) tokens_scatter_forward(
    const ELEMENT* __restrict__ input, const int32* __restrict__ rows, const ELEMENT* __restrict__ fill, ELEMENT* __restrict__ output,
    int64 count, int width) {
    const int64 token = block_row();
    if (token < count) {
        const int64 row = rows[token];
        copy_row(output + token * width, row < 0 ? fill : input + row * width, width);
    }
}

// count = B * N.
extern "C" __global__ void __launch_bounds__(256) tokens_scatter_backward_input(
    const ELEMENT* __restrict__ gradient, const int32* __restrict__ rows, ELEMENT* __restrict__ input_gradient, int64 count, int width) {
    const int64 token = block_row();
    if (token < count && rows[token] >= 0) {
        add_row(input_gradient + static_cast<int64>(rows[token]) * width, gradient + token * width, width);
    }
}

// Rows are read several at a time, or each would wait for the one before it; what was not dropped adds zeros, which change no bit of a sum that began as 0.
template <int COUNT>
__device__ __forceinline__ void sum_dropped(
    const ELEMENT* __restrict__ gradient, const int32* __restrict__ rows, float* __restrict__ partial,
    int64 first, int64 last, int column, int width) {
    float sum[COUNT] = {};
    for (int64 group = first; group < last; group += rows_in_flight) {
        bool dropped[rows_in_flight];
        pack<ELEMENT, COUNT> terms[rows_in_flight] = {};
#pragma unroll
        for (int i = 0; i < rows_in_flight; i++) {
            dropped[i] = rows[min(group + i, last - 1)] < 0 && group + i < last;
        }
#pragma unroll
        for (int i = 0; i < rows_in_flight; i++) {
            if (dropped[i]) {
                terms[i] = load_stored<COUNT>(gradient + (group + i) * width + column);
            }
        }
#pragma unroll
        for (int i = 0; i < rows_in_flight; i++) {
            float term[COUNT];
            terms[i].widen(term);
#pragma unroll
            for (int element = 0; element < COUNT; element++) {
                sum[element] += term[element];
            }
        }
    }
    store_sums<COUNT>(partial + column, sum);
}

// count = B * N tokens cut into gridDim.y chunks; partial (gridDim.y, width). One-dimensional blocks; gridDim.x * blockDim.x threads at least
// ceil(width / widest) where width is a multiple of widest, else width.
extern "C" __global__ void __launch_bounds__(256) tokens_scatter_backward_fill(
    const ELEMENT* __restrict__ gradient, const int32* __restrict__ rows, float* __restrict__ partial, int64 count, int width) {
    const int64 chunk = (count + gridDim.y - 1) / gridDim.y;
    const int64 first = blockIdx.y * chunk;
    const int64 last = min(first + chunk, count);
    const int thread = blockIdx.x * blockDim.x + threadIdx.x;
    float* own = partial + static_cast<int64>(blockIdx.y) * width;
    if (width % widest == 0) {
        if (thread * widest < width) {
            sum_dropped<widest>(gradient, rows, own, first, last, thread * widest, width);
        }
    } else if (thread < width) {
        sum_dropped<1>(gradient, rows, own, first, last, thread, width);
    }
}

// One thread a column, one-dimensional.
extern "C" __global__ void __launch_bounds__(256)
tokens_scatter_backward_fill_reduce(const float* __restrict__ partial, ELEMENT* __restrict__ fill_gradient, int chunks, int width) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= width) {
        return;
    }
    float sum = to_float(fill_gradient[column]);
    for (int chunk = 0; chunk < chunks; chunk++) {
        sum += partial[static_cast<int64>(chunk) * width + column];
    }
    fill_gradient[column] = from_float<ELEMENT>(sum);
}
