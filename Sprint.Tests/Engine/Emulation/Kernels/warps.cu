// Threads of one block that order each other by fences and words of memory, right and, with repaired == 0, wrong: lines of the two accesses end in BUG or LATE
// and the kernel's name. Blocks have 64 threads: two warps.
#define FULL 0xffffffffu

// The last block adds up what all have stored, but no barrier lies between a block's warps and the thread that counts for them: the fences of all do not replace it.
extern "C" __global__ void counted_too_soon(int* partial, int* count, int* out, int repaired) {
    __shared__ bool last;
    partial[blockIdx.x * 64 + threadIdx.x] = blockIdx.x + 1; // BUG counted_too_soon
    __threadfence();
    if (repaired) __syncthreads();
    if (threadIdx.x == 0) last = atomicAdd(count, 1) == gridDim.x - 1;
    __syncthreads();
    if (!last) return;
    int sum = 0;
    for (int b = 0; b < gridDim.x; b++) sum += partial[b * 64 + threadIdx.x]; // LATE counted_too_soon
    out[threadIdx.x] = sum;
}

// A fence on either side orders nothing without a word that one writes and the other sees.
extern "C" __global__ void shared_behind_fences(int* out, int repaired) {
    __shared__ int data[32];
    __shared__ volatile int flag;
    if (threadIdx.x == 0) flag = 0;
    if (threadIdx.x < 32) data[threadIdx.x] = 1;
    __syncthreads();
    if (threadIdx.x < 32) {
        data[threadIdx.x] = 5; // BUG shared_behind_fences
        __threadfence_block();
        __syncwarp();
        if (threadIdx.x == 0) flag = 1;
    } else {
        while (repaired && flag == 0) { }
        __threadfence_block();
        out[threadIdx.x - 32] = data[63 - threadIdx.x]; // LATE shared_behind_fences
    }
}

extern "C" __global__ void global_behind_fences(int* data, volatile int* flag, int* out, int repaired) {
    data += blockIdx.x * 32, flag += blockIdx.x, out += blockIdx.x * 32;
    if (threadIdx.x < 32) {
        data[threadIdx.x] = 5; // BUG global_behind_fences
        __threadfence();
        __syncwarp();
        if (threadIdx.x == 0) *flag = 1;
    } else {
        while (repaired && *flag == 0) { }
        __threadfence();
        out[threadIdx.x - 32] = data[63 - threadIdx.x]; // LATE global_behind_fences
    }
}

// The flag is written before the fence instead of behind it.
extern "C" __global__ void flag_before_fence(int* out, int repaired) {
    __shared__ int data;
    __shared__ volatile int flag;
    if (threadIdx.x == 0) flag = data = 0;
    __syncthreads();
    if (threadIdx.x == 0) {
        data = blockIdx.x + 5; // BUG flag_before_fence
        if (repaired) __threadfence_block();
        flag = 1;
        __threadfence_block();
    }
    if (threadIdx.x == 32) {
        while (flag == 0) { }
        __threadfence_block();
        out[blockIdx.x] = data; // LATE flag_before_fence
    }
}

// A lock in shared memory is given back without a fence.
extern "C" __global__ void shared_lock_unfenced(int* out, int repaired) {
    __shared__ int lock, sum;
    if (threadIdx.x == 0) lock = sum = 0;
    __syncthreads();
    if (threadIdx.x % 32 == 0) {
        while (atomicCAS(&lock, 0, 1) != 0) { }
        __threadfence_block();
        sum += threadIdx.x + 1; // BUG shared_lock_unfenced
        if (repaired) __threadfence_block();
        atomicExch(&lock, 0);
    }
    __syncthreads();
    out[blockIdx.x] = sum;
}

// A third warp's thread hears of the flag from one that has not seen it.
extern "C" __global__ void hearsay(int* out, int repaired) {
    __shared__ int data;
    __shared__ volatile int first, second;
    if (threadIdx.x == 0) first = second = data = 0;
    __syncthreads();
    if (threadIdx.x == 0) {
        data = blockIdx.x + 5; // BUG hearsay
        __threadfence_block();
        first = 1;
    }
    if (threadIdx.x == 32) {
        while (repaired && first == 0) { }
        __threadfence_block();
        second = 1;
    }
    if (threadIdx.x == 64) {
        while (second == 0) { }
        __threadfence_block();
        out[blockIdx.x] = data; // LATE hearsay
    }
}

// The counter is set back by who is first to arrive instead of last.
extern "C" __global__ void shared_counter_reset(int* out, int repaired) {
    __shared__ int count;
    if (threadIdx.x == 0) count = 0;
    __syncthreads();
    if (threadIdx.x % 32 == 0) {
        __threadfence_block();
        if (atomicAdd(&count, 1) == (repaired ? 1 : 0)) // LATE shared_counter_reset
            count = 0; // BUG shared_counter_reset
    }
    __syncthreads();
    out[blockIdx.x * 64 + threadIdx.x] = count;
}

