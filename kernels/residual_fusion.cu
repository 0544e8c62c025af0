// Residual fusion: y[n] = f[n] Wf^T + (kept(n) ? g[row(n)] : m) Wg^T + b, SPRINT.md sections 1 and 7. W (width, 2 width), columns of Wg first.
// Its products run in matrix_product.cu: t = g Wg^T + b over kept rows, float32, then f Wf^T with the epilogue that adds each row's t, or
// the constant. What is here, for f (B, N, width) and g (B, M, width) stored as ELEMENT (float or bfloat16):
//   fusion_constant_forward        constant (width) float32 = m Wg^T + b                                                     overwritten
//   fusion_gather_backward         kept's row rows[n] = dy[n]; partial (chunks, 2, width) float32 = sums of dy over all rows of a
//                                  chunk, and over its dropped ones                                                         overwritten
//   fusion_gather_backward_reduce  dropped (width) float32 = sum of dy over dropped rows, overwritten; db = sum over all rows, or null,
//                                  overwritten or added to
//   fusion_constant_backward       dWg = dropped^T m                                                          overwritten or added to
//   fusion_mask_backward           dm += dropped Wg                                                                          added to
// A row of g that no token has (path drop) is left alone in `kept`: clear it before. Sums are float32 in an order given by the launch alone:
// the same launch gives the same bits. Launch: per kernel below. Tensors start at multiples of 16 bytes.

#include "common/types.cuh"

#ifndef ELEMENT
#define ELEMENT float
#endif

#include "common/column_sums.cuh"
#include "common/reductions.cuh"

constexpr int widest = pack_of<ELEMENT>::widest;

template <int COUNT>
__device__ __forceinline__ float warp_product(const ELEMENT* __restrict__ first, const ELEMENT* __restrict__ second, int width) {
    float sum = 0.0f;
    for (int column = threadIdx.x * COUNT; column < width; column += warp_size * COUNT) {
        float a[COUNT], b[COUNT];
        load_pack<COUNT>(first + column, a);
        load_pack<COUNT>(second + column, b);
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            sum = fmaf(a[i], b[i], sum);
        }
    }
    return warp_sum(sum);
}

// A warp for each output: blocks (32, 8), grid (ceil(width / 8)).
extern "C" __global__ void __launch_bounds__(256) fusion_constant_forward(
    const ELEMENT* __restrict__ mask_token, const ELEMENT* __restrict__ weight, const ELEMENT* __restrict__ bias, float* __restrict__ constant,
    int width) {
    const int output = blockIdx.x * blockDim.y + threadIdx.y;
    if (output >= width) {
        return;
    }
    const ELEMENT* row = weight + static_cast<int64>(output) * 2 * width;
    const float product = width % widest == 0 ? warp_product<widest>(mask_token, row, width) : warp_product<1>(mask_token, row, width);
    if (threadIdx.x == 0) {
        constant[output] = product + to_float(bias[output]);
    }
}

template <int COUNT>
__device__ __forceinline__ void gather_rows(
    const ELEMENT* __restrict__ gradient, const int32* __restrict__ rows, ELEMENT* __restrict__ kept, float* __restrict__ partial,
    int64 count, int width, float* scratch) {
    const int64 chunk = (count + gridDim.y - 1) / gridDim.y;
    const int64 first = blockIdx.y * chunk;
    const int64 last = min(first + chunk, count);
    const int first_column = blockIdx.x * sum_lanes * COUNT;
    const int column = first_column + threadIdx.x * COUNT;
    float all[COUNT] = {};
    float dropped[COUNT] = {};
    if (column < width) {
        for (int64 token = first + threadIdx.y; token < last; token += sum_rows) {
            float own[COUNT];
            load_pack<COUNT>(gradient + token * width + column, own);
            const int32 row = rows == nullptr ? -1 : rows[token];
            if (row >= 0) {
                store_pack<COUNT>(kept + static_cast<int64>(row) * width + column, own);
            }
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                all[i] += own[i];
                dropped[i] += row < 0 ? own[i] : 0.0f;
            }
        }
    }
    float* own = partial + static_cast<int64>(blockIdx.y) * 2 * width;
    store_block_sums<COUNT>(all, own, first_column, width, scratch);
    store_block_sums<COUNT>(dropped, own + width, first_column, width, scratch);
}

// count = B * N; rows null: every token is dropped. Blocks (32, 8); grid (ceil(width / 32 / widest), chunks) where width is a multiple of
// widest, else (ceil(width / 32), chunks).
extern "C" __global__ void __launch_bounds__(256) fusion_gather_backward(
    const ELEMENT* __restrict__ gradient, const int32* __restrict__ rows, ELEMENT* __restrict__ kept, float* __restrict__ partial,
    int64 count, int width) {
    __shared__ float scratch[sum_scratch<widest>];
    if (width % widest == 0) {
        gather_rows<widest>(gradient, rows, kept, partial, count, width, scratch);
    } else {
        gather_rows<1>(gradient, rows, kept, partial, count, width, scratch);
    }
}

// One thread a column, one-dimensional.
extern "C" __global__ void __launch_bounds__(256) fusion_gather_backward_reduce(
    const float* __restrict__ partial, float* __restrict__ dropped, void* __restrict__ bias_gradient, int chunks, int width,
    int gradient_is_float, int accumulate) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= width) {
        return;
    }
    dropped[column] = add_chunks(partial + width + column, 2 * width, chunks);
    if (bias_gradient != nullptr) {
        leave_element(bias_gradient, column, add_chunks(partial + column, 2 * width, chunks), gradient_is_float != 0, accumulate != 0);
    }
}

// Blocks (32, 8); grid (ceil(width / 32), ceil(width / 8)).
extern "C" __global__ void __launch_bounds__(256) fusion_constant_backward(
    const float* __restrict__ dropped, const ELEMENT* __restrict__ mask_token, void* __restrict__ weight_gradient, int width, int gradient_is_float,
    int accumulate) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < width && column < width) {
        const float product = dropped[row] * to_float(mask_token[column]);
        leave_element(weight_gradient, static_cast<int64>(row) * 2 * width + column, product, gradient_is_float != 0, accumulate != 0);
    }
}

// Blocks (32, 8), 32 columns each: grid (ceil(width / 32)).
extern "C" __global__ void __launch_bounds__(256) fusion_mask_backward(
    const float* __restrict__ dropped, const ELEMENT* __restrict__ weight, void* __restrict__ mask_gradient, int width, int gradient_is_float) {
    __shared__ float scratch[sum_scratch<1>];
    __shared__ float total[sum_lanes];
    const int first_column = blockIdx.x * sum_lanes;
    const int column = first_column + threadIdx.x;
    float sum[1] = {};
    if (column < width) {
        for (int row = threadIdx.y; row < width; row += sum_rows) {
            sum[0] = fmaf(dropped[row], to_float(weight[static_cast<int64>(row) * 2 * width + column]), sum[0]);
        }
    }
    store_block_sums<1>(sum, total, 0, width - first_column, scratch);
    if (threadIdx.y == 0 && column < width) {
        leave_element(mask_gradient, column, total[threadIdx.x], gradient_is_float != 0, true);
    }
}
