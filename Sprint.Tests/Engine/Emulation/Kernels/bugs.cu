// One planted bug a kernel, on the line marked BUG; with repaired != 0 the kernel is right.
#define FULL 0xffffffffu
typedef unsigned int uint32;

extern "C" __global__ void missing_barrier(int* out) {
    __shared__ int s[128];
    s[threadIdx.x] = threadIdx.x;
    out[threadIdx.x] = s[127 - threadIdx.x]; // BUG missing_barrier
}
extern "C" __global__ void missing_barrier_repaired(int* out) {
    __shared__ int s[128];
    s[threadIdx.x] = threadIdx.x;
    __syncthreads();
    out[threadIdx.x] = s[127 - threadIdx.x];
}

extern "C" __global__ void write_after_read(int* out, int repaired) {
    __shared__ int s[64];
    s[threadIdx.x] = threadIdx.x;
    __syncthreads();
    int v = s[(threadIdx.x + 32) & 63];
    if (repaired) __syncthreads();
    s[threadIdx.x] = v + 1; // BUG write_after_read
    __syncthreads();
    out[threadIdx.x] = s[threadIdx.x];
}

extern "C" __global__ void write_write(int* out, int repaired) {
    __shared__ int s[64];
    s[repaired ? threadIdx.x : threadIdx.x / 2] = threadIdx.x; // BUG write_write
    __syncthreads();
    if (threadIdx.x < 32) out[threadIdx.x] = s[threadIdx.x];
}

extern "C" __global__ void warp_synchronous(int* out, int repaired) {
    __shared__ int s[32];
    s[threadIdx.x] = threadIdx.x;
    if (repaired) __syncwarp();
    out[threadIdx.x] = s[threadIdx.x ^ 1]; // BUG warp_synchronous
}

extern "C" __global__ void plain_read_of_atomic(int* out, int repaired) {
    __shared__ int count;
    if (threadIdx.x == 0) count = 0;
    __syncthreads();
    atomicAdd(&count, 1);
    if (repaired) __syncthreads();
    out[threadIdx.x] = count; // BUG plain_read_of_atomic
}

extern "C" __global__ void off_by_one(const int* in, int* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i <= n) out[i] = in[i]; // BUG off_by_one
}
extern "C" __global__ void off_by_one_repaired(const int* in, int* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = in[i];
}

extern "C" __global__ void shared_overrun(int* out, int repaired) {
    extern __shared__ int d[];
    d[threadIdx.x + (repaired ? 0 : 1)] = threadIdx.x; // BUG shared_overrun
    out[threadIdx.x] = threadIdx.x;
}

extern "C" __global__ void local_overrun(int* out, int at) {
    int v[4] = {1, 2, 3, 4};
    v[at] = threadIdx.x; // BUG local_overrun
    out[threadIdx.x] = v[threadIdx.x & 3];
}

extern "C" __global__ void null_pointer(int* out, int* other, int repaired) {
    out[threadIdx.x] = 1;
    if (threadIdx.x == 5 && !repaired) *other = 3; // BUG null_pointer
}

extern "C" __global__ void misaligned_vector(const float* in, float4* out, int shift) {
    out[threadIdx.x] = *(const float4*)(in + 4 * threadIdx.x + shift); // BUG misaligned_vector
}

extern "C" __global__ void uninitialised_global(const float* in, float* out) {
    out[threadIdx.x] = in[threadIdx.x] * 2; // BUG uninitialised_global
}

extern "C" __global__ void uninitialised_shared(int* out, int repaired) {
    __shared__ int s[64];
    if (threadIdx.x < 63 || repaired) s[threadIdx.x] = 1;
    __syncthreads();
    out[threadIdx.x] = s[63 - threadIdx.x]; // BUG uninitialised_shared
}

extern "C" __global__ void uninitialised_local(int* out, int n, int at) {
    int v[8];
    for (int k = 0; k < n; k++) v[k] = k;
    out[threadIdx.x] = v[at]; // BUG uninitialised_local
}

extern "C" __global__ void uninitialised_register(int* out, int repaired) {
    asm volatile("{ .reg .pred p; .reg .s32 r; setp.ne.s32 p, %0, 0; @p mov.s32 r, 7; add.s32 r, r, 1; st.global.s32 [%1], r; }" :: "r"(repaired), "l"(out + threadIdx.x)); // BUG uninitialised_register
}

extern "C" __global__ void divergent_barrier(int* out, int repaired) {
    out += blockIdx.x * 64;
    __shared__ int s[64];
    s[threadIdx.x] = 1;
    if (threadIdx.x < 16 || repaired) {
        __syncthreads(); // BUG divergent_barrier
        out[threadIdx.x] = s[threadIdx.x ^ 1];
    } else {
        out[threadIdx.x] = 2;
    }
    __syncthreads();
    if (out[threadIdx.x] == 77) __syncthreads();
}

