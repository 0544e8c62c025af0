// Sources of asynchronous copies that are overwritten (STORE) while the copy (COPY) may still read them, as its wait (WAIT) comes later or nothing orders the two;
// with repaired != 0 the store comes behind the wait, and behind a barrier where another thread makes it.
__device__ __forceinline__ unsigned at(const void* p) { return (unsigned)__cvta_generic_to_shared(p); }
#define START(to, from) asm volatile("cp.async.cg.shared.global [%0], [%1], 16; cp.async.commit_group;" :: "r"(at(to)), "l"(from) : "memory")
#define FINISH(n) asm volatile("cp.async.wait_group %0;" :: "n"(n) : "memory")

extern "C" __global__ void same_thread(int4* data, int4* out, int repaired) {
    __shared__ int4 s[64];
    int t = threadIdx.x;
    START(&s[t], data + t); // COPY same_thread
    if (!repaired) data[t].y = t + 1000; // STORE same_thread
    FINISH(0); // WAIT same_thread
    if (repaired) data[t].y = t + 1000;
    out[t] = s[t];
}

extern "C" __global__ void same_warp(int4* data, int4* out, int repaired) {
    __shared__ int4 s[64];
    int t = threadIdx.x;
    START(&s[t], data + t); // COPY same_warp
    if (repaired) { FINISH(0); }
    __syncwarp();
    data[t ^ 1].x = t + 1000; // STORE same_warp
    __syncwarp();
    FINISH(0); // WAIT same_warp
    out[t] = s[t];
}

// The barrier orders the store behind the copy's beginning, but not behind its end.
extern "C" __global__ void late_wait(int4* data, int4* out, int repaired) {
    __shared__ int4 s[64];
    int t = threadIdx.x;
    START(&s[t], data + t); // COPY late_wait
    if (repaired) { FINISH(0); }
    __syncthreads();
    data[t ^ 32].x = t + 1000; // STORE late_wait
    FINISH(0); // WAIT late_wait
    out[t] = s[t];
}

// Two barriers, and the store between them: ordered before the wait, which is no better.
extern "C" __global__ void between_barriers(int4* data, int4* out, int repaired) {
    __shared__ int4 s[64];
    int t = threadIdx.x;
    START(&s[t], data + t); // COPY between_barriers
    if (repaired) { FINISH(0); }
    __syncthreads();
    data[t ^ 32].z = t + 1000; // STORE between_barriers
    __syncthreads();
    FINISH(0); // WAIT between_barriers
    out[t] = s[t];
}

// The first of two groups has ended, the second has not.
extern "C" __global__ void newest_group(int4* data, int4* out, int repaired) {
    __shared__ int4 s[128];
    int t = threadIdx.x;
    START(&s[t], data + t);
    START(&s[64 + t], data + 64 + t); // COPY newest_group
    FINISH(1);
    __syncthreads();
    data[(repaired ? 0 : 64) + (t ^ 32)].w = t + 1000; // STORE newest_group
    FINISH(0); // WAIT newest_group
    out[t] = s[t];
    out[64 + t] = s[64 + t];
}

// A copy that fills up with zeros reads only part of its source: 4 bytes here.
extern "C" __global__ void partial_copy(int4* data, int4* out, int repaired) {
    __shared__ int4 s[64];
    int t = threadIdx.x;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" :: "r"(at(&s[t])), "l"(data + t), "r"(t & 1 ? 4 : 0) : "memory"); // COPY partial_copy
    __syncthreads();
    if (repaired || t == 5) ((int*)(data + (t ^ 32)))[repaired ? 1 + (t & 1) : 0] = t + 1000; // STORE partial_copy
    asm volatile("cp.async.wait_all;" ::: "memory"); // WAIT partial_copy
    out[t] = s[t];
}

