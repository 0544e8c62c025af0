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
    out[threadIdx.x] = 0;
    if (threadIdx.x < 32 || repaired) {
        __syncthreads();
        out[threadIdx.x] = 1;
    }
    __syncthreads(); // BUG divergent_warps
    out[threadIdx.x] += 1;
}

extern "C" __global__ void deadlock(int* out, int repaired) {
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
