// Walking over arrays and rows in packs: `wide` is called with the first element of a pack of COUNT, `single` with an element where there is no whole pack.
#pragma once

#include "common/packs.cuh"

// This thread's elements of an array of `count`: a pack, or the last elements one by one. The array is aligned to the pack.
// Launch: one-dimensional, threads in all at least ceil(count / COUNT).
template <int COUNT, typename Wide, typename Single>
__device__ __forceinline__ void for_elements(int64 count, Wide wide, Single single) {
    const int64 first = (static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x) * COUNT;
    if (first + COUNT <= count) {
        wide(first);
        return;
    }
    for (int64 element = first; element < count; element++) {
        single(element);
    }
}

// A row of `width` elements by all threads along x of a block: packs where the width is a multiple of COUNT, else single elements.
template <int COUNT, typename Wide, typename Single>
__device__ __forceinline__ void for_row(int width, Wide wide, Single single) {
    if (width % COUNT == 0) {
        for (int column = threadIdx.x * COUNT; column < width; column += blockDim.x * COUNT) {
            wide(column);
        }
    } else {
        for (int column = threadIdx.x; column < width; column += blockDim.x) {
            single(column);
        }
    }
}

// This thread's column of rows of `width` elements, for kernels that walk down the rows: a pack where the width is a multiple of COUNT, else one element.
// Launch: threads along x in all at least ceil(width / COUNT) where the width is a multiple of COUNT, else width.
template <int COUNT, typename Wide, typename Single>
__device__ __forceinline__ void for_column(int64 width, Wide wide, Single single) {
    const int64 thread = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (width % COUNT == 0) {
        if (thread * COUNT < width) {
            wide(thread * COUNT);
        }
    } else if (thread < width) {
        single(thread);
    }
}

// Writes values to a pack, or adds them to what it holds.
template <int COUNT, typename T>
__device__ __forceinline__ void contribute(T* target, const float (&values)[COUNT], bool accumulate) {
    float result[COUNT] = {};
    if (accumulate) {
        load_pack<COUNT>(target, result);
    }
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        result[i] += values[i];
    }
    store_pack<COUNT>(target, result);
}
