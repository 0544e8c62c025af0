// GELU in its tanh form and SiLU, with their derivatives, in float32: both are x times a sigmoid. And SwiGLU, SiLU(gate) linear.
// GELU(x) = x/2 (1 + tanh(u)) = x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3);  SiLU(x) = x sigmoid(x).
// Exponential and quotient are the hardware's approximations: relative errors of some 1e-6 at most.
#pragma once

#include "common/types.cuh"

__device__ __forceinline__ float sigmoid(float x) { return __fdividef(1.0f, 1.0f + __expf(-x)); }

constexpr float gelu_slope = 1.5957691216f;  // 2 sqrt(2/pi)
constexpr float gelu_cubic = 0.044715f;

__device__ __forceinline__ float gelu(float x) { return x * sigmoid(gelu_slope * x * (1.0f + gelu_cubic * x * x)); }

__device__ __forceinline__ float gelu_derivative(float x) {
    const float square = gelu_cubic * x * x;
    const float s = sigmoid(gelu_slope * x * (1.0f + square));
    return s + s * (1.0f - s) * gelu_slope * x * (1.0f + 3.0f * square);
}

__device__ __forceinline__ float silu(float x) { return x * sigmoid(x); }

__device__ __forceinline__ float silu_derivative(float x) {
    const float s = sigmoid(x);
    return s + s * (1.0f - s) * x;
}

// The way back through product = SiLU(gate) linear, whose gradient is in `product`: gate and linear become their gradients, product itself.
template <int COUNT>
__device__ __forceinline__ void swiglu_backward(float (&gate)[COUNT], float (&linear)[COUNT], float (&product)[COUNT]) {
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        const float s = sigmoid(gate[i]);
        const float activated = gate[i] * s;
        const float x = linear[i];
        linear[i] = product[i] * activated;
        gate[i] = product[i] * x * (s + (1.0f - s) * activated);
        product[i] = activated * x;
    }
}
