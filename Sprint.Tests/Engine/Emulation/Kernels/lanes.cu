// Lanes of one warp, right and, with repaired == 0, wrong: lines of the two accesses end in BUG or LATE and the kernel's name. Blocks have 64 threads.
#define FULL 0xffffffffu

// ---- Races of lanes in global memory ----
// Two lanes store different numbers in one element.
extern "C" __global__ void halved_index(int* out, int repaired) {
    out += blockIdx.x * 64;
    out[repaired ? threadIdx.x : threadIdx.x / 2 + threadIdx.x / 32 * 32] = threadIdx.x; // BUG halved_index
}

// The same past the first-level cache.
extern "C" __global__ void halved_index_uncached(int* out, int repaired) {
    out += blockIdx.x * 64;
    __stcg(out + (repaired ? threadIdx.x : threadIdx.x / 2 + threadIdx.x / 32 * 32), (int)threadIdx.x); // BUG halved_index_uncached
}

// Lanes read what others of their warp have stored.
extern "C" __global__ void neighbour_read(int* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x;
    x[i] = threadIdx.x; // BUG neighbour_read
    if (repaired) __syncwarp();
    y[i] = x[i ^ 31]; // LATE neighbour_read
}

// Lanes overwrite what others read.
extern "C" __global__ void neighbour_overwritten(int* x, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x;
    int v = x[i ^ 1]; // LATE neighbour_overwritten
    if (repaired) __syncwarp();
    x[i] = v + 1; // BUG neighbour_overwritten
}

// Everybody reads an element that one lane replaces.
extern "C" __global__ void broadcast_replaced(int* x, int* y, int repaired) {
    x += blockIdx.x * 64 + threadIdx.x / 32 * 32;
    int v = x[7]; // LATE broadcast_replaced
    if (repaired) __syncwarp();
    if (threadIdx.x % 32 == 9) x[7] = v + 1; // BUG broadcast_replaced
    y[blockIdx.x * 64 + threadIdx.x] = v;
}

// Elements of one byte, of two and vectors, from the middle of a line on.
template <class T> __device__ void shift_in_place(T* x, T* y, int repaired) {
    x += 5 + blockIdx.x * 64, y += blockIdx.x * 64;
    T v = y[threadIdx.x];
    x[threadIdx.x] = v; // BUG shifted
    if (repaired) __syncwarp();
    y[threadIdx.x] = x[threadIdx.x % 32 == 31 ? threadIdx.x : threadIdx.x + 1]; // LATE shifted
}
extern "C" __global__ void shifted_bytes(unsigned char* x, unsigned char* y, int repaired) { shift_in_place(x, y, repaired); }
extern "C" __global__ void shifted_halves(unsigned short* x, unsigned short* y, int repaired) { shift_in_place(x, y, repaired); }
extern "C" __global__ void shifted_vectors(int4* x, int4* y, int repaired) { shift_in_place(x, y, repaired); }

// Places far apart, read in another order.
extern "C" __global__ void scattered(int* x, int* y, int repaired) {
    int base = blockIdx.x * 64 * 33;
    x[base + threadIdx.x * 33] = threadIdx.x; // BUG scattered
    if (repaired) __syncwarp();
    y[blockIdx.x * 64 + threadIdx.x] = x[base + (threadIdx.x ^ 5) * 33]; // LATE scattered
}

// Both sides of a branch store to one place.
extern "C" __global__ void both_branches(int* x, int repaired) {
    x += blockIdx.x * 64 + threadIdx.x / 32 * 32;
    int lane = threadIdx.x % 32;
    if (lane == 3) x[0] = 1; // BUG both_branches
    if (repaired) __syncwarp();
    if (lane == 4) x[0] = 2; // LATE both_branches
}

// What atomics of other lanes have counted is read without one.
extern "C" __global__ void lanes_counted(int* counts, int* y, int repaired) {
    counts += (blockIdx.x * 64 + threadIdx.x) / 32 * 32;
    atomicAdd(counts + threadIdx.x % 4, 1); // BUG lanes_counted
    if (repaired) __syncwarp();
    y[blockIdx.x * 64 + threadIdx.x] = counts[threadIdx.x % 4]; // LATE lanes_counted
}

