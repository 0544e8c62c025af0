// What a linear layer needs beside matrix products. Tensors of ELEMENT (float or bfloat16), rows of n elements.
//   linear_backward_activation    preactivation = gradient f'(preactivation), f GELU (tanh) or SiLU                     overwritten
//   linear_backward_bias          partial (chunks, n) float32 = sums of gradient over the rows of a chunk               overwritten
//   linear_backward_bias_reduce   bias_gradient (n), ELEMENT or float32 = sum of partial over chunks     overwritten or added to
// Each input is read once, each output written once. Sums are float32 in an order given by the launch alone: the same launch gives the
// same bits. Launch: per kernel below. Tensors start at multiples of 16 bytes.

#include "common/types.cuh"

#ifndef ELEMENT
#define ELEMENT float
#endif

#include "common/activations.cuh"
#include "common/column_sums.cuh"

constexpr int widest = pack_of<ELEMENT>::widest;

template <int COUNT>
__device__ __forceinline__ void differentiate(const ELEMENT* __restrict__ gradient, ELEMENT* __restrict__ preactivation, int64 place, bool is_gelu) {
    float upstream[COUNT], argument[COUNT];
    load_pack<COUNT>(gradient + place, upstream);
    load_pack<COUNT>(preactivation + place, argument);
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        argument[i] = upstream[i] * (is_gelu ? gelu_derivative(argument[i]) : silu_derivative(argument[i]));
    }
    store_pack<COUNT>(preactivation + place, argument);
}

// One-dimensional; threads at least ceil(count / widest).
extern "C" __global__ void __launch_bounds__(256) linear_backward_activation(
    const ELEMENT* __restrict__ gradient, ELEMENT* __restrict__ preactivation, int64 count, int is_gelu) {
    const int64 first = (static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x) * widest;
    if (first + widest <= count) {
        differentiate<widest>(gradient, preactivation, first, is_gelu != 0);
    } else {
        for (int64 place = first; place < count; place++) {
            differentiate<1>(gradient, preactivation, place, is_gelu != 0);
        }
    }
}

template <int COUNT>
__device__ __forceinline__ void sum_columns(const ELEMENT* __restrict__ gradient, float* __restrict__ partial, int64 rows, int n, float* scratch) {
    const int64 chunk = (rows + gridDim.y - 1) / gridDim.y;
    const int64 first = blockIdx.y * chunk;
    const int64 last = min(first + chunk, rows);
    const int first_column = blockIdx.x * sum_lanes * COUNT;
    const int column = first_column + threadIdx.x * COUNT;
    float sums[COUNT] = {};
    if (column < n) {
        for (int64 row = first + threadIdx.y; row < last; row += sum_rows) {
            float term[COUNT];
            load_pack<COUNT>(gradient + row * n + column, term);
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                sums[i] += term[i];
            }
        }
    }
    store_block_sums<COUNT>(sums, partial + static_cast<int64>(blockIdx.y) * n, first_column, n, scratch);
}

// Blocks (32, 8); grid (ceil(n / 32 / widest), chunks) where n is a multiple of widest, else (ceil(n / 32), chunks).
extern "C" __global__ void __launch_bounds__(256)
linear_backward_bias(const ELEMENT* __restrict__ gradient, float* __restrict__ partial, int64 rows, int n) {
    __shared__ float scratch[sum_scratch<widest>];
    if (n % widest == 0) {
        sum_columns<widest>(gradient, partial, rows, n, scratch);
    } else {
        sum_columns<1>(gradient, partial, rows, n, scratch);
    }
}

// One thread a column, one-dimensional.
extern "C" __global__ void __launch_bounds__(256) linear_backward_bias_reduce(
    const float* __restrict__ partial, void* __restrict__ bias_gradient, int chunks, int n, int gradient_is_float, int accumulate) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column < n) {
        leave_element(bias_gradient, column, add_chunks(partial + column, n, chunks), gradient_is_float != 0, accumulate != 0);
    }
}
