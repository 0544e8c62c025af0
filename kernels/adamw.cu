// AdamW with clipping by the global norm and an exponential moving average, over all parameters in one launch. SPRINT.md section 4;
// Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019. Everything is float32 but the shadows, which are bfloat16.
// Parameters are cut into pieces of at most 8,192 elements, each with the addresses of its value p, gradient g, moments m and v, average a, and of the shadow
// of p in mixed precision, or null.
//   adamw_gradient_norm          partial[piece] = sum of g^2                                                         overwritten
//   adamw_gradient_norm_reduce   norm[0] = sqrt(sum of partial), added in float64                                    overwritten
//   adamw_update                 g' = g min(1, maximum_norm / (norm + 1e-6)); m = beta1 m + (1 - beta1) g'; v = beta2 v + (1 - beta2) g'^2;
//                                p = keep p - step_size m / (sqrt(v) root_correction + epsilon); a = decay a + (1 - decay) p;
//                                shadow = p rounded to nearest, ties to even                                       overwritten
// with keep = 1 - lr weight_decay, step_size = lr / (1 - beta1^k), root_correction = 1 / sqrt(1 - beta2^k) at update k. A norm that is not finite
// leaves everything as it is: the host may look at it only after the update has been put into the stream. The settings lie in device memory, so that a
// captured update reads those of its step. Each number is read once and written once. Sums run in an order given by the cut alone: the same bits each time.
// Launch: one block of 256 threads a piece; adamw_gradient_norm_reduce: one block of 256 threads. Pieces start at multiples of 16 bytes.

#include "common/packs.cuh"
#include "common/reductions.cuh"

struct piece {
    float* value;
    const float* gradient;
    float* first;
    float* second;
    float* average;
    bfloat16* shadow;
    int64 count;
};

struct update_settings {
    float maximum_norm, beta1, beta2, one_minus_beta1, one_minus_beta2, step_size, root_correction, epsilon, keep, decay, one_minus_decay;
};

constexpr int widest = pack_of<float>::widest;
constexpr int most_warps = 32;

extern "C" __global__ void __launch_bounds__(256) adamw_gradient_norm(const piece* __restrict__ pieces, float* __restrict__ partial) {
    __shared__ float scratch[most_warps];
    const piece own = pieces[blockIdx.x];
    float sum = 0.0f;
    for (int64 first = threadIdx.x * widest; first < own.count; first += blockDim.x * widest) {
        if (first + widest <= own.count) {
            float g[widest];
            load_pack<widest>(own.gradient + first, g);
#pragma unroll
            for (int i = 0; i < widest; i++) {
                sum += g[i] * g[i];
            }
        } else {
            for (int64 element = first; element < own.count; element++) {
                sum += own.gradient[element] * own.gradient[element];
            }
        }
    }
    sum = row_sum(sum, scratch);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
    }
}

extern "C" __global__ void __launch_bounds__(256)
adamw_gradient_norm_reduce(const float* __restrict__ partial, float* __restrict__ norm, int parts) {
    __shared__ double scratch[256];
    const double sum = block_sum(partial, parts, scratch);
    if (threadIdx.x == 0) {
        norm[0] = static_cast<float>(sqrt(sum));
    }
}

// Within 2 units in the last place each, and without the calls that exact quotients and roots make for extreme operands: the step that they scale
// is a small part of the value that it is added to.
__device__ __forceinline__ float approximate_root(float value) {
    float root;
    asm("sqrt.approx.f32 %0, %1;" : "=f"(root) : "f"(value));
    return root;
}

template <int COUNT>
__device__ __forceinline__ void update(const piece& own, int64 at, float clip, const update_settings& settings) {
    float g[COUNT], m[COUNT], v[COUNT], p[COUNT], a[COUNT];
    load_pack<COUNT>(own.gradient + at, g);
    load_pack<COUNT>(own.first + at, m);
    load_pack<COUNT>(own.second + at, v);
    load_pack<COUNT>(own.value + at, p);
    load_pack<COUNT>(own.average + at, a);
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        g[i] *= clip;
        m[i] = settings.beta1 * m[i] + settings.one_minus_beta1 * g[i];
        v[i] = settings.beta2 * v[i] + settings.one_minus_beta2 * g[i] * g[i];
        p[i] = settings.keep * p[i] - settings.step_size * __fdividef(m[i], approximate_root(v[i]) * settings.root_correction + settings.epsilon);
        a[i] = settings.decay * a[i] + settings.one_minus_decay * p[i];
    }
    store_pack<COUNT>(own.first + at, m);
    store_pack<COUNT>(own.second + at, v);
    store_pack<COUNT>(own.value + at, p);
    store_pack<COUNT>(own.average + at, a);
    if (own.shadow != nullptr) {
        store_pack<COUNT>(own.shadow + at, p);
    }
}

extern "C" __global__ void __launch_bounds__(256)
adamw_update(const piece* __restrict__ pieces, const float* __restrict__ norm, const update_settings* __restrict__ step_settings) {
    if (!isfinite(norm[0])) {
        return;
    }
    const piece own = pieces[blockIdx.x];
    const update_settings settings = *step_settings;
    const float ratio = settings.maximum_norm / (norm[0] + 1e-6f);
    const float clip = ratio >= 1.0f ? 1.0f : ratio;
    for (int64 first = threadIdx.x * widest; first < own.count; first += blockDim.x * widest) {
        if (first + widest <= own.count) {
            update<widest>(own, first, clip, settings);
        } else {
            for (int64 element = first; element < own.count; element++) {
                update<1>(own, element, clip, settings);
            }
        }
    }
}
