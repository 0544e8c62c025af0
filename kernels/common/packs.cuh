// A pack is COUNT neighbouring elements, moved by one instruction; as floats in registers.
// pack_of<T>::widest elements fill 16 bytes, the widest access there is. An address given to load_pack or store_pack must be
// aligned to the pack: rows are, if the row length is a multiple of COUNT, since tensors start at multiples of 256 bytes.
#pragma once

#include "common/types.cuh"

template <typename T>
struct pack_of {
    static constexpr int widest = 16 / sizeof(T);
};

template <typename T, int COUNT>
struct alignas(sizeof(T) * COUNT) pack {
    T elements[COUNT];
};

template <int COUNT, typename T>
__device__ __forceinline__ void load_pack(const T* address, float (&values)[COUNT]) {
    const pack<T, COUNT> loaded = *reinterpret_cast<const pack<T, COUNT>*>(address);
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        values[i] = to_float(loaded.elements[i]);
    }
}

template <int COUNT, typename T>
__device__ __forceinline__ void store_pack(T* address, const float (&values)[COUNT]) {
    pack<T, COUNT> stored;
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        stored.elements[i] = from_float<T>(values[i]);
    }
    *reinterpret_cast<pack<T, COUNT>*>(address) = stored;
}

// COUNT neighbouring sums, float whatever the tensors are: in the widest stores there are. One by one, the lanes of a warp would lie apart by their packs
// and each store touch a sector for 4 bytes.
template <int COUNT>
__device__ __forceinline__ void store_sums(float* address, const float (&sums)[COUNT]) {
    if constexpr (COUNT % 4 == 0) {
#pragma unroll
        for (int i = 0; i < COUNT; i += 4) {
            const float four[4] = {sums[i], sums[i + 1], sums[i + 2], sums[i + 3]};
            store_pack<4>(address + i, four);
        }
    } else {
        store_pack<COUNT>(address, sums);
    }
}
