// Kernels in the styles that public code uses.
#define FULL 0xffffffffu
typedef unsigned int uint32;
typedef unsigned short ushort16;

__device__ __forceinline__ float warp_sum(float v) {
    for (int offset = 16; offset > 0; offset >>= 1) v += __shfl_xor_sync(FULL, v, offset);
    return v;
}
__device__ __forceinline__ float warp_max(float v) {
    for (int offset = 16; offset > 0; offset >>= 1) v = fmaxf(v, __shfl_down_sync(FULL, v, offset));
    return __shfl_sync(FULL, v, 0);
}

// Sum of n numbers by one block: grid-stride loop, tree in shared memory, last warp by shuffles.
extern "C" __global__ void reduce(const float* in, float* out, int n) {
    __shared__ float shared[256];
    float sum = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) sum += in[i];
    shared[threadIdx.x] = sum;
    __syncthreads();
    for (int s = blockDim.x / 2; s >= 32; s >>= 1) {
        if (threadIdx.x < s) shared[threadIdx.x] += shared[threadIdx.x + s];
        __syncthreads();
    }
    if (threadIdx.x < 32) {
        float v = warp_sum(shared[threadIdx.x]);
        if (threadIdx.x == 0) out[blockIdx.x] = v;
    }
}

// Sum over all blocks in one launch: the last block to finish adds the partial sums.
__device__ unsigned int finished = 0;
extern "C" __global__ void reduce_last_block(const int* in, volatile int* partial, int* out, int n) {
    __shared__ int shared[128];
    __shared__ bool last;
    int sum = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) sum += in[i];
    shared[threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.x == 0) {
        int total = 0;
        for (int k = 0; k < blockDim.x; k++) total += shared[k];
        partial[blockIdx.x] = total;
        __threadfence();
        last = atomicInc(&finished, gridDim.x - 1) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x == 0) {
        int total = 0;
        for (int k = 0; k < gridDim.x; k++) total += partial[k];
        *out = total;
    }
}

// Inclusive scan of a block (Hillis and Steele, double buffered).
extern "C" __global__ void scan(const int* in, int* out) {
    extern __shared__ int buffer[];
    int n = blockDim.x, t = threadIdx.x, from = 0;
    buffer[t] = in[blockIdx.x * n + t];
    __syncthreads();
    for (int offset = 1; offset < n; offset <<= 1) {
        int to = 1 - from;
        int v = buffer[from * n + t];
        if (t >= offset) v += buffer[from * n + t - offset];
        buffer[to * n + t] = v;
        from = to;
        __syncthreads();
    }
    out[blockIdx.x * n + t] = buffer[from * n + t];
}

// C = A B with 16 x 16 tiles and guarded tails.
extern "C" __global__ void gemm(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, int m, int n, int k) {
    __shared__ float ta[16][16];
    __shared__ float tb[16][17];
    int row = blockIdx.y * 16 + threadIdx.y, col = blockIdx.x * 16 + threadIdx.x;
    float acc = 0;
    for (int t = 0; t < k; t += 16) {
        ta[threadIdx.y][threadIdx.x] = row < m && t + threadIdx.x < k ? a[row * k + t + threadIdx.x] : 0.f;
        tb[threadIdx.y][threadIdx.x] = col < n && t + threadIdx.y < k ? b[(t + threadIdx.y) * n + col] : 0.f;
        __syncthreads();
#pragma unroll
        for (int p = 0; p < 16; p++) acc += ta[threadIdx.y][p] * tb[p][threadIdx.x];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = acc;
}

// Softmax of each row, one warp a row.
extern "C" __global__ void softmax(const float* in, float* out, int rows, int columns) {
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x & 31;
    if (row >= rows) return;
    float largest = -3.0e38f;
    for (int k = lane; k < columns; k += 32) largest = fmaxf(largest, in[row * columns + k]);
    largest = warp_max(largest);
    float sum = 0;
    for (int k = lane; k < columns; k += 32) sum += __expf(in[row * columns + k] - largest);
    sum = warp_sum(sum);
    for (int k = lane; k < columns; k += 32) out[row * columns + k] = __expf(in[row * columns + k] - largest) / sum;
}

// Layer norm of each row, one block a row.
extern "C" __global__ void layer_norm(const float* in, const float* gamma, const float* beta, float* out, int columns) {
    __shared__ float sums[32];
    __shared__ float squares[32];
    const float* x = in + blockIdx.x * columns;
    float s = 0, q = 0;
    for (int k = threadIdx.x; k < columns; k += blockDim.x) { s += x[k]; q += x[k] * x[k]; }
    s = warp_sum(s); q = warp_sum(q);
    if ((threadIdx.x & 31) == 0) { sums[threadIdx.x >> 5] = s; squares[threadIdx.x >> 5] = q; }
    __syncthreads();
    int warps = (blockDim.x + 31) >> 5;
    s = warp_sum((threadIdx.x & 31) < warps ? sums[threadIdx.x & 31] : 0.f);
    q = warp_sum((threadIdx.x & 31) < warps ? squares[threadIdx.x & 31] : 0.f);
    float mean = s / columns, scale = rsqrtf(q / columns - mean * mean + 1e-5f);
    for (int k = threadIdx.x; k < columns; k += blockDim.x) out[blockIdx.x * columns + k] = (x[k] - mean) * scale * gamma[k] + beta[k];
}

// Histogram: shared counters, then global ones.
extern "C" __global__ void histogram(const unsigned char* in, int* counts, int n) {
    __shared__ int local[256];
    for (int k = threadIdx.x; k < 256; k += blockDim.x) local[k] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&local[in[i]], 1);
    __syncthreads();
    for (int k = threadIdx.x; k < 256; k += blockDim.x) if (local[k]) atomicAdd(&counts[k], local[k]);
}

