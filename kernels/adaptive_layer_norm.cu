// Adaptive layer norm: y = LN(x) (1 + scale) + shift, LN without parameters, biased variance. SPRINT.md section 2.
// x, y (B, N, width) stored as ELEMENT (float or bfloat16); shift and scale are chunks of width elements in each row of
// modulation (B, modulation_stride), ELEMENT too. With mean and rstd = 1/sqrt(variance + epsilon) of a row, xhat = (x - mean) rstd:
//   adaptive_layer_norm_forward    y = xhat (1 + scale) + shift; statistics (B, N, 2) float32 = (mean, rstd), or null      overwritten
//   adaptive_layer_norm_backward   g = dy (1 + scale); dx = rstd (g - mean(g) - xhat mean(g xhat)), or null      overwritten or added to
//                                  partial (B, chunks, 2, width) float32 = sums of dy and of dy xhat over a chunk's rows (store_row_sums), or null
//   adaptive_layer_norm_backward_modulation   dshift[b] += sum of partial[b, :, 0]; dscale[b] += sum of partial[b, :, 1]    added to
// Each input is read once and each output written once: a row stays in registers. The variance is that of the differences to the mean.
// Sums are float32 in an order given by the launch alone: the same launch gives the same bits.
// Launch: block (threads, rows) with threads = ceil(width / 16) rounded up to a multiple of 32, threads * rows <= 512: width at
// most 8,192; each thread holds 16 columns. Tensors start at multiples of 16 bytes.

#include "common/packs.cuh"
#include "common/reductions.cuh"

#ifndef ELEMENT
#define ELEMENT float
#endif

constexpr int columns_per_thread = 16;
constexpr int widest = pack_of<ELEMENT>::widest;
constexpr int most_warps = 16;

// The columns of a row that a thread holds: packs of COUNT, neighbouring threads side by side.
template <int COUNT>
struct row_part {
    static constexpr int packs = columns_per_thread / COUNT;

    __device__ static __forceinline__ int column(int item) { return (item * blockDim.x + threadIdx.x) * COUNT; }
};

template <int COUNT>
__device__ __forceinline__ void load_part(const ELEMENT* __restrict__ row, bool inside, int width, float (&values)[columns_per_thread / COUNT][COUNT]) {
#pragma unroll
    for (int item = 0; item < row_part<COUNT>::packs; item++) {
        const int column = row_part<COUNT>::column(item);
        if (inside && column < width) {
            load_pack<COUNT>(row + column, values[item]);
        } else {
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                values[item][i] = 0.0f;
            }
        }
    }
}

template <int COUNT>
__device__ __forceinline__ void normalize_row(
    const ELEMENT* __restrict__ input, const ELEMENT* __restrict__ modulation, ELEMENT* __restrict__ output, float2* __restrict__ statistics,
    int64 rows, int tokens, int width, int64 modulation_stride, int shift_offset, int scale_offset, float epsilon, float2* scratch) {
    using part = row_part<COUNT>;
    const int64 row = static_cast<int64>(blockIdx.x) * blockDim.y + threadIdx.y;
    const bool inside = row < rows;
    float values[part::packs][COUNT];
    load_part<COUNT>(input + row * width, inside, width, values);

    float sum = 0.0f;
#pragma unroll
    for (int item = 0; item < part::packs; item++) {
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            sum += values[item][i];
        }
    }
    const float mean = row_sums(sum, 0.0f, scratch).x / width;

    float squares = 0.0f;
#pragma unroll
    for (int item = 0; item < part::packs; item++) {
        if (part::column(item) < width) {
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                const float difference = values[item][i] - mean;
                squares += difference * difference;
            }
        }
    }
    const float rstd = 1.0f / sqrtf(row_sums(squares, 0.0f, scratch).x / width + epsilon);

    if (!inside) {
        return;
    }
    if (statistics != nullptr && threadIdx.x == 0) {
        statistics[row] = make_float2(mean, rstd);
    }
    const ELEMENT* own_modulation = modulation + row / tokens * modulation_stride;
#pragma unroll
    for (int item = 0; item < part::packs; item++) {
        const int column = part::column(item);
        if (column < width) {
            float shift[COUNT], scale[COUNT];
            load_pack<COUNT>(own_modulation + shift_offset + column, shift);
            load_pack<COUNT>(own_modulation + scale_offset + column, scale);
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                values[item][i] = (values[item][i] - mean) * rstd * (1.0f + scale[i]) + shift[i];
            }
            store_pack<COUNT>(output + row * width + column, values[item]);
        }
    }
}