// Each half of a warp meets alone, but reads what the other has stored.
extern "C" __global__ void half_warps_meet(int* out, int repaired) {
    __shared__ int data[64];
    data[threadIdx.x] = threadIdx.x; // BUG half_warps_meet
    __syncwarp(repaired ? FULL : threadIdx.x % 32 < 16 ? 0x0000ffffu : 0xffff0000u);
    out[blockIdx.x * 64 + threadIdx.x] = data[threadIdx.x ^ 16]; // LATE half_warps_meet
}

// A store past the caches is one like others in shared memory.
extern "C" __global__ void uncached_in_shared(int* out, int repaired) {
    __shared__ int data[64];
    asm volatile("st.cg.u32 [%0], %1;" :: "l"(data + (repaired ? threadIdx.x : threadIdx.x % 32)), "r"(threadIdx.x) : "memory"); // BUG uncached_in_shared
    __syncthreads();
    out[blockIdx.x * 64 + threadIdx.x] = data[repaired ? threadIdx.x : threadIdx.x % 32];
}

// All threads, or those of one warp, store past the caches, and the last of them then stores or reads as if it had met the others.
extern "C" __global__ void strong_and_plain(int* y, int form, int repaired) {
    __shared__ int word;
    if (form < 3 && threadIdx.x >= 32) return;
    *(volatile int*)&word = threadIdx.x; // BUG strong_and_plain
    if (repaired) __syncthreads();
    if (form == 0 && threadIdx.x == 31) word = 100; // LATE strong_and_plain
    if (form == 1 && threadIdx.x == 0) word = 100; // LATE strong_and_plain
    if (form == 2 && threadIdx.x == 31) y[blockIdx.x] = word; // LATE strong_and_plain
    if (form == 3 && threadIdx.x == 63) word = 100; // LATE strong_and_plain
}

// ---- What is ordered ----
// Each warp waits for the one before it, adds to what it left in shared and in global memory, and hands on.
extern "C" __global__ void warps_in_turn(int* data, int* turns, int* out) {
    __shared__ int sum;
    __shared__ volatile int turn;
    data += blockIdx.x, turns += blockIdx.x;
    if (threadIdx.x == 0) turn = sum = *data = 0;
    __syncthreads();
    int warp = threadIdx.x / 32;
    if (threadIdx.x % 32 == 0) {
        while (turn != warp) { }
        __threadfence_block();
        sum += warp + 1;
        __threadfence_block();
        turn = warp + 1;
        while (atomicAdd(turns, 0) != warp) { }
        __threadfence_block();
        *data += warp + 1;
        __threadfence_block();
        atomicExch(turns, warp + 1);
    }
    if (threadIdx.x == blockDim.x - 1) {
        while (turn != blockDim.x / 32 || atomicAdd(turns, 0) != blockDim.x / 32) { }
        __threadfence_block();
        out[blockIdx.x] = sum * 1000 + *data;
    }
}

// Locks that all threads of the block fight for, lanes of one warp too.
extern "C" __global__ void locks_of_lanes(int* locks, int* sums, int* out) {
    __shared__ int lock, sum;
    locks += blockIdx.x, sums += blockIdx.x;
    if (threadIdx.x == 0) lock = sum = *sums = 0;
    __syncthreads();
    for (bool done = false; !done;) {
        if (atomicCAS(&lock, 0, 1) == 0) {
            __threadfence_block();
            sum += threadIdx.x;
            __threadfence_block();
            atomicExch(&lock, 0);
            done = true;
        }
    }
    for (bool done = false; !done;) {
        if (atomicCAS(locks, 0, 1) == 0) {
            __threadfence();
            *sums += threadIdx.x;
            __threadfence();
            atomicExch(locks, 0);
            done = true;
        }
    }
    __syncthreads();
    out[blockIdx.x * 64 + threadIdx.x] = sum * 10000 + *sums;
}

// Whoever is last sets the counter back and takes what all have left, without a barrier; in shared and in global memory.
extern "C" __global__ void last_warp_goes_on(int* counts, int* parts, int* out) {
    __shared__ int part[4], count;
    counts += blockIdx.x, parts += blockIdx.x * 4;
    if (threadIdx.x == 0) count = *counts = 0;
    __syncthreads();
    int warp = threadIdx.x / 32, warps = blockDim.x / 32;
    for (int round = 0; round < 2; round++) {
        if (threadIdx.x % 32 == 0) {
            part[warp] = parts[warp] = warp + 1;
            __threadfence_block();
            bool last = atomicAdd(&count, 1) == warps - 1;
            bool lastOfAll = atomicAdd(counts, 1) == warps - 1;
            __threadfence_block();
            int sum = 0;
            if (last) {
                count = 0;
                for (int w = 0; w < warps; w++) sum += part[w];
                out[blockIdx.x * 4 + round * 2] = sum;
            }
            if (lastOfAll) {
                *counts = 0;
                for (int w = 0; w < warps; w++) sum += parts[w];
                out[blockIdx.x * 4 + round * 2 + 1] = last ? sum - 6 : sum;
            }
        }
        __syncthreads();
    }
}