// Attention with an online softmax, a thread a query.
extern "C" __global__ void attention(const float* q, const float* k, const float* v, float* out, int tokens, float scale) {
    const int head = 8;
    __shared__ float tk[32][head];
    __shared__ float tv[32][head];
    int query = blockIdx.x * blockDim.x + threadIdx.x;
    float mine[head], acc[head];
    for (int d = 0; d < head; d++) { mine[d] = query < tokens ? q[query * head + d] : 0.f; acc[d] = 0; }
    float largest = -1e30f, sum = 0;
    for (int t = 0; t < tokens; t += 32) {
        for (int e = threadIdx.x; e < 32 * head; e += blockDim.x) {
            int row = t + e / head;
            tk[e / head][e % head] = row < tokens ? k[row * head + e % head] : 0.f;
            tv[e / head][e % head] = row < tokens ? v[row * head + e % head] : 0.f;
        }
        __syncthreads();
        for (int j = 0; j < 32 && t + j < tokens; j++) {
            float s = 0;
            for (int d = 0; d < head; d++) s += mine[d] * tk[j][d];
            s *= scale;
            float next = fmaxf(largest, s), correction = expf(largest - next), p = expf(s - next);
            for (int d = 0; d < head; d++) acc[d] = acc[d] * correction + p * tv[j][d];
            sum = sum * correction + p;
            largest = next;
        }
        __syncthreads();
    }
    if (query < tokens) for (int d = 0; d < head; d++) out[query * head + d] = acc[d] / sum;
}

// Warp votes, matches and reductions.
extern "C" __global__ void warp_collectives(const int* in, unsigned int* out) {
    int lane = threadIdx.x & 31, v = in[threadIdx.x];
    out[threadIdx.x * 8 + 0] = __ballot_sync(FULL, v & 1);
    out[threadIdx.x * 8 + 1] = __any_sync(FULL, v > 90);
    out[threadIdx.x * 8 + 2] = __all_sync(FULL, v >= 0);
    out[threadIdx.x * 8 + 3] = __match_any_sync(FULL, v & 3);
    out[threadIdx.x * 8 + 4] = __reduce_add_sync(FULL, v);
    out[threadIdx.x * 8 + 5] = __reduce_max_sync(FULL, v);
    unsigned int half = lane < 16 ? 0xffffu : 0xffff0000u;
    out[threadIdx.x * 8 + 6] = __shfl_up_sync(half, v, 3, 8);
    out[threadIdx.x * 8 + 7] = __popc(__activemask());
}

// Exchange through shared memory within warps, ordered by __syncwarp.
extern "C" __global__ void transpose_in_warp(const int* in, int* out) {
    __shared__ int tile[2][32];
    int w = threadIdx.x >> 5, lane = threadIdx.x & 31;
    tile[w][lane] = in[threadIdx.x];
    __syncwarp();
    out[threadIdx.x] = tile[w][31 - lane];
}

// Lanes of one warp that hand work to each other in loops: needs independent thread scheduling.
extern "C" __global__ void relay(volatile int* turn, int* out) {
    while (*turn != (int)threadIdx.x) { }
    out[threadIdx.x] = *turn * 10;
    __threadfence();
    *turn = threadIdx.x + 1;
}

// A lock that lanes of one warp fight for.
extern "C" __global__ void locked_sum(int* lock, volatile int* sum) {
    bool done = false;
    while (!done) {
        if (atomicCAS(lock, 0, 1) == 0) {
            *sum = *sum + (int)threadIdx.x;
            __threadfence();
            atomicExch(lock, 0);
            done = true;
        }
    }
}

