// Adaptive layer norm: y = LN(x) (1 + scale) + shift, LN without parameters, biased variance. SPRINT.md section 2.
// x, y (B, N, width) stored as ELEMENT (float or bfloat16); shift and scale are chunks of width elements in each row of
// modulation (B, modulation_stride), ELEMENT too. With mean and rstd = 1/sqrt(variance + epsilon) of a row, xhat = (x - mean) rstd:
//   adaptive_layer_norm_forward    y = xhat (1 + scale) + shift; statistics (B, N, 2) float32 = (mean, rstd), or null      overwritten
//   adaptive_layer_norm_backward   g = dy (1 + scale); dx = rstd (g - mean(g) - xhat mean(g xhat)), or null      overwritten or added to
//                                  partial (B, chunks, 2, width) float32 = sums of dy and of dy xhat over a chunk's rows (store_row_sums), or null
//   adaptive_layer_norm_backward_modulation   dshift[b] += sum of partial[b, :, 0]; dscale[b] += sum of partial[b, :, 1]    added to
// Each input is read once and each output written once: a row stays in registers. The variance is that of the differences to the mean.
// Sums are float32 in an order given by the launch alone: the same launch gives the same bits.
// Launch: block (threads, rows) with threads a multiple of 32 and threads * columns at least the width, of forward_columns a thread with
// threads * rows <= 256, of backward_columns with threads <= 1,024 and one row: width at most 8,192. Tensors start at multiples of 16 bytes.

#include "common/packs.cuh"
#include "common/reductions.cuh"

#ifndef ELEMENT
#define ELEMENT float
#endif

constexpr int widest = pack_of<ELEMENT>::widest;
constexpr int most_warps = 32;

// Forward a warp takes up to 1,280 columns, a row of most models, and its sums need no barrier. Backward a thread keeps two sums a column over many rows.
constexpr int forward_columns = 40;
constexpr int backward_columns = 8;

using stored_pack = pack<ELEMENT, widest>;

// The first column of a thread's pack `item`; neighbouring threads have packs side by side.
__device__ __forceinline__ int column_of(int item) { return (item * blockDim.x + threadIdx.x) * widest; }

__device__ __forceinline__ stored_pack load_inside(const ELEMENT* __restrict__ address, bool inside) {
    return inside ? load_stored<widest>(address) : stored_pack{};
}

__device__ __forceinline__ float normalize(float value, float2 statistics, float shift, float scale) {
    return (value - statistics.x) * statistics.y * (1.0f + scale) + shift;
}

// Rows of whole packs stay in registers. A row behind the last takes part in the sums alone.
__device__ __forceinline__ float2 normalize_packs(
    const ELEMENT* __restrict__ input, const ELEMENT* __restrict__ shifts, const ELEMENT* __restrict__ scales, ELEMENT* __restrict__ output,
    bool inside, int width, float epsilon, float (&scratch)[2][most_warps]) {
    constexpr int packs = forward_columns / widest;
    const float inverse_width = 1.0f / width;
    float values[packs][widest];
#pragma unroll
    for (int item = 0; item < packs; item++) {
        const int column = column_of(item);
        load_inside(input + column, inside && column < width).widen(values[item]);
    }
    float sum = 0.0f;
#pragma unroll
    for (int item = 0; item < packs; item++) {
#pragma unroll
        for (int i = 0; i < widest; i++) {
            sum += values[item][i];
        }
    }
    const float mean = row_sum(sum, scratch[0]) * inverse_width;

    float squares = 0.0f;
#pragma unroll
    for (int item = 0; item < packs; item++) {
        if (column_of(item) < width) {
#pragma unroll
            for (int i = 0; i < widest; i++) {
                squares += (values[item][i] - mean) * (values[item][i] - mean);
            }
        }
    }
    const float2 statistics = make_float2(mean, rsqrtf(row_sum(squares, scratch[1]) * inverse_width + epsilon));
#pragma unroll
    for (int item = 0; item < packs; item++) {
        const int column = column_of(item);
        if (inside && column < width) {
            float shift[widest], scale[widest];
            load_pack<widest>(shifts + column, shift);
            load_pack<widest>(scales + column, scale);
#pragma unroll
            for (int i = 0; i < widest; i++) {
                values[item][i] = normalize(values[item][i], statistics, shift[i], scale[i]);
            }
            store_pack<widest>(output + column, values[item]);
        }
    }
    return statistics;
}

// Rows of any width: read three times, from the caches but for the first.
__device__ __forceinline__ float2 normalize_elements(
    const ELEMENT* __restrict__ input, const ELEMENT* __restrict__ shifts, const ELEMENT* __restrict__ scales, ELEMENT* __restrict__ output,
    bool inside, int width, float epsilon, float (&scratch)[2][most_warps]) {
    const int columns = inside ? width : 0;
    float sum = 0.0f;
    for (int column = threadIdx.x; column < columns; column += blockDim.x) {
        sum += to_float(input[column]);
    }
    const float mean = row_sum(sum, scratch[0]) / width;
    float squares = 0.0f;
    for (int column = threadIdx.x; column < columns; column += blockDim.x) {
        const float difference = to_float(input[column]) - mean;
        squares += difference * difference;
    }
    const float2 statistics = make_float2(mean, rsqrtf(row_sum(squares, scratch[1]) / width + epsilon));
    for (int column = threadIdx.x; column < columns; column += blockDim.x) {
        output[column] = from_float<ELEMENT>(normalize(to_float(input[column]), statistics, to_float(shifts[column]), to_float(scales[column])));
    }
    return statistics;
}