// Release and acquire as instructions have them, for the block.
extern "C" __global__ void released_in_block(int* out) {
    __shared__ int data[32], flag;
    unsigned int at = (unsigned int)__cvta_generic_to_shared(&flag);
    if (threadIdx.x == 0) flag = 0;
    __syncthreads();
    if (threadIdx.x < 32) {
        data[threadIdx.x] = threadIdx.x * 3;
        __syncwarp();
        if (threadIdx.x == 0) asm volatile("st.release.cta.shared.s32 [%0], 1;" :: "r"(at) : "memory");
    } else {
        int ready;
        do asm volatile("ld.acquire.cta.shared.s32 %0, [%1];" : "=r"(ready) : "r"(at) : "memory"); while (ready == 0);
        out[blockIdx.x * 32 + threadIdx.x - 32] = data[63 - threadIdx.x];
        __syncwarp();
        if (threadIdx.x == 32) asm volatile("red.release.cta.shared.add.s32 [%0], 1;" :: "r"(at) : "memory");
    }
    if (threadIdx.x == 0) {
        int ready;
        do asm volatile("atom.acquire.cta.shared.or.b32 %0, [%1], 0;" : "=r"(ready) : "r"(at) : "memory"); while (ready != 2);
        data[5] = 9;
    }
}

// A warp copies asynchronously and tells the other by a flag; the other says when it has read.
extern "C" __global__ void copies_with_flags(const int4* in, int4* out, int rounds) {
    __shared__ __align__(16) int4 box[32];
    __shared__ volatile int filled, emptied;
    if (threadIdx.x == 0) filled = emptied = 0;
    __syncthreads();
    int lane = threadIdx.x % 32;
    for (int r = 0; r < rounds; r++) {
        if (threadIdx.x < 32) {
            while (emptied != r) { }
            __threadfence_block();
            __syncwarp();
            unsigned int at = (unsigned int)__cvta_generic_to_shared(&box[lane]);
            asm volatile("cp.async.cg.shared.global [%0], [%1], 16; cp.async.commit_group; cp.async.wait_group 0;" :: "r"(at), "l"(in + r * 32 + lane) : "memory");
            __threadfence_block();
            __syncwarp();
            if (lane == 0) filled = r + 1;
        } else {
            while (filled != r + 1) { }
            __threadfence_block();
            __syncwarp();
            out[r * 32 + lane] = box[31 - lane];
            __threadfence_block();
            __syncwarp();
            if (lane == 0) emptied = r + 1;
        }
    }
}

// What one warp has stored reaches the other by way of another block.
extern "C" __global__ void round_trip(int* data, int* there, int* back, int* out) {
    __shared__ int kept;
    if (blockIdx.x == 1) {
        if (threadIdx.x != 0) return;
        while (atomicAdd(there, 0) == 0) { }
        __threadfence();
        atomicExch(back, 1);
    } else if (threadIdx.x == 0) {
        *data = 5;
        kept = gridDim.x + 4;
        __threadfence();
        atomicExch(there, 1);
    } else if (threadIdx.x == 32) {
        while (atomicAdd(back, 0) == 0) { }
        __threadfence();
        *out = *data + kept;
    }
}

// Through generic addresses that may be of either memory.
extern "C" __global__ void flags_by_pointer(int* data, int* flag, int* out, int global) {
    __shared__ int kept[32], near;
    if (threadIdx.x == 0) near = 0;
    __syncthreads();
    volatile int* word = global ? flag + blockIdx.x : &near;
    int* box = global ? kept : data + blockIdx.x * 32;
    if (threadIdx.x < 32) {
        box[threadIdx.x] = threadIdx.x;
        __syncwarp();
        __threadfence_block();
        if (threadIdx.x == 0) *word = 1;
    } else {
        while (*word == 0) { }
        __threadfence_block();
        out[blockIdx.x * 32 + threadIdx.x - 32] = box[63 - threadIdx.x];
    }
}

// All lanes store; then the four of a group read what their first has stored.
extern "C" __global__ void group_reads_first(int* out, int repaired) {
    __shared__ int data[64];
    data[threadIdx.x] = threadIdx.x; // BUG group_reads_first
    if (repaired) __syncwarp();
    out[blockIdx.x * 64 + threadIdx.x] = data[threadIdx.x & ~3]; // LATE group_reads_first
}

// The thread that clears the counter counts too, before the others know that it is clear.
extern "C" __global__ void cleared_by_counter(int* out, int repaired) {
    __shared__ int count;
    if (threadIdx.x == 0) count = 0; // BUG cleared_by_counter
    if (repaired) __syncthreads();
    int ticket = atomicAdd(&count, 1); // LATE cleared_by_counter
    out[blockIdx.x * 64 + threadIdx.x] = ticket;
}
