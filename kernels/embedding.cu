// Embeddings of what conditions the model. SPRINT.md section 2. Results and tables stored as ELEMENT (float or bfloat16).
//   timestep_embedding_forward   y (B, 2 half) = [cos(t f_i), sin(t f_i)], f_i = 10000^(-i / half), t (B) float32          overwritten
//   label_embedding_forward      y[b] = table[labels[b]]: table (rows, width), labels (B) int32                            overwritten
//   label_embedding_backward     dtable[labels[b]] += dy[b]                                                                added to
// Rows of samples with the same label are added in the order of the samples by the block of the first of them: no atomics, the same bits each time.
// Launch: per kernel below. Tensors start at multiples of 16 bytes.

#include "common/elements.cuh"

#ifndef ELEMENT
#define ELEMENT float
#endif

constexpr int widest = pack_of<ELEMENT>::widest;

// One thread a frequency of a sample: one-dimensional, threads in all at least batch * half. Angles are halves of turns, whose reduction is exact.
extern "C" __global__ void __launch_bounds__(256)
timestep_embedding_forward(const float* __restrict__ times, ELEMENT* __restrict__ output, int64 count, int half) {
    const int64 element = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (element >= count) {
        return;
    }
    const int64 sample = element / half;
    const int frequency = static_cast<int>(element % half);
    const float angle = times[sample] * expf(-9.21034037f * frequency / half);
    float sine, cosine;
    sincospif(angle * 0.318309886f, &sine, &cosine);
    output[sample * 2 * half + frequency] = from_float<ELEMENT>(cosine);
    output[sample * 2 * half + half + frequency] = from_float<ELEMENT>(sine);
}

template <int COUNT>
__device__ __forceinline__ void copy(ELEMENT* __restrict__ target, const ELEMENT* __restrict__ source) {
    *reinterpret_cast<pack<ELEMENT, COUNT>*>(target) = *reinterpret_cast<const pack<ELEMENT, COUNT>*>(source);
}

// One block a sample, one-dimensional.
extern "C" __global__ void __launch_bounds__(256) label_embedding_forward(
    const ELEMENT* __restrict__ table, const int32* __restrict__ labels, ELEMENT* __restrict__ output, int width) {
    const ELEMENT* source = table + static_cast<int64>(labels[blockIdx.x]) * width;
    ELEMENT* target = output + static_cast<int64>(blockIdx.x) * width;
    for_row<widest>(
        width, [=](int column) { copy<widest>(target + column, source + column); }, [=](int column) { copy<1>(target + column, source + column); });
}

// Adds to a row's columns those of all samples from `first` on that have the label.
template <int COUNT>
__device__ __forceinline__ void add_samples(
    ELEMENT* __restrict__ target, const ELEMENT* __restrict__ gradient, const int32* __restrict__ labels, int32 label, int first, int batch, int width) {
    float sum[COUNT];
    load_pack<COUNT>(target, sum);
    for (int sample = first; sample < batch; sample++) {
        if (labels[sample] == label) {
            float term[COUNT];
            load_pack<COUNT>(gradient + static_cast<int64>(sample) * width, term);
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                sum[i] += term[i];
            }
        }
    }
    store_pack<COUNT>(target, sum);
}

// One block a sample, one-dimensional.
extern "C" __global__ void __launch_bounds__(256) label_embedding_backward(
    const ELEMENT* __restrict__ gradient, const int32* __restrict__ labels, ELEMENT* __restrict__ table_gradient, int batch, int width) {
    const int first = blockIdx.x;
    const int32 label = labels[first];
    for (int sample = 0; sample < first; sample++) {
        if (labels[sample] == label) {
            return;
        }
    }
    ELEMENT* target = table_gradient + static_cast<int64>(label) * width;
    for_row<widest>(
        width,
        [=](int column) { add_samples<widest>(target + column, gradient + column, labels, label, first, batch, width); },
        [=](int column) { add_samples<1>(target + column, gradient + column, labels, label, first, batch, width); });
}
