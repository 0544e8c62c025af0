// A pack is COUNT neighbouring elements, moved by one instruction; as floats in registers.
// pack_of<T>::widest elements fill 16 bytes, the widest access there is. An address given to load_pack or store_pack must be
// aligned to the pack: rows are, if the row length is a multiple of COUNT, since tensors start at multiples of 256 bytes.
#pragma once

#include "common/types.cuh"

template <typename T>
struct pack_of {
    static constexpr int widest = 16 / sizeof(T);
};

// As it is stored: bfloat16 in pairs, which takes half the registers and one instruction for two conversions.
template <typename T, int COUNT, bool IN_PAIRS = sizeof(T) == 2 && COUNT % 2 == 0>
struct alignas(sizeof(T) * COUNT) pack {
    T elements[COUNT];

    __device__ __forceinline__ void widen(float (&values)[COUNT]) const {
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            values[i] = to_float(elements[i]);
        }
    }

    __device__ __forceinline__ void narrow(const float (&values)[COUNT]) {
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            elements[i] = from_float<T>(values[i]);
        }
    }
};

template <typename T, int COUNT>
struct alignas(sizeof(T) * COUNT) pack<T, COUNT, true> {
    uint32 pairs[COUNT / 2];

    __device__ __forceinline__ void widen(float (&values)[COUNT]) const {
#pragma unroll
        for (int i = 0; i < COUNT; i += 2) {
            const float2 pair = unpack_bfloat16(pairs[i / 2]);
            values[i] = pair.x;
            values[i + 1] = pair.y;
        }
    }

    __device__ __forceinline__ void narrow(const float (&values)[COUNT]) {
#pragma unroll
        for (int i = 0; i < COUNT; i += 2) {
            pairs[i / 2] = pack_bfloat16(values[i], values[i + 1]);
        }
    }
};

template <int COUNT, typename T>
__device__ __forceinline__ pack<T, COUNT> load_stored(const T* address) {
    return *reinterpret_cast<const pack<T, COUNT>*>(address);
}

template <int COUNT, typename T>
__device__ __forceinline__ void load_pack(const T* address, float (&values)[COUNT]) {
    load_stored<COUNT>(address).widen(values);
}

template <int COUNT, typename T>
__device__ __forceinline__ void store_pack(T* address, const float (&values)[COUNT]) {
    pack<T, COUNT> stored;
    stored.narrow(values);
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