// rows = B * N; grid (ceil(rows / blockDim.y)). Offsets and stride of the modulation in elements.
extern "C" __global__ void __launch_bounds__(256, 3) adaptive_layer_norm_forward(
    const ELEMENT* __restrict__ input, const ELEMENT* __restrict__ modulation, ELEMENT* __restrict__ output, float2* __restrict__ statistics,
    int64 rows, int tokens, int width, int64 modulation_stride, int shift_offset, int scale_offset, float epsilon) {
    __shared__ float scratch[2][most_warps];
    const int64 row = static_cast<int64>(blockIdx.x) * blockDim.y + threadIdx.y;
    const bool inside = row < rows;
    const ELEMENT* own_modulation = modulation + row / tokens * modulation_stride;
    const ELEMENT* shifts = own_modulation + shift_offset;
    const ELEMENT* scales = own_modulation + scale_offset;
    const float2 own = width % widest == 0
        ? normalize_packs(input + row * width, shifts, scales, output + row * width, inside, width, epsilon, scratch)
        : normalize_elements(input + row * width, shifts, scales, output + row * width, inside, width, epsilon, scratch);
    if (statistics != nullptr && inside && threadIdx.x == 0) {
        statistics[row] = own;
    }
}

// What a thread reads of a row of whole packs, as it is stored.
struct row_part {
    static constexpr int packs = backward_columns / widest;

    stored_pack gradient[packs];
    stored_pack input[packs];
    float2 statistics;

    __device__ __forceinline__ void load(
        const ELEMENT* __restrict__ gradients, const ELEMENT* __restrict__ inputs, const float2* __restrict__ own_statistics, int width) {
        statistics = *own_statistics;
#pragma unroll
        for (int item = 0; item < packs; item++) {
            const int column = column_of(item);
            gradient[item] = load_inside(gradients + column, column < width);
            input[item] = load_inside(inputs + column, column < width);
        }
    }
};

// Rows of whole packs: one is on its way while the one before it is computed with.
__device__ __forceinline__ void differentiate_packs(
    const ELEMENT* __restrict__ gradient, const ELEMENT* __restrict__ input, const ELEMENT* __restrict__ scales,
    const float2* __restrict__ statistics, ELEMENT* __restrict__ input_gradient, float* __restrict__ partial,
    int rows, int width, bool accumulate, float2 (&scratch)[2][most_warps]) {
    constexpr int packs = row_part::packs;
    const float inverse_width = 1.0f / width;
    float shift_sums[packs][widest] = {};
    float scale_sums[packs][widest] = {};
    row_part stored = {};
    if (rows > 0) {
        stored.load(gradient, input, statistics, width);
    }
    int64 start = 0;
    for (int row = 0; row < rows; row++, start += width) {
        const float2 own = stored.statistics;
        float upstream[packs][widest], normalized[packs][widest];
#pragma unroll
        for (int item = 0; item < packs; item++) {
            stored.gradient[item].widen(upstream[item]);
            stored.input[item].widen(normalized[item]);
        }
        if (row + 1 < rows) {
            stored.load(gradient + start + width, input + start + width, statistics + row + 1, width);
        }
        float2 sums = make_float2(0.0f, 0.0f);
#pragma unroll
        for (int item = 0; item < packs; item++) {
            const int column = column_of(item);
            float scale[widest];
            load_inside(scales + column, column < width).widen(scale);
#pragma unroll
            for (int i = 0; i < widest; i++) {
                normalized[item][i] = (normalized[item][i] - own.x) * own.y;
                shift_sums[item][i] += upstream[item][i];
                scale_sums[item][i] += upstream[item][i] * normalized[item][i];
                upstream[item][i] += upstream[item][i] * scale[i];
                sums.x += upstream[item][i];
                sums.y += upstream[item][i] * normalized[item][i];
            }
        }
        if (input_gradient == nullptr) {
            continue;
        }
        sums = row_sum(sums, scratch[row % 2]);
        const float mean_gradient = sums.x * inverse_width;
        const float mean_product = sums.y * inverse_width;
#pragma unroll
        for (int item = 0; item < packs; item++) {
            const int column = column_of(item);
            if (column < width) {
                ELEMENT* target = input_gradient + start + column;
                float result[widest] = {};
                if (accumulate) {
                    load_pack<widest>(target, result);
                }
#pragma unroll
                for (int i = 0; i < widest; i++) {
                    result[i] += own.y * (upstream[item][i] - mean_gradient - normalized[item][i] * mean_product);
                }
                store_pack<widest>(target, result);
            }
        }
    }

    if (partial == nullptr) {
        return;
    }
#pragma unroll
    for (int item = 0; item < packs; item++) {
        const int column = column_of(item);
        if (column < width) {
            store_row_sums<widest>(partial, column, width, shift_sums[item]);
            store_row_sums<widest>(partial + width, column, width, scale_sums[item]);
        }
    }
}

