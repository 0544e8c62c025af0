// Cosine loss: minus the mean cosine of predictions p and targets z, row by row; norms count as at least `floor`. SPRINT.md section 4.
// p (B, M, width) and z (B, N, width) stored as ELEMENT (float or bfloat16); row (b, k) of p belongs to row (b, ids[b, k]) of z, or (b, k) where there are
// no ids. With |x| = max(norm of x, floor) and cosine = p.z / (|p| |z|) of a row:
//   cosine_loss_forward    partial[block] = the block's sum of cosines, float32                                                          overwritten
//                          coefficients (B, M, 2) float32 = (1 / (|p| |z|), cosine / |p|^2 or 0 where the floor is |p|), or null         overwritten
//   cosine_loss_reduce     loss[0] = -sum of partial / rows; partial sums are added in float64                                           overwritten
//   cosine_loss_backward   dp = dloss[0] / rows (p coefficients[1] - z coefficients[0])                                  overwritten or added to
// Each row is read once; rows of z that no id names are not read. Sums are float32 in an order given by the launch alone: the same launch gives the same bits.
// Launch: 128 threads a block, each warp takes rows_per_warp neighbouring rows. Tensors start at multiples of 16 bytes.

#include "common/elements.cuh"
#include "common/reductions.cuh"

#ifndef ELEMENT
#define ELEMENT float
#endif

constexpr int widest = pack_of<ELEMENT>::widest;
constexpr int warps = 4;
constexpr int rows_per_warp = 4;

// The first row of this warp, and what its first lanes know of its rows: lane i has the place of row i in z.
struct warp_rows {
    int64 first;
    int count;
    int64 target;

    __device__ __forceinline__ int64 target_of(int row) const { return __shfl_sync(full_warp, target, row); }
};

__device__ __forceinline__ warp_rows rows_of_warp(const int32* __restrict__ ids, int64 rows, int kept, int tokens) {
    const int lane = threadIdx.x % warp_size;
    warp_rows own;
    own.first = (static_cast<int64>(blockIdx.x) * warps + threadIdx.x / warp_size) * rows_per_warp;
    own.count = static_cast<int>(max(0ll, min(static_cast<int64>(rows_per_warp), rows - own.first)));
    own.target = own.first + lane;
    if (ids != nullptr && lane < own.count) {
        own.target = own.target / kept * tokens + ids[own.target];
    }
    return own;
}

// A row by the lanes of a warp, in packs, UNROLL of them under way at a time.
template <int COUNT, int UNROLL, typename Visit>
__device__ __forceinline__ void for_lanes(int width, Visit visit) {
#pragma unroll UNROLL
    for (int column = threadIdx.x % warp_size * COUNT; column < width; column += warp_size * COUNT) {
        visit(column);
    }
}

template <int COUNT>
__device__ __forceinline__ float3 row_products(const ELEMENT* __restrict__ prediction, const ELEMENT* __restrict__ target, int width) {
    float product = 0.0f, prediction_square = 0.0f, target_square = 0.0f;
    for_lanes<COUNT, 2>(width, [&](int column) {
        float p[COUNT], z[COUNT];
        load_pack<COUNT>(prediction + column, p);
        load_pack<COUNT>(target + column, z);
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            product += p[i] * z[i];
            prediction_square += p[i] * p[i];
            target_square += z[i] * z[i];
        }
    });
    return make_float3(warp_sum(product), warp_sum(prediction_square), warp_sum(target_square));
}

template <int COUNT>
__device__ __forceinline__ void sum_cosines(
    const ELEMENT* __restrict__ prediction, const ELEMENT* __restrict__ target, const int32* __restrict__ ids, float2* __restrict__ coefficients,
    float* __restrict__ partial, int64 rows, int kept, int tokens, int width, float floor, float* scratch) {
    const int lane = threadIdx.x % warp_size;
    const warp_rows own = rows_of_warp(ids, rows, kept, tokens);
    float cosine = 0.0f;
    float2 coefficient = make_float2(0.0f, 0.0f);
    for (int row = 0; row < own.count; row++) {
        const float3 sums = row_products<COUNT>(prediction + (own.first + row) * width, target + own.target_of(row) * width, width);
        if (lane == row) {
            const float norm = sqrtf(sums.y);
            const float prediction_inverse = 1.0f / fmaxf(norm, floor);
            const float target_inverse = 1.0f / fmaxf(sqrtf(sums.z), floor);
            cosine = sums.x * prediction_inverse * target_inverse;
            coefficient = make_float2(prediction_inverse * target_inverse, norm < floor ? 0.0f : cosine * prediction_inverse * prediction_inverse);
        }
    }
    if (coefficients != nullptr && lane < own.count) {
        coefficients[own.first + lane] = coefficient;
    }
    cosine = warp_sum(cosine);
    if (lane == 0) {
        scratch[threadIdx.x / warp_size] = cosine;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        float sum = 0.0f;
        for (int warp = 0; warp < warps; warp++) {
            sum += scratch[warp];
        }
        partial[blockIdx.x] = sum;
    }
}

