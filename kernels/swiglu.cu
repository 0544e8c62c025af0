// What a SwiGLU MLP needs beside matrix products, whose epilogues do the rest: `count` elements stored as ELEMENT (float or bfloat16), in float32.
//   swiglu_backward   gate = d linear SiLU'(gate), linear = d SiLU(gate), product = SiLU(gate) linear, of what was there before:
//                     d, the gradient of the product, is in `product`                                                    overwritten, all three
// For products whose epilogue cannot do it: those of a library. Each array is read once and written once, 16 bytes a thread and access.
// Launch: one-dimensional, threads in all at least ceil(count / (16 / sizeof(ELEMENT))). Arrays start at multiples of 16 bytes and do not overlap.

#include "common/elements.cuh"

#ifndef ELEMENT
#define ELEMENT float
#endif

#include "common/activations.cuh"

constexpr int widest = pack_of<ELEMENT>::widest;

template <int COUNT>
__device__ __forceinline__ void differentiate(ELEMENT* __restrict__ gate, ELEMENT* __restrict__ linear, ELEMENT* __restrict__ product) {
    float gates[COUNT], linears[COUNT], products[COUNT];
    load_pack<COUNT>(gate, gates);
    load_pack<COUNT>(linear, linears);
    load_pack<COUNT>(product, products);
    swiglu_backward<COUNT>(gates, linears, products);
    store_pack<COUNT>(gate, gates);
    store_pack<COUNT>(linear, linears);
    store_pack<COUNT>(product, products);
}

extern "C" __global__ void __launch_bounds__(256)
swiglu_backward(ELEMENT* __restrict__ gate, ELEMENT* __restrict__ linear, ELEMENT* __restrict__ product, int64 count) {
    for_elements<widest>(
        count,
        [=](int64 at) { differentiate<widest>(gate + at, linear + at, product + at); },
        [=](int64 at) { differentiate<1>(gate + at, linear + at, product + at); });
}