// Block 1 may go on as soon as block 0 has said so, which it does too early.
extern "C" __global__ void other_block(int4* data, int* flag, int4* out, int repaired) {
    __shared__ int4 s[64];
    int t = threadIdx.x;
    if (blockIdx.x == 0) {
        START(&s[t], data + t); // COPY other_block
        if (repaired) { FINISH(0); }
        __syncthreads();
        if (t == 0) { __threadfence(); atomicExch(flag, 1); }
        FINISH(0); // WAIT other_block
        out[t] = s[t];
    } else if (blockIdx.x == 1) {
        if (t == 0) { while (atomicAdd(flag, 0) == 0) { } __threadfence(); }
        __syncthreads();
        data[t].y = t + 1000; // STORE other_block
    }
}

// The wait for the next stage comes behind the barrier after which another warp writes the stage's source back.
extern "C" __global__ void in_place(int4* data, int repaired) {
    __shared__ int4 s[2][64];
    int t = threadIdx.x;
    START(&s[0][t], data + t);
    for (int k = 0; k < 4; k++) {
        if (k < 3) START(&s[(k + 1) & 1][t], data + (k + 1) * 64 + t); // COPY in_place
        if (repaired && k < 3) { FINISH(1); }
        else if (repaired) { FINISH(0); }
        __syncthreads();
        int4 v = repaired ? s[k & 1][t ^ 32] : make_int4(k, k, k, t);
        v.x++;
        data[(k + (repaired ? 0 : k < 3)) * 64 + (t ^ 32)] = v; // STORE in_place
        FINISH(0); // WAIT in_place
        __syncthreads();
    }
}

// Right as it is: written by the kernel, copied, written again behind the wait and a barrier, round after round.
extern "C" __global__ void rounds(int4* data, int4* out, int n) {
    __shared__ int4 s[2][64];
    int t = threadIdx.x;
    data += blockIdx.x * 128;
    for (int k = 0; k < n; k++) {
        data[t] = make_int4(k, t, k * t, 1);
        data[64 + t] = make_int4(t, k, 2, k);
        __syncthreads();
        START(&s[0][t], data + 127 - t);
        START(&s[1][t], data + 63 - t);
        FINISH(1);
        __syncthreads();
        data[64 + t].x = -1;
        FINISH(0);
        __syncthreads();
        data[t].y += s[0][t].x + s[1][63 - t].x;
    }
    out[blockIdx.x * 64 + t] = data[t];
}

// Right as it is: the lanes' own elements, written before and behind; what is stored again is what was there; a source that is ignored.
extern "C" __global__ void harmless(int4* data, int4* out, int zero) {
    __shared__ int4 s[64], u[64];
    int t = threadIdx.x;
    data[t].x = t;
    START(&s[t], data + t);
    asm volatile("{ .reg .pred p; setp.ne.s32 p, %2, 0; cp.async.cg.shared.global [%0], [%1], 16, p; cp.async.commit_group; }" :: "r"(at(&u[t])), "l"(data + 64 + t), "r"(1 - zero) : "memory");
    data[64 + t].x = t;
    data[t].x = t + zero;
    FINISH(0);
    data[t].x = s[t].x + 1;
    __syncthreads();
    out[t] = make_int4(data[63 - t].x, s[63 - t].x, u[63 - t].x, 0);
}

// Right as it is: three stages of a source that nobody writes, the last copies never waited for.
extern "C" __global__ void stages(const int4* data, int4* out, int n) {
    __shared__ int4 s[3][64];
    int t = threadIdx.x;
    for (int k = 0; k < 2; k++) START(&s[k][t], data + k * 64 + t);
    int4 sum = make_int4(0, 0, 0, 0);
    for (int k = 0; k < n; k++) {
        START(&s[(k + 2) % 3][t], data + (k + 2) % n * 64 + t);
        FINISH(2);
        __syncthreads();
        sum.x += s[k % 3][63 - t].x;
        __syncthreads();
    }
    out[blockIdx.x * 64 + t] = sum;
}