// rows = B * N; grid (ceil(rows / blockDim.y)). Offsets and stride of the modulation in elements.
extern "C" __global__ void __launch_bounds__(512) adaptive_layer_norm_forward(
    const ELEMENT* __restrict__ input, const ELEMENT* __restrict__ modulation, ELEMENT* __restrict__ output, float2* __restrict__ statistics,
    int64 rows, int tokens, int width, int64 modulation_stride, int shift_offset, int scale_offset, float epsilon) {
    __shared__ float2 scratch[most_warps];
    if (width % widest == 0) {
        normalize_row<widest>(
            input, modulation, output, statistics, rows, tokens, width, modulation_stride, shift_offset, scale_offset, epsilon, scratch);
    } else {
        normalize_row<1>(
            input, modulation, output, statistics, rows, tokens, width, modulation_stride, shift_offset, scale_offset, epsilon, scratch);
    }
}

template <int COUNT>
__device__ __forceinline__ void differentiate_rows(
    const ELEMENT* __restrict__ gradient, const ELEMENT* __restrict__ input, const ELEMENT* __restrict__ modulation,
    const float2* __restrict__ statistics, ELEMENT* __restrict__ input_gradient, float* __restrict__ partial,
    int tokens, int width, int64 modulation_stride, int scale_offset, int accumulate, float2* scratch) {
    using part = row_part<COUNT>;
    const int64 sample = blockIdx.y;
    const int chunk = (tokens + gridDim.x - 1) / gridDim.x;
    const int first = blockIdx.x * chunk;
    const int last = min(first + chunk, tokens);
    const ELEMENT* scales = modulation + sample * modulation_stride + scale_offset;
    float shift_sums[part::packs][COUNT] = {};
    float scale_sums[part::packs][COUNT] = {};

    for (int token = first; token < last; token++) {
        const int64 row = sample * tokens + token;
        const float2 own = statistics[row];
        float upstream[part::packs][COUNT], normalized[part::packs][COUNT];
        load_part<COUNT>(gradient + row * width, true, width, upstream);
        load_part<COUNT>(input + row * width, true, width, normalized);
        float sum = 0.0f;
        float product = 0.0f;
#pragma unroll
        for (int item = 0; item < part::packs; item++) {
            const int column = part::column(item);
            if (column < width) {
                float scale[COUNT];
                load_pack<COUNT>(scales + column, scale);
#pragma unroll
                for (int i = 0; i < COUNT; i++) {
                    normalized[item][i] = (normalized[item][i] - own.x) * own.y;
                    shift_sums[item][i] += upstream[item][i];
                    scale_sums[item][i] += upstream[item][i] * normalized[item][i];
                    upstream[item][i] *= 1.0f + scale[i];
                    sum += upstream[item][i];
                    product += upstream[item][i] * normalized[item][i];
                }
            }
        }
        if (input_gradient == nullptr) {
            continue;
        }
        const float2 sums = row_sums(sum, product, scratch);
        const float mean_gradient = sums.x / width;
        const float mean_product = sums.y / width;
#pragma unroll
        for (int item = 0; item < part::packs; item++) {
            const int column = part::column(item);
            if (column < width) {
                ELEMENT* target = input_gradient + row * width + column;
                float result[COUNT] = {};
                if (accumulate != 0) {
                    load_pack<COUNT>(target, result);
                }
#pragma unroll
                for (int i = 0; i < COUNT; i++) {
                    result[i] += own.y * (upstream[item][i] - mean_gradient - normalized[item][i] * mean_product);
                }
                store_pack<COUNT>(target, result);
            }
        }
    }

    if (partial == nullptr) {
        return;
    }
    float* sums = partial + (sample * gridDim.x + blockIdx.x) * 2 * width;
#pragma unroll
    for (int item = 0; item < part::packs; item++) {
        const int column = part::column(item);
        if (column < width) {
            store_row_sums<COUNT>(sums, column, width, shift_sums[item]);
            store_row_sums<COUNT>(sums + width, column, width, scale_sums[item]);
        }
    }
}

// Block (threads, 1); grid (chunks, B): each block takes ceil(N / chunks) rows of one sample.
extern "C" __global__ void __launch_bounds__(512) adaptive_layer_norm_backward(
    const ELEMENT* __restrict__ gradient, const ELEMENT* __restrict__ input, const ELEMENT* __restrict__ modulation,
    const float2* __restrict__ statistics, ELEMENT* __restrict__ input_gradient, float* __restrict__ partial,
    int tokens, int width, int64 modulation_stride, int scale_offset, int accumulate) {
    __shared__ float2 scratch[most_warps];
    if (width % widest == 0) {
        differentiate_rows<widest>(
            gradient, input, modulation, statistics, input_gradient, partial, tokens, width, modulation_stride, scale_offset, accumulate, scratch);
    } else {
        differentiate_rows<1>(
            gradient, input, modulation, statistics, input_gradient, partial, tokens, width, modulation_stride, scale_offset, accumulate, scratch);
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
