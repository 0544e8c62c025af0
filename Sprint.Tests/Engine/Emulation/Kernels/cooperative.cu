// Kernels whose blocks meet at a barrier of the whole grid. Compiled with -I to CUDA 11.8's include folder.
#include <cooperative_groups.h>

namespace cg = cooperative_groups;

// Rounds of reversing: each reads what other blocks wrote in the round before.
extern "C" __global__ void grid_reverse(int* from, int* to, int n, int rounds) {
    cg::grid_group grid = cg::this_grid();
    for (int round = 0; round < rounds; round++) {
        for (int i = (int)grid.thread_rank(); i < n; i += (int)grid.size()) {
            to[i] = from[n - 1 - i] + 1;
        }
        grid.sync();
        int* swap = from;
        from = to;
        to = swap;
    }
}

// The number of threads that can meet, or -1.
extern "C" __global__ void grid_facts(int* out) {
    cg::grid_group grid = cg::this_grid();
    out[grid.thread_rank()] = grid.is_valid() ? (int)grid.size() : -1;
}

// A sum by all blocks, which the first block reads; without repaired nothing tells it that they are done.
extern "C" __global__ void grid_sum(int* partial, int* sum, int repaired) {
    if (threadIdx.x == 0) partial[blockIdx.x] = blockIdx.x + 1;
    if (repaired) cg::this_grid().sync();
    if (blockIdx.x == 0 && threadIdx.x == 0) {
        int all = 0;
        for (int i = 0; i < gridDim.x; i++) all += partial[i]; // BUG grid_sum
        sum[0] = all;
    }
}

// The last block stays away from the barrier, for which the others wait without end.
extern "C" __global__ void grid_barrier_missed(int* out, int repaired) {
    if (repaired || blockIdx.x + 1 < gridDim.x) cg::this_grid().sync(); // BUG grid_barrier_missed
    out[blockIdx.x] = blockIdx.x;
}