// rows = B * M; blocks ceil(rows / (warps * rows_per_warp)).
extern "C" __global__ void __launch_bounds__(128) cosine_loss_forward(
    const ELEMENT* __restrict__ prediction, const ELEMENT* __restrict__ target, const int32* __restrict__ ids, float2* __restrict__ coefficients,
    float* __restrict__ partial, int64 rows, int kept, int tokens, int width, float floor) {
    __shared__ float scratch[warps];
    if (width % widest == 0) {
        sum_cosines<widest>(prediction, target, ids, coefficients, partial, rows, kept, tokens, width, floor, scratch);
    } else {
        sum_cosines<1>(prediction, target, ids, coefficients, partial, rows, kept, tokens, width, floor, scratch);
    }
}

// One block of 256 threads.
extern "C" __global__ void __launch_bounds__(256) cosine_loss_reduce(const float* __restrict__ partial, float* __restrict__ loss, int parts, int64 rows) {
    __shared__ double scratch[256];
    const double sum = block_sum(partial, parts, scratch);
    if (threadIdx.x == 0) {
        loss[0] = static_cast<float>(-sum / static_cast<double>(rows));
    }
}

template <int COUNT>
__device__ __forceinline__ void differentiate_rows(
    float factor, const ELEMENT* __restrict__ prediction, const ELEMENT* __restrict__ target, const int32* __restrict__ ids,
    const float2* __restrict__ coefficients, ELEMENT* __restrict__ prediction_gradient, int64 rows, int kept, int tokens, int width, bool accumulate) {
    const int lane = threadIdx.x % warp_size;
    const warp_rows own = rows_of_warp(ids, rows, kept, tokens);
    float2 coefficient = make_float2(0.0f, 0.0f);
    if (lane < own.count) {
        coefficient = coefficients[own.first + lane];
    }
    for (int row = 0; row < own.count; row++) {
        const float of_target = __shfl_sync(full_warp, coefficient.x, row) * -factor;
        const float of_prediction = __shfl_sync(full_warp, coefficient.y, row) * factor;
        const int64 start = (own.first + row) * width;
        const ELEMENT* wanted = target + own.target_of(row) * width;
        // Unrolled, NVRTC 11.8 takes stores of packs apart.
        for_lanes<COUNT, 1>(width, [&](int column) {
            float p[COUNT], z[COUNT];
            load_pack<COUNT>(prediction + start + column, p);
            load_pack<COUNT>(wanted + column, z);
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                p[i] = of_prediction * p[i] + of_target * z[i];
            }
            contribute<COUNT>(prediction_gradient + start + column, p, accumulate);
        });
    }
}

// As cosine_loss_forward.
extern "C" __global__ void __launch_bounds__(128) cosine_loss_backward(
    const float* __restrict__ gradient, const ELEMENT* __restrict__ prediction, const ELEMENT* __restrict__ target, const int32* __restrict__ ids,
    const float2* __restrict__ coefficients, ELEMENT* __restrict__ prediction_gradient, int64 rows, int kept, int tokens, int width, int accumulate) {
    const float factor = gradient[0] / static_cast<float>(rows);
    if (width % widest == 0) {
        differentiate_rows<widest>(factor, prediction, target, ids, coefficients, prediction_gradient, rows, kept, tokens, width, accumulate != 0);
    } else {
        differentiate_rows<1>(factor, prediction, target, ids, coefficients, prediction_gradient, rows, kept, tokens, width, accumulate != 0);
    }
}
