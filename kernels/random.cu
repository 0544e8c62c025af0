// Random numbers by Philox 4x32-10, keyed by (seed, stream, counter): see common/philox.cuh for which element is which word.
//   random_uniform:  output[i] uniform in [0, 1), float32, a multiple of 2^-24
//   random_normal:   output[i] standard normal, float32; elements 4q .. 4q+3 are two Box-Muller pairs of block q
// output (count) is overwritten. The same bits on every device and for any launch shape.
// Launch: one-dimensional; threads in all at least ceil(count / 4). output must be aligned to 16 bytes.

#include "common/normal.cuh"
#include "common/philox.cuh"

__device__ __forceinline__ void store_four(float* output, int64 first, int64 count, float4 values) {
    if (first + 4 <= count) {
        *reinterpret_cast<float4*>(output + first) = values;
        return;
    }
    const float each[4] = {values.x, values.y, values.z, values.w};
#pragma unroll
    for (int i = 0; i < 3; i++) {
        if (first + i < count) {
            output[first + i] = each[i];
        }
    }
}

extern "C" __global__ void __launch_bounds__(256)
random_uniform(float* __restrict__ output, int64 count, uint64 seed, uint64 stream, uint64 counter) {
    const int64 block = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (block * 4 >= count) {
        return;
    }
    const uint4 words = philox_block(seed, stream, counter + block);
    store_four(output, block * 4, count, make_float4(uniform_of(words.x), uniform_of(words.y), uniform_of(words.z), uniform_of(words.w)));
}

extern "C" __global__ void __launch_bounds__(256)
random_normal(float* __restrict__ output, int64 count, uint64 seed, uint64 stream, uint64 counter) {
    const int64 block = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (block * 4 >= count) {
        return;
    }
    const uint4 words = philox_block(seed, stream, counter + block);
    const float2 first = normal_pair(words.x, words.y);
    const float2 second = normal_pair(words.z, words.w);
    store_four(output, block * 4, count, make_float4(first.x, first.y, second.x, second.y));
}