// Rows of any width: read twice, the second time from the caches.
__device__ __forceinline__ void differentiate_elements(
    const ELEMENT* __restrict__ gradient, const ELEMENT* __restrict__ input, const ELEMENT* __restrict__ scales,
    const float2* __restrict__ statistics, ELEMENT* __restrict__ input_gradient, float* __restrict__ partial,
    int rows, int width, bool accumulate, float2 (&scratch)[2][most_warps]) {
    float shift_sums[backward_columns] = {};
    float scale_sums[backward_columns] = {};
    int64 start = 0;
    for (int row = 0; row < rows; row++, start += width) {
        const float2 own = statistics[row];
        float2 sums = make_float2(0.0f, 0.0f);
#pragma unroll
        for (int i = 0; i < backward_columns; i++) {
            const int column = i * blockDim.x + threadIdx.x;
            if (column < width) {
                const float upstream = to_float(gradient[start + column]);
                const float normalized = (to_float(input[start + column]) - own.x) * own.y;
                const float scaled = upstream + upstream * to_float(scales[column]);
                shift_sums[i] += upstream;
                scale_sums[i] += upstream * normalized;
                sums.x += scaled;
                sums.y += scaled * normalized;
            }
        }
        if (input_gradient == nullptr) {
            continue;
        }
        sums = row_sum(sums, scratch[row % 2]);
        for (int column = threadIdx.x; column < width; column += blockDim.x) {
            const float upstream = to_float(gradient[start + column]);
            const float normalized = (to_float(input[start + column]) - own.x) * own.y;
            const float result = own.y * (upstream + upstream * to_float(scales[column]) - sums.x / width - normalized * (sums.y / width));
            ELEMENT* target = input_gradient + start + column;
            *target = from_float<ELEMENT>(accumulate ? to_float(*target) + result : result);
        }
    }

    if (partial == nullptr) {
        return;
    }
#pragma unroll
    for (int i = 0; i < backward_columns; i++) {
        const int column = i * blockDim.x + threadIdx.x;
        if (column < width) {
            partial[column] = shift_sums[i];
            partial[width + column] = scale_sums[i];
        }
    }
}

// Block (threads, 1); grid (chunks, B): each block takes ceil(N / chunks) rows of one sample.
extern "C" __global__ void __launch_bounds__(1024) adaptive_layer_norm_backward(
    const ELEMENT* __restrict__ gradient, const ELEMENT* __restrict__ input, const ELEMENT* __restrict__ modulation,
    const float2* __restrict__ statistics, ELEMENT* __restrict__ input_gradient, float* __restrict__ partial,
    int tokens, int width, int64 modulation_stride, int scale_offset, int accumulate) {
    __shared__ float2 scratch[2][most_warps];
    const int64 sample = blockIdx.y;
    const int chunk = (tokens + gridDim.x - 1) / gridDim.x;
    const int first = min(static_cast<int>(blockIdx.x) * chunk, tokens);
    const int rows = min(chunk, tokens - first);
    const int64 row = sample * tokens + first;
    const ELEMENT* scales = modulation + sample * modulation_stride + scale_offset;
    ELEMENT* target = input_gradient == nullptr ? nullptr : input_gradient + row * width;
    float* sums = partial == nullptr ? nullptr : partial + (sample * gridDim.x + blockIdx.x) * 2 * width;
    if (width % widest == 0) {
        differentiate_packs(
            gradient + row * width, input + row * width, scales, statistics + row, target, sums, rows, width, accumulate != 0, scratch);
    } else {
        differentiate_elements(
            gradient + row * width, input + row * width, scales, statistics + row, target, sums, rows, width, accumulate != 0, scratch);
    }
}

// One thread a column of shift (blockIdx.z = 0) or scale (1): one-dimensional blocks, grid (ceil(width / blockDim.x), B, 2).
extern "C" __global__ void __launch_bounds__(256) adaptive_layer_norm_backward_modulation(
    const float* __restrict__ partial, ELEMENT* __restrict__ modulation_gradient,
    int chunks, int width, int64 modulation_stride, int shift_offset, int scale_offset) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= width) {
        return;
    }
    const int64 sample = blockIdx.y;
    const int which = blockIdx.z;
    ELEMENT* target = modulation_gradient + sample * modulation_stride + (which == 0 ? shift_offset : scale_offset) + column;
    const int place = row_sum_place(column, width, widest);
    float sum = to_float(*target);
    for (int chunk = 0; chunk < chunks; chunk++) {
        sum += partial[((sample * chunks + chunk) * 2 + which) * width + place];
    }
    *target = from_float<ELEMENT>(sum);
}
