// Races in global memory, each with its repair: the last argument. Lines of the two accesses end in BUG or LATE and the kernel's name.
// Blocks have 64 threads.

__device__ int device_total;

// The last block adds up what all have stored; without the fence nothing is published.
extern "C" __global__ void missing_publication(int* partial, int* count, int* out, int repaired) {
    __shared__ bool last;
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = blockIdx.x + 1; // BUG missing_publication
        if (repaired) __threadfence();
        last = atomicAdd(count, 1) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x < gridDim.x) atomicAdd(out, partial[threadIdx.x]); // LATE missing_publication
}

// A fence for the block alone publishes nothing to others.
extern "C" __global__ void narrow_fence(int* partial, int* count, int* out, int repaired) {
    __shared__ bool last;
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = blockIdx.x + 1; // BUG narrow_fence
        if (repaired) __threadfence(); else __threadfence_block();
        last = atomicAdd(count, 1) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x < gridDim.x) atomicAdd(out, partial[threadIdx.x]); // LATE narrow_fence
}

// One thread sees the publication, but no barrier tells the others of its warp's block.
extern "C" __global__ void flag_without_barrier(int* data, int* flag, int* out, int repaired) {
    if (blockIdx.x == 0) {
        data[threadIdx.x] = threadIdx.x; // BUG flag_without_barrier
        __threadfence();
        __syncthreads();
        if (threadIdx.x == 0) atomicExch(flag, 1);
        return;
    }
    if (threadIdx.x == 0) while (atomicAdd(flag, 0) == 0) { }
    if (repaired) __syncthreads();
    out[(blockIdx.x - 1) * 64 + threadIdx.x] = data[threadIdx.x]; // LATE flag_without_barrier
}

// The fence comes behind the flag instead of before it.
extern "C" __global__ void late_fence(int* data, volatile int* flag, int* out, int repaired) {
    if (threadIdx.x != 0) return;
    if (blockIdx.x == 0) {
        *data = 5; // BUG late_fence
        if (repaired) __threadfence();
        *flag = 1;
        __threadfence();
    } else {
        while (*flag == 0) { }
        __threadfence();
        out[blockIdx.x] = *data; // LATE late_fence
    }
}

// Two blocks store different values in one element.
extern "C" __global__ void same_element(int* out, int repaired) {
    out[repaired ? blockIdx.x * 64 + threadIdx.x : blockIdx.x * 60 + threadIdx.x] = blockIdx.x; // BUG same_element
}

// A histogram that adds without atomics.
extern "C" __global__ void plain_histogram(const int* in, int* bins, int repaired) {
    int bin = in[blockIdx.x * 64 + threadIdx.x] & 7;
    if (repaired) atomicAdd(&bins[bin], 1);
    else bins[bin]++; // BUG plain_histogram
}

// A stencil in place reads what the neighbouring block may have replaced.
extern "C" __global__ void stencil_in_place(float* x, float* out, int n, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x;
    float left = i > 0 ? x[i - 1] : 0, right = i + 1 < n ? x[i + 1] : 0; // LATE stencil_in_place
    __syncthreads();
    (repaired ? out : x)[i] = 0.5f * (left + right); // BUG stencil_in_place
}

// The counter is looked at without an atomic operation.
extern "C" __global__ void counter_peeked(int* count, int* out, int limit, int repaired) {
    int seen;
    if (repaired) seen = atomicAdd(count, 0);
    else seen = *count; // LATE counter_peeked
    if (seen < limit) out[atomicAdd(count, 1)] = 1; // BUG counter_peeked
}

// Block 0 sets the counter to zero while others add to it already.
extern "C" __global__ void counter_reset_late(int* count, int repaired) {
    if (blockIdx.x == 0 && threadIdx.x == 0 && !repaired) *count = 0; // BUG counter_reset_late
    __syncthreads();
    if (threadIdx.x == 0) atomicAdd(count, 1); // LATE counter_reset_late
}

// The lock is given back without a fence: the next holder may not see the sum.
extern "C" __global__ void unfenced_lock(int* lock, int* sum, int repaired) {
    if (threadIdx.x == 0) {
        while (atomicCAS(lock, 0, 1) != 0) { }
        *sum += blockIdx.x; // BUG unfenced_lock
        if (repaired) __threadfence();
        atomicExch(lock, 0);
    }
}

// Parts of one product summed in turn: each block waits for its turn, adds and hands on.
extern "C" __global__ void split_sum(float* out, int* turn, int repaired) {
    if (threadIdx.x == 0) while (atomicAdd(turn, 0) != blockIdx.x) { }
    __syncthreads();
    out[threadIdx.x] = (blockIdx.x > 0 ? out[threadIdx.x] : 0) + blockIdx.x; // BUG split_sum
    if (repaired) __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) atomicExch(turn, blockIdx.x + 1);
}