// Recursion and function pointers.
__device__ __noinline__ int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
extern "C" __global__ void recursion(int* out) { out[threadIdx.x] = fibonacci(threadIdx.x % 10); }

typedef float (*binary)(float, float);
__device__ __noinline__ float plus(float a, float b) { return a + b; }
__device__ __noinline__ float times(float a, float b) { return a * b; }
__device__ binary table_of_functions[2] = { plus, times };
extern "C" __global__ void function_pointers(float* out) {
    binary f = table_of_functions[threadIdx.x & 1];
    out[threadIdx.x] = f(threadIdx.x, 3.f);
}

// A producer and a consumer half of the block, on named barriers.
extern "C" __global__ void named_barriers(const int* in, int* out, int rounds) {
    __shared__ int box[64];
    int t = threadIdx.x & 63;
    for (int r = 0; r < rounds; r++) {
        if (threadIdx.x < 64) {
            box[t] = in[r * 64 + t] * 2;
            asm volatile("bar.sync 1, 128;");
            asm volatile("bar.sync 2, 128;");
        } else {
            asm volatile("bar.sync 1, 128;");
            out[r * 64 + t] = box[63 - t];
            asm volatile("bar.sync 2, 128;");
        }
    }
}

extern "C" __global__ void count_true(const int* in, int* out) {
    int n = __syncthreads_count(in[threadIdx.x] > 0);
    int all = __syncthreads_and(in[threadIdx.x] >= 0);
    int any = __syncthreads_or(in[threadIdx.x] > 1000);
    out[threadIdx.x] = n + 1000 * all + 10000 * any;
}

// C[16 w, 8] += A[16 w, k] B[k, 8]^T in bfloat16 on tensor cores: two-stage cp.async pipeline, ldmatrix, mma.
extern "C" __global__ void tensor_gemm(const ushort16* a, const ushort16* b, float* c, int k) {
    __shared__ __align__(16) ushort16 ta[2][16][24];
    __shared__ __align__(16) ushort16 tb[2][8][24];
    int lane = threadIdx.x;
    auto load = [&](int stage, int start) {
        int row = lane >> 1, part = (lane & 1) * 8;
        unsigned int da = (unsigned int)__cvta_generic_to_shared(&ta[stage][row][part]);
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(da), "l"(a + row * k + start + part));
        if (lane < 16) {
            unsigned int db = (unsigned int)__cvta_generic_to_shared(&tb[stage][row][part]);
            asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(db), "l"(b + row * k + start + part));
        }
        asm volatile("cp.async.commit_group;");
    };
    float acc[4] = {0, 0, 0, 0};
    load(0, 0);
    for (int t = 0; t < k; t += 16) {
        int stage = (t >> 4) & 1;
        if (t + 16 < k) { load(1 - stage, t + 16); asm volatile("cp.async.wait_group 1;"); }
        else asm volatile("cp.async.wait_group 0;");
        __syncwarp();
        unsigned int fa[4], fb[2];
        unsigned int pa = (unsigned int)__cvta_generic_to_shared(&ta[stage][lane & 15][(lane >> 4) * 8]);
        unsigned int pb = (unsigned int)__cvta_generic_to_shared(&tb[stage][lane & 7][((lane >> 3) & 1) * 8]);
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(fa[0]), "=r"(fa[1]), "=r"(fa[2]), "=r"(fa[3]) : "r"(pa) : "memory");
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];" : "=r"(fb[0]), "=r"(fb[1]) : "r"(pb) : "memory");
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
            : "+f"(acc[0]), "+f"(acc[1]), "+f"(acc[2]), "+f"(acc[3]) : "r"(fa[0]), "r"(fa[1]), "r"(fa[2]), "r"(fa[3]), "r"(fb[0]), "r"(fb[1]));
        __syncwarp();
    }
    int row = lane >> 2, col = (lane & 3) * 2;
    c[row * 8 + col] = acc[0]; c[row * 8 + col + 1] = acc[1];
    c[(row + 8) * 8 + col] = acc[2]; c[(row + 8) * 8 + col + 1] = acc[3];
}

extern "C" __global__ void float_atomics(const float* in, float* out) { atomicAdd(out, in[blockIdx.x * blockDim.x + threadIdx.x]); }

// Different lanes run loops of different lengths and meet again.
extern "C" __global__ void collatz(const int* in, int* out) {
    int n = in[blockIdx.x * blockDim.x + threadIdx.x], steps = 0;
    while (n != 1) { if (n & 1) n = 3 * n + 1; else n >>= 1; steps++; }
    out[blockIdx.x * blockDim.x + threadIdx.x] = __shfl_xor_sync(FULL, steps, 1);
}
