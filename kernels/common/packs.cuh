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

// The same for a row of `width` sums that only row_sum_place is read by: of packs of eight all first halves lie before all second halves, so that the stores of
// neighbouring lanes fill whole sectors.
template <int COUNT>
__device__ __forceinline__ void store_row_sums(float* row, int column, int width, const float (&sums)[COUNT]) {
    if constexpr (COUNT == 8) {
        const float low[4] = {sums[0], sums[1], sums[2], sums[3]}, high[4] = {sums[4], sums[5], sums[6], sums[7]};
        store_pack<4>(row + column / 2, low);
        store_pack<4>(row + (width + column) / 2, high);
    } else {
        store_sums<COUNT>(row + column, sums);
    }
}

// Where the sum of a column is in a row that store_row_sums wrote, in packs of `widest` where the width is a multiple of them.
__device__ __forceinline__ int row_sum_place(int column, int width, int widest) {
    return widest == 8 && width % 8 == 0 ? column % 8 / 4 * (width / 2) + column / 8 * 4 + column % 4 : column;
}