// A fence and an atomic operation by all lanes at once order none of them behind a later one.
extern "C" __global__ void lanes_fenced(int* x, int* y, int* count, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x;
    x[i] = threadIdx.x; // BUG lanes_fenced
    __threadfence();
    int ticket = atomicAdd(count + blockIdx.x, 1);
    if (repaired) __syncwarp();
    y[i] = x[i ^ 31] + (ticket < 0); // LATE lanes_fenced
}

// Each half of a warp meets alone.
extern "C" __global__ void half_meets(int* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x;
    x[i] = threadIdx.x; // BUG half_meets
    __syncwarp(threadIdx.x % 32 < 16 ? 0x0000ffffu : 0xffff0000u);
    y[i] = x[repaired ? i ^ 8 : i ^ 16]; // LATE half_meets
}

// The first lane to count sets the counter back instead of the last.
extern "C" __global__ void lane_resets(int* counts, int repaired) {
    int* count = counts + (blockIdx.x * 64 + threadIdx.x) / 32;
    if (atomicAdd(count, 1) == (repaired ? 31 : 0)) // LATE lane_resets
        *count = 0; // BUG lane_resets
}

// All lanes store past the caches, and one of them, or one that reads, then goes on as if it had met the others.
extern "C" __global__ void strong_and_plain(int* words, int form, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    int* word = words + i / 32;
    *(volatile int*)word = lane; // BUG strong_and_plain
    if (repaired) __syncwarp();
    if (form == 0 && lane == 31) *word = 100; // LATE strong_and_plain
    if (form == 1 && lane == 0) *word = 100; // LATE strong_and_plain
    if (form == 2 && lane == 31) y[i] = *word; // LATE strong_and_plain
}

// ---- Masks that name lanes which never come ----
// Half a warp comes to an instruction of all its lanes; the others store and end, or have only exchanged before.
extern "C" __global__ void half_mask(int* out, int form, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, v = threadIdx.x;
    if (form == 6) v = __shfl_xor_sync(FULL, v, 2);
    if (repaired || threadIdx.x % 32 < 16) {
        if (form == 0) v = __shfl_xor_sync(FULL, v, 1); // BUG half_mask
        if (form == 1) v = __ballot_sync(FULL, v & 1); // BUG half_mask
        if (form == 2) v = __any_sync(FULL, v > 5); // BUG half_mask
        if (form == 3) v = __match_any_sync(FULL, v & 3); // BUG half_mask
        if (form == 4) v = __reduce_add_sync(FULL, (unsigned)v); // BUG half_mask
        if (form == 5) __syncwarp(); // BUG half_mask
        if (form == 6) v = __shfl_sync(FULL, v, 0); // BUG half_mask
    }
    if (form != 6 || threadIdx.x % 32 < 16) out[i] = v;
}

// Threads beyond the end return at once; the others reduce with a full mask.
extern "C" __global__ void return_and_reduce(const int* x, int* out, int n) {
    int i = blockIdx.x * 64 + threadIdx.x;
    if (i >= n) return;
    int v = x[i];
    for (int offset = 8; offset > 0; offset /= 2) v += __shfl_xor_sync(FULL, v, offset);
    out[i] = v;
}

// ---- What lanes may do ----
extern "C" __global__ void lanes_at_ease(int* x, int* y, unsigned char* bytes, int4* rows, volatile int* mail, int* flag) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32, warp = i / 32;
    *flag = 1;
    x[warp * 32 + 5] = 7;
    __syncwarp();
    for (int k = 0; k < 3; k++) x[i] = x[i] * 0 + k + lane;
    rows[i] = make_int4(i, 1, 2, 3);
    ((int*)rows)[i * 4 + 2] += 40;
    bytes[i] = lane;
    bytes[i]++;
    mail[warp * 32 + (lane ^ 1)] = lane;
    int got = mail[i];
    int common = y[warp * 32] * 0 + x[i];
    __syncwarp();
    int sum = x[i ^ 3] + bytes[i ^ 7] + rows[i ^ 2].z + common * 0 + got * 0;
    __syncwarp();
    if (lane % 8 == 0) x[i] = -1;
    __syncwarp(0xffu << lane / 8 * 8);
    sum += x[i & ~7];
    __syncwarp();
    y[i] = sum;
    // So many lines that the first are forgotten.
    for (int k = 0; k < 400; k++) x[(k + 8) * 64 * gridDim.x + i] = k;
    for (int k = 0; k < 400; k++) x[(k + 8) * 64 * gridDim.x + i]++;
}