extern "C" __global__ void divergent_warps(int* out, int repaired) {
    out += blockIdx.x * 64;
    out[threadIdx.x] = 0;
    if (threadIdx.x < 32 || repaired) {
        __syncthreads();
        out[threadIdx.x] = 1;
    }
    __syncthreads(); // BUG divergent_warps
    out[threadIdx.x] += 1;
}

extern "C" __global__ void deadlock(int* out, int repaired) {
    out += blockIdx.x * 64;
    out[threadIdx.x] = 0;
    if (repaired || threadIdx.x >= 32) asm volatile("bar.sync 1, 64;"); // BUG deadlock
    else asm volatile("bar.sync 2, 64;");
    out[threadIdx.x] = 1;
}

extern "C" __global__ void bad_shuffle_mask(int* out, int repaired) {
    int v = threadIdx.x;
    if (threadIdx.x < 16 || repaired) v = __shfl_xor_sync(FULL, v, 1); // BUG bad_shuffle_mask
    else v = 2;
    __syncwarp();
    out[threadIdx.x] = v;
}

extern "C" __global__ void shuffle_without_itself(int* out, int repaired) {
    out[threadIdx.x] = __shfl_sync(repaired ? FULL : 0x0000ffffu, threadIdx.x, 0); // BUG shuffle_without_itself
}

extern "C" __global__ void shuffle_from_ended_lane(int* out, int n) {
    if (threadIdx.x >= n) return;
    out[threadIdx.x] = __shfl_down_sync(FULL, threadIdx.x, 1); // BUG shuffle_from_ended_lane
}

__constant__ int fixed[4] = {1, 2, 3, 4};
extern "C" __global__ void constant_write(int* out, int repaired) {
    int* p = repaired ? out : const_cast<int*>(fixed);
    p[threadIdx.x & 3] = 9; // BUG constant_write
}

extern "C" __global__ void restrict_lie(const int* __restrict__ in, int* __restrict__ out) {
    int v = in[threadIdx.x];
    __syncthreads();
    out[threadIdx.x] = v + 1; // BUG restrict_lie
}

extern "C" __global__ void early_read_of_copy(const int4* in, int4* out, int repaired) {
    __shared__ __align__(16) int4 s[32];
    unsigned int d = (unsigned int)__cvta_generic_to_shared(&s[threadIdx.x]);
    asm volatile("cp.async.ca.shared.global [%0], [%1], 16;" :: "r"(d), "l"(in + threadIdx.x));
    asm volatile("cp.async.commit_group;");
    if (repaired) asm volatile("cp.async.wait_group 0;" ::: "memory");
    out[threadIdx.x] = s[threadIdx.x]; // BUG early_read_of_copy
}

extern "C" __global__ void endless(int* out, int repaired) {
    volatile int* p = out;
    while (!repaired && *p == 0) { } // BUG endless
}

extern "C" __global__ void trapped(int* out, int repaired) {
    if (threadIdx.x == 3 && !repaired) asm volatile("trap;"); // BUG trapped
    out[threadIdx.x] = 1;
}

extern "C" __device__ void __assertfail(const char*, const char*, unsigned int, const char*, size_t);
extern "C" __global__ void asserted(int* out, int repaired) {
    if (threadIdx.x == 9 && !repaired) __assertfail("x > 0", "model.cu", 12, "asserted", 1); // BUG asserted
    out[threadIdx.x] = 1;
}

extern "C" __global__ void unknown_instruction(int* out, int repaired) {
    int v = 4;
    if (!repaired) asm volatile("vadd.s32.s32.s32 %0, %0, %0;" : "+r"(v)); // BUG unknown_instruction
    out[threadIdx.x] = v;
}

// The consumer says that the box is empty before it reads it.
extern "C" __global__ void early_arrival(const int* in, int* out, int repaired) {
    __shared__ int box[64];
    int t = threadIdx.x & 63;
    if (threadIdx.x < 64) {
        box[t] = in[t];
        asm volatile("bar.arrive 1, 128;" ::: "memory");
        asm volatile("bar.sync 2, 128;" ::: "memory");
        box[t] = 7; // BUG early_arrival
    } else {
        asm volatile("bar.sync 1, 128;" ::: "memory");
        int v = repaired ? box[63 - t] : 0;
        asm volatile("bar.arrive 2, 128;" ::: "memory");
        if (!repaired) v = box[63 - t]; // LATE early_arrival
        out[t] = v;
    }
}

// One barrier a round is missing where the tile is written again.
extern "C" __global__ void tile_reused(const float* a, float* out, int rounds, int repaired) {
    __shared__ float tile[128];
    float sum = 0;
    for (int r = 0; r < rounds; r++) {
        tile[threadIdx.x] = a[r * 128 + threadIdx.x]; // BUG tile_reused
        __syncthreads();
        sum += tile[(threadIdx.x + 64) & 127] * tile[127 - threadIdx.x];
        if (repaired) __syncthreads();
    }
    out[threadIdx.x] = sum;
}

