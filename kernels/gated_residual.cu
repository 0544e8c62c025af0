// Gated residual: y = x + gate * branch. SPRINT.md section 2.
// x, branch, y (B, N, width) stored as ELEMENT (float or bfloat16); the gate is a chunk of width elements in each row of modulation
// (B, modulation_stride), ELEMENT too.
//   gated_residual_forward            y = x + gate branch                                                             overwritten
//   gated_residual_backward           dbranch = gate dy, or null                                        overwritten or added to
//                                     partial (B, chunks, width) float32 = sum of dy branch over a chunk's tokens (store_row_sums), or null
//   gated_residual_backward_modulation   dgate[b] += sum of partial[b]                                                   added to
// The gradient of x is dy itself. Each input is read once and each output written once. Sums are float32 in an order given by the launch alone:
// the same launch gives the same bits.
// Launch: per kernel below. Tensors start at multiples of 16 bytes.

#include "common/elements.cuh"

#ifndef ELEMENT
#define ELEMENT float
#endif

constexpr int widest = pack_of<ELEMENT>::widest;

// The tokens that this block takes of its sample: blockIdx.y counts blocks of rows_per_block tokens, blockIdx.z samples.
struct token_range {
    int64 first, last;
};

__device__ __forceinline__ token_range block_tokens(int tokens, int rows_per_block) {
    const int first = blockIdx.y * rows_per_block;
    const int64 start = static_cast<int64>(blockIdx.z) * tokens;
    return {start + first, start + min(first + rows_per_block, tokens)};
}

template <int COUNT>
__device__ __forceinline__ void add_gated(
    const ELEMENT* __restrict__ input, const ELEMENT* __restrict__ branch, const ELEMENT* __restrict__ gates, ELEMENT* __restrict__ output,
    token_range rows, int width) {
    float gate[COUNT];
    load_pack<COUNT>(gates, gate);
#pragma unroll 4
    for (int64 row = rows.first; row < rows.last; row++) {
        float sum[COUNT], term[COUNT];
        load_pack<COUNT>(input + row * width, sum);
        load_pack<COUNT>(branch + row * width, term);
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            sum[i] += gate[i] * term[i];
        }
        store_pack<COUNT>(output + row * width, sum);
    }
}

// Grid (columns, ceil(N / rows_per_block), B), block one-dimensional.
extern "C" __global__ void __launch_bounds__(256) gated_residual_forward(
    const ELEMENT* __restrict__ input, const ELEMENT* __restrict__ branch, const ELEMENT* __restrict__ modulation, ELEMENT* __restrict__ output,
    int tokens, int width, int64 modulation_stride, int gate_offset, int rows_per_block) {
    const token_range rows = block_tokens(tokens, rows_per_block);
    const ELEMENT* gates = modulation + blockIdx.z * modulation_stride + gate_offset;
    for_column<widest>(
        width,
        [=](int64 at) { add_gated<widest>(input + at, branch + at, gates + at, output + at, rows, width); },
        [=](int64 at) { add_gated<1>(input + at, branch + at, gates + at, output + at, rows, width); });
}

template <int COUNT>
__device__ __forceinline__ void differentiate_gated(
    const ELEMENT* __restrict__ gradient, const ELEMENT* __restrict__ branch, const ELEMENT* __restrict__ gates,
    ELEMENT* __restrict__ branch_gradient, float* __restrict__ partial, token_range rows, int column, int width, bool accumulate) {
    float gate[COUNT], sum[COUNT] = {};
    load_pack<COUNT>(gates + column, gate);
#pragma unroll 4
    for (int64 row = rows.first; row < rows.last; row++) {
        const int64 at = row * width + column;
        float upstream[COUNT];
        load_pack<COUNT>(gradient + at, upstream);
        if (partial != nullptr) {
            float term[COUNT];
            load_pack<COUNT>(branch + at, term);
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                sum[i] += upstream[i] * term[i];
            }
        }
        if (branch_gradient != nullptr) {
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                upstream[i] *= gate[i];
            }
            contribute<COUNT>(branch_gradient + at, upstream, accumulate);
        }
    }
    if (partial != nullptr) {
        store_row_sums<COUNT>(partial, column, width, sum);
    }
}

// Grid (columns, chunks, B), block one-dimensional: each block takes rows_per_block tokens of one sample.
extern "C" __global__ void __launch_bounds__(256) gated_residual_backward(
    const ELEMENT* __restrict__ gradient, const ELEMENT* __restrict__ branch, const ELEMENT* __restrict__ modulation,
    ELEMENT* __restrict__ branch_gradient, float* __restrict__ partial,
    int tokens, int width, int64 modulation_stride, int gate_offset, int rows_per_block, int accumulate) {
    const token_range rows = block_tokens(tokens, rows_per_block);
    const ELEMENT* gates = modulation + blockIdx.z * modulation_stride + gate_offset;
    float* sums = partial == nullptr ? nullptr : partial + (static_cast<int64>(blockIdx.z) * gridDim.y + blockIdx.y) * width;
    for_column<widest>(
        width,
        [=](int64 at) { differentiate_gated<widest>(gradient, branch, gates, branch_gradient, sums, rows, static_cast<int>(at), width, accumulate != 0); },
        [=](int64 at) { differentiate_gated<1>(gradient, branch, gates, branch_gradient, sums, rows, static_cast<int>(at), width, accumulate != 0); });
}

// One thread a column: one-dimensional blocks, grid (ceil(width / blockDim.x), B).
extern "C" __global__ void __launch_bounds__(256) gated_residual_backward_modulation(
    const float* __restrict__ partial, ELEMENT* __restrict__ modulation_gradient, int chunks, int width, int64 modulation_stride, int gate_offset) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= width) {
        return;
    }
    const int64 sample = blockIdx.y;
    ELEMENT* target = modulation_gradient + sample * modulation_stride + gate_offset + column;
    const int place = row_sum_place(column, width, widest);
    float sum = to_float(*target);
    for (int chunk = 0; chunk < chunks; chunk++) {
        sum += partial[(sample * chunks + chunk) * width + place];
    }
    *target = from_float<ELEMENT>(sum);
}
