// What a matrix product is given, and what happens to its sums on their way to memory. C (m, n) = op(A) (m, k) op(B) (k, n).
// Strides are elements from one row to the next; what the epilogue reads beside C has rows of n elements without gaps.
#pragma once

#include "common/activations.cuh"
#include "common/packs.cuh"

// The host's MatrixProductArguments has the same fields in the same order.
struct product_arguments {
    const ELEMENT* a;         // (m, k), or (k, m) where it is stored across the depth
    const ELEMENT* b;         // (n, k), or (k, n) where it is stored across the depth
    void* result;             // C (m, result_stride), ELEMENT or float
    float* partial;           // (splits, m, n): sums of each split, to be added and finished by matrix_product_reduce; or null
    const ELEMENT* bias;      // (n), or null
    ELEMENT* auxiliary;       // (m, n): written by the forward operations (or null), read by the derivatives, both by swiglu_backward
    ELEMENT* residual;        // (m, n): the residual stream, or SwiGLU's gate; written by swiglu_backward alone
    const ELEMENT* gate;      // row i belongs to sample i / tokens, whose gate starts at gate + sample * gate_stride
    const int32* rows;        // (m): the row of `shared_rows` that belongs to a row of C, or -1; null: each its own
    const float* row_terms;   // (any, n)
    const float* constant;    // (n): in place of a row that is -1, or of all where row_terms is null
    int32 a_stride, b_stride, result_stride, gate_stride;
    int32 m, n, k;
    int32 split_depth;        // depth of each split but the last, a multiple of the tile's depth
    int32 operation;          // product_operation
    int32 tokens;             // rows of C in a sample
    int32 result_is_float;
    int32 accumulate;         // whether C is added to instead of overwritten
    int32 vector_operands;    // rows of A and B start at, and are, multiples of 16 bytes
    int32 vector_result;      // the same of packs of four of C and of all that the epilogue reads
};

enum product_operation {
    product_plain,             // C = s + bias
    product_gelu,              // auxiliary = s + bias; C = GELU(s + bias)
    product_silu,              // auxiliary = s + bias; C = SiLU(s + bias)
    product_gelu_derivative,   // C = s GELU'(auxiliary)
    product_silu_derivative,   // C = s SiLU'(auxiliary)
    product_gated_residual,    // auxiliary = s + bias; C = residual + gate (s + bias)
    product_row_terms,         // C = s + (rows[i] >= 0 ? row_terms[rows[i]] : constant)
    product_swiglu,            // auxiliary = s + bias; C = SiLU(residual) (s + bias)
    product_swiglu_backward,   // C = SiLU(residual) auxiliary; residual = s auxiliary SiLU'(residual); auxiliary = s SiLU(residual)
};

// Four columns at a time: a warp's stores then fill whole sectors in both element types.
constexpr int epilogue_pack = 4;

// Finishes COUNT sums of a row and stores them.
template <int COUNT>
__device__ __forceinline__ void finish_sums(const product_arguments& p, int row, int column, float (&sums)[COUNT]) {
    const int64 place = static_cast<int64>(row) * p.n + column;
    float other[COUNT];
    if (p.bias != nullptr) {
        load_pack<COUNT>(p.bias + column, other);
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            sums[i] += other[i];
        }
    }
    switch (p.operation) {
        case product_gelu:
        case product_silu:
            if (p.auxiliary != nullptr) {
                store_pack<COUNT>(p.auxiliary + place, sums);
            }
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                sums[i] = p.operation == product_gelu ? gelu(sums[i]) : silu(sums[i]);
            }
            break;
        case product_gelu_derivative:
        case product_silu_derivative:
            load_pack<COUNT>(p.auxiliary + place, other);
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                sums[i] *= p.operation == product_gelu_derivative ? gelu_derivative(other[i]) : silu_derivative(other[i]);
            }
            break;
        case product_gated_residual: {
            if (p.auxiliary != nullptr) {
                store_pack<COUNT>(p.auxiliary + place, sums);
            }
            float gate[COUNT];
            load_pack<COUNT>(p.gate + static_cast<int64>(row / p.tokens) * p.gate_stride + column, gate);
            load_pack<COUNT>(p.residual + place, other);
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                sums[i] = other[i] + gate[i] * sums[i];
            }
            break;
        }
        case product_swiglu:
            if (p.auxiliary != nullptr) {
                store_pack<COUNT>(p.auxiliary + place, sums);
            }
            load_pack<COUNT>(p.residual + place, other);
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                sums[i] *= silu(other[i]);
            }
            break;
        case product_swiglu_backward: {
            float linear[COUNT];
            load_pack<COUNT>(p.residual + place, other);
            load_pack<COUNT>(p.auxiliary + place, linear);
            swiglu_backward<COUNT>(other, linear, sums);
            store_pack<COUNT>(p.residual + place, other);
            store_pack<COUNT>(p.auxiliary + place, linear);
            break;
        }
        case product_row_terms: {
            const int32 source = p.row_terms == nullptr ? -1 : p.rows == nullptr ? row : p.rows[row];
            load_pack<COUNT>((source < 0 ? p.constant : p.row_terms + static_cast<int64>(source) * p.n) + column, other);
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                sums[i] += other[i];
            }
            break;
        }
    }
    const int64 target = static_cast<int64>(row) * p.result_stride + column;
    if (p.result_is_float != 0) {
        float* result = static_cast<float*>(p.result) + target;
        if (p.accumulate != 0) {
            load_pack<COUNT>(result, other);
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                sums[i] += other[i];
            }
        }
        store_pack<COUNT>(result, sums);
    } else {
        ELEMENT* result = static_cast<ELEMENT*>(p.result) + target;
        if (p.accumulate != 0) {
            load_pack<COUNT>(result, other);
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                sums[i] += other[i];
            }
        }
        store_pack<COUNT>(result, sums);
    }
}

// Finishes sums, or puts them aside as those of this block's split.
template <int COUNT>
__device__ __forceinline__ void leave_sums(const product_arguments& p, int row, int column, float (&sums)[COUNT]) {
    if (p.partial != nullptr) {
        store_pack<COUNT>(p.partial + (static_cast<int64>(blockIdx.z) * p.m + row) * p.n + column, sums);
    } else {
        finish_sums<COUNT>(p, row, column, sums);
    }
}

// A warp finishes `staged`: 16 rows of WIDTH sums, a row every WIDTH + 8 floats, which belong at (first_row, first_column) of C.
template <int WIDTH>
__device__ __forceinline__ void leave_staged(const product_arguments& p, const float* staged, int first_row, int first_column) {
    constexpr int stride = WIDTH + 8;
    const int lane = threadIdx.x % 32;
    if (p.vector_result != 0) {
        constexpr int packs = WIDTH / epilogue_pack;
#pragma unroll 1
        for (int item = lane; item < 16 * packs; item += 32) {
            const int row = item / packs;
            const int column = item % packs * epilogue_pack;
            if (first_row + row < p.m && first_column + column < p.n) {
                float sums[epilogue_pack];
                load_pack<epilogue_pack>(staged + row * stride + column, sums);
                leave_sums<epilogue_pack>(p, first_row + row, first_column + column, sums);
            }
        }
    } else {
#pragma unroll 1
        for (int item = lane; item < 16 * WIDTH; item += 32) {
            const int row = item / WIDTH;
            const int column = item % WIDTH;
            if (first_row + row < p.m && first_column + column < p.n) {
                float sum[1] = {staged[row * stride + column]};
                leave_sums<1>(p, first_row + row, first_column + column, sum);
            }
        }
    }
}
