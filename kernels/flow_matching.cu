// Flow matching: x_t = alpha x_0 + sigma noise, velocity v = alpha' x_0 + sigma' noise, loss = mean squared error. SPRINT.md section 4.
// Arrays stored as ELEMENT (float or bfloat16); times, loss and its gradient are float32.
//   flow_matching_interpolate     mixed and target (B, per_sample)                                                        overwritten
//   flow_matching_loss            partial[block] = the block's sum of (prediction - target)^2, float32                    overwritten
//   flow_matching_loss_reduce     loss[0] = sum of partial / count; partial sums are added in float64                     overwritten
//   flow_matching_loss_backward   dprediction = dloss[0] 2 (prediction - target) / count                                  overwritten
// Linear path: alpha = 1 - t, sigma = t. Cosine path: alpha = cos(pi t / 2), sigma = sin(pi t / 2). Sums run in an order given by the launch alone: the same
// launch gives the same bits.
// Launch: per kernel below. Arrays start at multiples of 16 bytes.

#include "common/elements.cuh"
#include "common/reductions.cuh"

#ifndef ELEMENT
#define ELEMENT float
#endif

constexpr int widest = pack_of<ELEMENT>::widest;
constexpr int most_warps = 32;
constexpr int packs_per_thread = 4;

// alpha, sigma, alpha', sigma'.
__device__ __forceinline__ float4 coefficients_at(float time, int is_cosine) {
    if (is_cosine == 0) {
        return make_float4(1.0f - time, time, -1.0f, 1.0f);
    }
    constexpr float half_pi = 1.57079637f;
    float sine, cosine;
    sincospif(0.5f * time, &sine, &cosine);
    return make_float4(cosine, sine, -half_pi * sine, half_pi * cosine);
}

template <int COUNT>
__device__ __forceinline__ void interpolate(
    const ELEMENT* __restrict__ data, const ELEMENT* __restrict__ noise, ELEMENT* __restrict__ mixed, ELEMENT* __restrict__ target, float4 path) {
    float x[COUNT], epsilon[COUNT], velocity[COUNT];
    load_pack<COUNT>(data, x);
    load_pack<COUNT>(noise, epsilon);
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        velocity[i] = path.z * x[i] + path.w * epsilon[i];
        x[i] = path.x * x[i] + path.y * epsilon[i];
    }
    store_pack<COUNT>(mixed, x);
    store_pack<COUNT>(target, velocity);
}

// Grid (x, B): threads along x in all at least ceil(per_sample / widest), or per_sample where that is no multiple of widest.
extern "C" __global__ void __launch_bounds__(256) flow_matching_interpolate(
    const ELEMENT* __restrict__ data, const ELEMENT* __restrict__ noise, const float* __restrict__ times,
    ELEMENT* __restrict__ mixed, ELEMENT* __restrict__ target, int64 per_sample, int is_cosine) {
    const float4 path = coefficients_at(times[blockIdx.y], is_cosine);
    const int64 start = blockIdx.y * per_sample;
    for_column<widest>(
        per_sample,
        [=](int64 at) { interpolate<widest>(data + start + at, noise + start + at, mixed + start + at, target + start + at, path); },
        [=](int64 at) { interpolate<1>(data + start + at, noise + start + at, mixed + start + at, target + start + at, path); });
}

// One-dimensional; each thread takes packs_per_thread packs, a block's side by side: blocks at least ceil(count / (blockDim.x * packs_per_thread * widest)).
// blockDim.x is a multiple of 32.
extern "C" __global__ void __launch_bounds__(256) flow_matching_loss(
    const ELEMENT* __restrict__ prediction, const ELEMENT* __restrict__ target, float* __restrict__ partial, int64 count) {
    __shared__ float scratch[most_warps];
    float sum = 0.0f;
#pragma unroll
    for (int item = 0; item < packs_per_thread; item++) {
        const int64 first = ((static_cast<int64>(blockIdx.x) * packs_per_thread + item) * blockDim.x + threadIdx.x) * widest;
        float p[widest], v[widest];
        if (first + widest <= count) {
            load_pack<widest>(prediction + first, p);
            load_pack<widest>(target + first, v);
        } else {
#pragma unroll
            for (int i = 0; i < widest; i++) {
                p[i] = first + i < count ? to_float(prediction[first + i]) : 0.0f;
                v[i] = first + i < count ? to_float(target[first + i]) : 0.0f;
            }
        }
#pragma unroll
        for (int i = 0; i < widest; i++) {
            sum += (p[i] - v[i]) * (p[i] - v[i]);
        }
    }
    sum = row_sum(sum, scratch);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
    }
}

// One block of 256 threads.
extern "C" __global__ void __launch_bounds__(256)
flow_matching_loss_reduce(const float* __restrict__ partial, float* __restrict__ loss, int parts, int64 count) {
    __shared__ double scratch[256];
    const double sum = block_sum(partial, parts, scratch);
    if (threadIdx.x == 0) {
        loss[0] = static_cast<float>(sum / static_cast<double>(count));
    }
}

template <int COUNT>
__device__ __forceinline__ void differentiate_loss(
    const ELEMENT* __restrict__ prediction, const ELEMENT* __restrict__ target, ELEMENT* __restrict__ prediction_gradient, float factor) {
    float values[COUNT], wanted[COUNT];
    load_pack<COUNT>(prediction, values);
    load_pack<COUNT>(target, wanted);
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        values[i] = (values[i] - wanted[i]) * factor;
    }
    store_pack<COUNT>(prediction_gradient, values);
}

// One-dimensional, threads in all at least ceil(count / widest).
extern "C" __global__ void __launch_bounds__(256) flow_matching_loss_backward(
    const float* __restrict__ gradient, const ELEMENT* __restrict__ prediction, const ELEMENT* __restrict__ target,
    ELEMENT* __restrict__ prediction_gradient, int64 count) {
    const float factor = gradient[0] * 2.0f / static_cast<float>(count);
    for_elements<widest>(
        count,
        [=](int64 at) { differentiate_loss<widest>(prediction + at, target + at, prediction_gradient + at, factor); },
        [=](int64 at) { differentiate_loss<1>(prediction + at, target + at, prediction_gradient + at, factor); });
}