// Warps of a block hand rows to each other through global memory.
extern "C" __global__ void warps_of_a_block(int* rows, int* out, int repaired) {
    rows += blockIdx.x * 64;
    rows[threadIdx.x] = threadIdx.x; // BUG warps_of_a_block
    if (repaired) __syncthreads();
    out[blockIdx.x * 64 + threadIdx.x] = rows[63 - threadIdx.x]; // LATE warps_of_a_block
}

// A variable of the module.
extern "C" __global__ void variable_of_the_module(int repaired) {
    if (threadIdx.x == 0) {
        if (repaired) atomicAdd(&device_total, blockIdx.x + 1);
        else device_total += blockIdx.x + 1; // BUG variable_of_the_module
    }
}

// Pointers that come from memory.
extern "C" __global__ void pointers_from_memory(int** rows, int repaired) {
    int* row = rows[repaired ? blockIdx.x : 0];
    row[threadIdx.x] += blockIdx.x; // BUG pointers_from_memory
}

// ---- What is no race ----
// Neighbouring bytes and halves by different blocks.
extern "C" __global__ void neighbouring_bytes(unsigned char* bytes, unsigned short* halves) {
    bytes[threadIdx.x * gridDim.x + blockIdx.x] = blockIdx.x;
    halves[threadIdx.x * gridDim.x + blockIdx.x] = blockIdx.x;
    bytes[threadIdx.x * gridDim.x + blockIdx.x]++;
    halves[threadIdx.x * gridDim.x + blockIdx.x]++;
}

// Everybody stores the same.
extern "C" __global__ void same_value(int* flag, float4* table) {
    if (threadIdx.x % 3 == 0) *flag = 1;
    table[threadIdx.x] = make_float4(threadIdx.x, 1, 2, 3);
}

// An addition made of compare-and-swap, as the programming guide has it.
extern "C" __global__ void add_by_swap(double* sum) {
    unsigned long long* p = (unsigned long long*)sum;
    unsigned long long old = *p, assumed;
    do { assumed = old; old = atomicCAS(p, assumed, __double_as_longlong(1.0 + __longlong_as_double(assumed))); } while (assumed != old);
}

// All blocks meet at a barrier of their own making, four times.
extern "C" __global__ void blocks_meet(int* data, unsigned int* arrived, int* out) {
    for (int round = 0; round < 2; round++) {
        data[blockIdx.x * 64 + threadIdx.x] = round * 1000 + blockIdx.x * 64 + threadIdx.x;
        for (int side = 0; side < 2; side++) {
            __syncthreads();
            if (threadIdx.x == 0) {
                __threadfence();
                atomicAdd(arrived, 1);
                while (*(volatile unsigned int*)arrived < (round * 2 + side + 1) * gridDim.x) { }
                __threadfence();
            }
            __syncthreads();
            if (side == 0) out[(round * gridDim.x + blockIdx.x) * 64 + threadIdx.x] = data[((blockIdx.x + 1) % gridDim.x) * 64 + threadIdx.x];
        }
    }
}

// Words that hold a value and its state, stored and polled past the first-level cache without a fence.
extern "C" __global__ void states_and_values(unsigned long long* states, int* out) {
    if (threadIdx.x != 0) return;
    int before = 0;
    if (blockIdx.x > 0) {
        unsigned long long word;
        do word = __ldcg(states + blockIdx.x - 1); while (word == 0);
        before = (int)(word >> 32);
    }
    __stcg(states + blockIdx.x, (unsigned long long)(before + blockIdx.x + 1) << 32 | 1);
    out[blockIdx.x] = before;
}

// The same with values and states of one byte apart and a fence between them, through generic addresses, as CUB writes it.
extern "C" __global__ void states_by_pointer(unsigned char* states, long long* values, int* out) {
    if (threadIdx.x != 0) return;
    long long before = 0;
    if (blockIdx.x > 0) {
        unsigned short state;
        do {
            asm volatile("{ .reg .u8 datum; ld.cg.u8 datum, [%1]; cvt.u16.u8 %0, datum; }" : "=h"(state) : "l"(states + blockIdx.x - 1) : "memory");
            __threadfence();
        } while (state == 0);
        asm volatile("ld.cg.u64 %0, [%1];" : "=l"(before) : "l"(values + blockIdx.x - 1) : "memory");
    }
    asm volatile("st.cg.u64 [%0], %1;" :: "l"(values + blockIdx.x), "l"(before + blockIdx.x + 1) : "memory");
    __threadfence();
    asm volatile("{ .reg .u8 datum; cvt.u8.u16 datum, %1; st.cg.u8 [%0], datum; }" :: "l"(states + blockIdx.x), "h"((unsigned short)(blockIdx.x + 7)) : "memory");
    out[blockIdx.x] = (int)before;
}