// A word is handed from lane to lane, each reading what the one before has stored elsewhere.
extern "C" __global__ void lanes_in_turn(int* turns, int* x, int* y) {
    int* turn = turns + (blockIdx.x * 64 + threadIdx.x) / 32;
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    while (*(volatile int*)turn != lane) { }
    __threadfence();
    x[i] = lane == 0 ? 1 : x[i - 1] + lane;
    __threadfence();
    *(volatile int*)turn = lane + 1;
    __syncwarp();
    y[i] = x[i ^ 31];
}

// A whole warp meets: what its lanes have read before, one of them reads again and stores.
extern "C" __global__ void warps_at_ease(int* out) {
    __shared__ int data[64];
    int t = threadIdx.x, first = t / 32 * 32;
    data[t] = t;
    __syncwarp();
    int v = data[first], w = data[t ^ 1];
    __syncwarp();
    if (t == first) data[first] += v + 1;
    if (t == first + 5) data[t] += w;
    __syncwarp();
    out[blockIdx.x * 64 + t] = data[first] + data[t];
}

// Tiles of half a warp: what was read before the tile met is read again by a lane that then stores, in global and in shared memory.
extern "C" __global__ void tiles_at_ease(int* x, int* state) {
    __shared__ int data[64], totals[4];
    int t = threadIdx.x, i = blockIdx.x * 64 + t, tile = blockIdx.x * 4 + t / 16;
    unsigned mask = t % 32 < 16 ? 0x0000ffffu : 0xffff0000u;
    data[t] = t;
    if (t % 16 == 0) totals[t / 16] = 1;
    __syncwarp(mask);
    int v = x[i ^ 1], m = state[tile], w = data[t ^ 1], n = totals[t / 16];
    __syncwarp(mask);
    x[i] += v;
    data[t] += w;
    if (t % 16 == 0) {
        state[tile] += m;
        totals[t / 16] += n;
    }
    __syncwarp(mask);
    x[i] += state[tile] + totals[t / 16] + data[t ^ 3];
}

// A lane reads, fences, reads again and stores; the warp that counts last sets the counter back, without a fence for it.
extern "C" __global__ void counts_unfenced(int* out) {
    __shared__ int count, word;
    if (threadIdx.x == 0) count = word = 0;
    __syncthreads();
    if (threadIdx.x % 32 == 0 && atomicAdd(&count, 1) == 1) count = 0;
    __syncthreads();
    if (threadIdx.x == 5) {
        int before = *(int*)&word;
        __syncwarp(1u << 5);
        word += before + 3;
    }
    __syncthreads();
    out[blockIdx.x * 64 + threadIdx.x] = count + word;
}

// The lane that counts last has observed all others, also behind a volatile store of its own.
extern "C" __global__ void last_lane_resets(int* counts, int* y) {
    __shared__ int near[2];
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    int* count = counts + i / 32;
    int* other = near + threadIdx.x / 32;
    if (lane == 0) *other = 0;
    __syncwarp();
    if (atomicAdd(count, 1) == 31) {
        *(volatile int*)count = 5;
        *count = 6;
    }
    if (atomicAdd(other, 1) == 31) {
        *(volatile int*)other = 7;
        *other = 8;
    }
    __syncwarp();
    y[i] = *count + *other;
}

// Half a warp stores and returns; the others meet among themselves alone.
extern "C" __global__ void stored_and_gone(int* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    if (lane < 16) x[i] = lane; // BUG stored_and_gone
    if (repaired) __syncwarp();
    if (lane < 16) return;
    __syncwarp(0xffff0000u);
    y[i] = x[i - 16]; // LATE stored_and_gone
}

// What one lane has published comes back to it; another lane of its warp has not met it.
extern "C" __global__ void back_to_one_lane(int* x, volatile int* flags, int* y, int repaired) {
    volatile int* go = flags + blockIdx.x * 2;
    int* own = x + blockIdx.x;
    if (threadIdx.x == 0) {
        *own = 7; // BUG back_to_one_lane
        __threadfence_block();
        go[0] = 1;
        while (go[1] == 0) {}
        __threadfence_block();
    }
    if (threadIdx.x == 32) {
        while (go[0] == 0) {}
        __threadfence_block();
        go[1] = 1;
    }
    if (threadIdx.x < 32) {
        if (repaired) __syncwarp();
        if (threadIdx.x == 5) y[blockIdx.x] = *own; // LATE back_to_one_lane
    }
}