// The copy of the next stage goes where the last stage is still read.
extern "C" __global__ void stage_overtaken(const int4* in, int4* out, int repaired) {
    __shared__ int4 s[2][64];
    int t = threadIdx.x;
    for (int k = 0; k < 3; k++) {
        unsigned int d = (unsigned int)__cvta_generic_to_shared(&s[repaired ? k & 1 : 0][t]);
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16; cp.async.commit_group; cp.async.wait_group 0;" :: "r"(d), "l"(in + k * 64 + t) : "memory"); // BUG stage_overtaken
        __syncthreads();
        out[k * 64 + t] = s[repaired ? k & 1 : 0][63 - t];
    }
}

// Waits for one group too few.
extern "C" __global__ void group_too_few(const int4* in, int4* out, int repaired) {
    __shared__ int4 s[2][32];
    int t = threadIdx.x;
    for (int k = 0; k < 2; k++) {
        unsigned int d = (unsigned int)__cvta_generic_to_shared(&s[k][t]);
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16; cp.async.commit_group;" :: "r"(d), "l"(in + k * 32 + t) : "memory");
    }
    if (repaired) asm volatile("cp.async.wait_group 0;" ::: "memory");
    else asm volatile("cp.async.wait_group 1;" ::: "memory");
    __syncthreads();
    out[t] = s[0][31 - t];
    out[32 + t] = s[1][31 - t]; // BUG group_too_few
}

// The result of a branch that was not taken is used after all.
extern "C" __global__ void undefined_choice(const int* in, int* out, int repaired) {
    int v;
    asm volatile("{ .reg .pred p; setp.ne.s32 p, %1, 0; @p mov.s32 %0, 5; }" : "=r"(v) : "r"(in[threadIdx.x] | repaired));
    int w = v * 2 + 1;
    out[threadIdx.x] = __shfl_xor_sync(FULL, w, 1); // BUG undefined_choice
}

// A field is read that nobody wrote: the copy of the structure carries that along.
struct Entry { char tag; int value; };
extern "C" __global__ void forgotten_field(int* out, int repaired) {
    __shared__ Entry table[64];
    Entry local[2];
    for (int k = 0; k < 2; k++) { local[k].tag = 1; if (repaired) local[k].value = k; }
    table[threadIdx.x] = local[threadIdx.x & 1];
    __syncthreads();
    out[threadIdx.x] = table[63 - threadIdx.x].value; // BUG forgotten_field
}

// Threads that have ended do not come to a barrier that counts them.
extern "C" __global__ void ended_before_count(int* out, int repaired) {
    out += blockIdx.x * 64;
    out[threadIdx.x] = 0;
    if (threadIdx.x >= 32 && !repaired) return;
    asm volatile("bar.sync 1, 64;"); // BUG ended_before_count
    out[threadIdx.x] = 1;
}

// A vector store beyond the last whole vector.
extern "C" __global__ void vector_tail(float* out, int n, int repaired) {
    int i = (blockIdx.x * blockDim.x + threadIdx.x) * 4;
    if (repaired ? i + 3 < n : i < n) *(float4*)(out + i) = make_float4(1, 2, 3, 4); // BUG vector_tail
}

// The product's tile in shared memory is read by ldmatrix before the barrier.
extern "C" __global__ void matrix_before_barrier(const int4* in, unsigned int* out, int repaired) {
    __shared__ __align__(16) int4 s[64];
    s[threadIdx.x] = in[threadIdx.x];
    if (repaired) __syncthreads();
    unsigned int a, p = (unsigned int)__cvta_generic_to_shared(&s[(threadIdx.x & 7) + (threadIdx.x < 32 ? 32 : 0)]);
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(a) : "r"(p) : "memory"); // BUG matrix_before_barrier
    out[threadIdx.x] = a;
}

// Half a warp comes to the barrier, the rest has stored its part and ends.
extern "C" __global__ void half_warp_barrier(int* out, int repaired) {
    __shared__ int s[64];
    s[threadIdx.x] = threadIdx.x;
    if (repaired) __syncthreads();
    else if (threadIdx.x % 32 < 16) __syncthreads(); // BUG half_warp_barrier
    if (threadIdx.x % 32 < 16) out[threadIdx.x] = s[threadIdx.x ^ 1];
}

// Threads beyond the end return at once, before a barrier that the others come to.
extern "C" __global__ void early_return(const int* in, int* out, int n) {
    __shared__ int s[64];
    int i = blockIdx.x * 64 + threadIdx.x;
    if (i >= n) return;
    s[threadIdx.x] = in[i];
    __syncthreads();
    out[i] = s[threadIdx.x & ~1] + 1;
}

// The full mask names lanes that have ended; none of them is read.
extern "C" __global__ void shuffle_names_ended_lanes(int* out) {
    if (threadIdx.x >= 16) return;
    out[threadIdx.x] = __shfl_xor_sync(FULL, threadIdx.x, 1);
}
