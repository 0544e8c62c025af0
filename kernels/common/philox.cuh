// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a block of four words from
//   key     = (seed low, seed high)
//   counter = (block low, block high, stream low, stream high)
// Element i of a draw that starts at block `counter` is word i % 4 of block counter + i / 4; the next draw starts at
// counter + ceil(count / 4). The same numbers on every device.
#pragma once

#include "common/types.cuh"

__device__ __forceinline__ uint4 philox_block(uint64 seed, uint64 stream, uint64 block) {
    uint32 key_low = static_cast<uint32>(seed);
    uint32 key_high = static_cast<uint32>(seed >> 32);
    uint4 state = make_uint4(
        static_cast<uint32>(block), static_cast<uint32>(block >> 32), static_cast<uint32>(stream), static_cast<uint32>(stream >> 32));
#pragma unroll
    for (int round = 0; round < 10; round++) {
        const uint64 first = static_cast<uint64>(0xD2511F53u) * state.x;
        const uint64 second = static_cast<uint64>(0xCD9E8D57u) * state.z;
        state = make_uint4(
            static_cast<uint32>(second >> 32) ^ state.y ^ key_low,
            static_cast<uint32>(second),
            static_cast<uint32>(first >> 32) ^ state.w ^ key_high,
            static_cast<uint32>(first));
        key_low += 0x9E3779B9u;
        key_high += 0xBB67AE85u;
    }
    return state;
}

// Uniform in [0, 1): the upper 24 bits, so that every value is exact.
__device__ __forceinline__ float uniform_of(uint32 word) { return __fmul_rn(static_cast<float>(word >> 8), 0x1p-24f); }

// The word of one element of a draw.
__device__ __forceinline__ uint32 philox_word(uint64 seed, uint64 stream, uint64 counter, uint64 element) {
    const uint4 block = philox_block(seed, stream, counter + element / 4);
    const uint32 low = (element & 1) == 0 ? block.x : block.y;
    const uint32 high = (element & 1) == 0 ? block.z : block.w;
    return (element & 2) == 0 ? low : high;
}
