// Races that happens-before shows only where threads come to each other in one of two orders, and right with repaired != 0; lines of the two accesses end in BUG or
// LATE and the kernel's name. Blocks have 64 threads: two warps.

// One block writes once more after it has given the lock back. Who has the lock after it may see that or not; who had it before is ordered by the lock.
extern "C" __global__ void behind_unlock(int* lock, int* total, int repaired) {
    if (threadIdx.x != 0) return;
    while (atomicCAS(lock, 0, 1) != 0) { }
    bool careless = blockIdx.x == gridDim.x - 1 && !repaired;
    total[0] += blockIdx.x + 1; // LATE behind_unlock
    __threadfence();
    atomicExch(lock, 0);
    if (careless) total[0] += 100; // BUG behind_unlock
}

// Blocks meet after each writing, but not after the reading: who is late reads what its neighbour writes in the next round.
extern "C" __global__ void second_round(int* data, int* arrived, int* out, int repaired) {
    int mine = blockIdx.x * blockDim.x + threadIdx.x, next = (blockIdx.x + 1) % gridDim.x * blockDim.x + threadIdx.x, meetings = 0;
    for (int round = 0; round < 4; round++) {
        data[mine] = round * 1000 + blockIdx.x; // BUG second_round
        for (int pass = 0; pass < 1 + (repaired != 0); pass++) {
            __threadfence();
            __syncthreads();
            meetings++;
            if (threadIdx.x == 0) {
                atomicAdd(arrived, 1);
                while (atomicAdd(arrived, 0) < meetings * gridDim.x) { }
            }
            __syncthreads();
            if (pass == 0) out[mine] = data[next]; // LATE second_round
        }
    }
}

// A queue of four places whose writer lets five be in it.
extern "C" __global__ void ring_of_places(const int* in, int* out, int count, int repaired) {
    __shared__ int place[4];
    __shared__ volatile int written, read;
    if (threadIdx.x == 0) written = read = 0;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int i = 0; i < count; i++) {
            while (written - read >= (repaired ? 4 : 5)) { }
            place[i % 4] = in[i]; // BUG ring_of_places
            __threadfence_block();
            written = i + 1;
        }
    } else if (threadIdx.x == 32) {
        for (int i = 0; i < count; i++) {
            while (written <= i) { }
            out[i] = place[i % 4]; // LATE ring_of_places
            __threadfence_block();
            read = i + 1;
        }
    }
}

// Every block waits for the one before it in the grid, by its number.
extern "C" __global__ void chain_of_blocks(volatile int* sums, int* out) {
    extern __shared__ int unused[];
    if (threadIdx.x == 0) {
        int before = 0;
        if (blockIdx.x > 0)
            while ((before = sums[blockIdx.x - 1]) == 0) { }
        __threadfence();
        sums[blockIdx.x] = before + 1;
        out[blockIdx.x] = before;
    }
}

// One block traps instead of coming to where the others wait.
extern "C" __global__ void never_comes(int* arrived) {
    if (blockIdx.x == 5) __trap();
    if (threadIdx.x == 0) {
        atomicAdd(arrived, 1);
        while (atomicAdd(arrived, 0) < gridDim.x) { }
    }
}