// Flags of release and acquire semantics, as cuda::atomic_ref and CUTLASS write them.
extern "C" __global__ void release_and_acquire(int* data, int* flags, int* out) {
    int sum = threadIdx.x;
    if (blockIdx.x > 0) {
        if (threadIdx.x == 0) {
            int ready;
            do asm volatile("ld.acquire.gpu.global.s32 %0, [%1];" : "=r"(ready) : "l"(flags + blockIdx.x - 1) : "memory"); while (ready == 0);
        }
        __syncthreads();
        sum += data[(blockIdx.x - 1) * 64 + 63 - threadIdx.x];
    }
    data[blockIdx.x * 64 + threadIdx.x] = sum;
    out[blockIdx.x * 64 + threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.x == 0) asm volatile("red.release.gpu.global.add.s32 [%0], 1;" :: "l"(flags + blockIdx.x) : "memory");
}

// Who sees all others' tickets may set the counter back for the next launch; before that it is a race.
extern "C" __global__ void counter_reset_early(int* partial, int* count, int* out, int repaired) {
    __shared__ bool last;
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = blockIdx.x + 1;
        __threadfence();
        int ticket = atomicAdd(count, 1); // LATE counter_reset_early
        last = ticket == gridDim.x - 1;
        if (!repaired && ticket == 0) *count = 0; // BUG counter_reset_early
    }
    __syncthreads();
    if (!repaired || !last) return;
    if (threadIdx.x < gridDim.x) atomicAdd(out, partial[threadIdx.x]);
    if (threadIdx.x == 63) *count = 0;
}

// Blocks that wait for each other, so that they run at once, and then all store into the same bytes: other values unless repaired.
extern "C" __global__ void stores_at_once(unsigned int* ready, int* out, int form, int repaired) {
    if (threadIdx.x == 0) {
        atomicAdd(ready, 1);
        while (atomicAdd(ready, 0) < gridDim.x) { }
    }
    __syncthreads();
    int value = repaired ? 5 : blockIdx.x;
    if (form == 0) out[threadIdx.x] = value; // BUG stores_at_once
    if (form == 1 && threadIdx.x == 40) out[0] = value; // BUG stores_at_once
    if (form == 2) ((unsigned char*)out)[threadIdx.x * 3] = value; // BUG stores_at_once
    if (form == 3) ((int4*)out)[threadIdx.x] = make_int4(1, 2, value, 4); // BUG stores_at_once
    if (form == 4 && blockIdx.x == 0) out[threadIdx.x * 2] = value << 16 | 7; // BUG stores_at_once
    if (form == 4 && blockIdx.x > 0) ((unsigned short*)out)[threadIdx.x * 4 + 1] = value; // BUG stores_at_once
    if (form == 5) __stcg(out + threadIdx.x, value); // BUG stores_at_once
}

// The counter alone tells who is last; it is set back one arrival too soon, unless repaired. No fence is needed: all arrivals were observed.
extern "C" __global__ void counter_reset_too_soon(int* count, int repaired) {
    if (threadIdx.x == 0 && atomicAdd(count, 1) == gridDim.x - (repaired ? 1 : 2)) *count = 0; // BUG counter_reset_too_soon
}

// The same by another warp, behind a barrier that tells it, and with a second counter that wraps by itself.
extern "C" __global__ void counters_start_over(int* count, unsigned int* wraps, int* rounds) {
    __shared__ bool last;
    if (threadIdx.x == 0) {
        atomicInc(wraps, gridDim.x - 1);
        last = atomicAdd(count, 1) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x == 63) {
        *count = 0;
        *rounds += 1;
    }
}

// A swap that fails writes nothing, so that its fence publishes nothing.
extern "C" __global__ void failing_swap(int* data, int* word, int* out, int repaired) {
    if (threadIdx.x != 0) return;
    if (blockIdx.x == 0) {
        *data = 5; // BUG failing_swap
        __threadfence();
        atomicCAS(word, repaired ? 0 : 1, 7);
    } else {
        int seen;
        do seen = atomicAdd(word, 0); while (repaired && seen != 7);
        out[blockIdx.x] = *data; // LATE failing_swap
    }
}
