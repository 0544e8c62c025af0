// Shuffles of CUDA's own headers that read lanes which do not take part. Compiled with -I to CUDA 11.8's include folder.
#include <cuda_fp16.h>
#include <cuda_bf16.h>
#include <cooperative_groups.h>

namespace cg = cooperative_groups;

// Tiles of eight threads, of which the last two have returned; each sums its first six, or all that it reads.
template <class T> __device__ void sum_tiles(const T* x, T* y, int repaired) {
    auto tile = cg::tiled_partition<8>(cg::this_thread_block());
    if (tile.thread_rank() >= 6) return;
    T sum = x[threadIdx.x];
    for (int offset = 4; offset > 0; offset /= 2) {
        T other = tile.shfl_down(sum, offset);
        if (!repaired || tile.thread_rank() + offset < 6) sum = sum + other;
    }
    if (tile.thread_rank() == 0) y[threadIdx.x / 8] = sum;
}
extern "C" __global__ void tiles_of_int(const int* x, int* y, int repaired) { sum_tiles(x, y, repaired); }
extern "C" __global__ void tiles_of_double(const double* x, double* y, int repaired) { sum_tiles(x, y, repaired); }
extern "C" __global__ void tiles_of_half(const __half* x, __half* y, int repaired) { sum_tiles(x, y, repaired); }
extern "C" __global__ void tiles_of_bf16(const __nv_bfloat16* x, __nv_bfloat16* y, int repaired) { sum_tiles(x, y, repaired); }
extern "C" __global__ void tiles_of_half2(const __half2* x, __half2* y, int repaired) { sum_tiles(x, y, repaired); }

// The threads of a branch as a group, which reads inside itself.
extern "C" __global__ void coalesced(const int* x, int* y) {
    int v = x[threadIdx.x];
    if (threadIdx.x % 3 == 0) {
        cg::coalesced_group group = cg::coalesced_threads();
        for (int offset = group.size() / 2; offset > 0; offset /= 2) v += group.shfl_down(v, offset);
        y[threadIdx.x] = v;
    }
}
