// Kernels in the many styles of public CUDA code; no headers. The tests compare each with the same computation in C#.
#define FULL 0xffffffffu
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned char u8;
#define INFINITY __int_as_float(0x7f800000)

// ---- Reductions of the classic kinds, each block to out[block] ----
extern "C" __global__ void reduce_interleaved(const int* in, int* out, int n) {
    extern __shared__ int s[];
    u32 tid = threadIdx.x, i = blockIdx.x * blockDim.x + tid;
    s[tid] = i < n ? in[i] : 0;
    __syncthreads();
    for (u32 step = 1; step < blockDim.x; step *= 2) {
        if (tid % (2 * step) == 0) s[tid] += s[tid + step];
        __syncthreads();
    }
    if (tid == 0) out[blockIdx.x] = s[0];
}

// The last warp without barriers, on volatile memory: how it was written before independent thread scheduling.
template <u32 size> __device__ void legacy_warp_reduce(volatile int* s, u32 tid) {
    if (size >= 64) s[tid] += s[tid + 32];
    if (size >= 32) s[tid] += s[tid + 16];
    if (size >= 16) s[tid] += s[tid + 8];
    if (size >= 8) s[tid] += s[tid + 4];
    if (size >= 4) s[tid] += s[tid + 2];
    if (size >= 2) s[tid] += s[tid + 1];
}
template <u32 size> __device__ void legacy_reduce(const int* in, int* out, int n) {
    __shared__ int s[size + 32];
    u32 tid = threadIdx.x, i = blockIdx.x * (size * 2) + tid, grid = size * 2 * gridDim.x;
    s[tid] = 0;
    if (tid < 32) s[size + tid] = 0;
    while (i < n) { s[tid] += in[i] + (i + size < n ? in[i + size] : 0); i += grid; }
    __syncthreads();
    if (size >= 256) { if (tid < 128) s[tid] += s[tid + 128]; __syncthreads(); }
    if (size >= 128) { if (tid < 64) s[tid] += s[tid + 64]; __syncthreads(); }
    if (tid < 32) legacy_warp_reduce<size>(s, tid);
    if (tid == 0) out[blockIdx.x] = s[0];
}
extern "C" __global__ void reduce_legacy(const int* in, int* out, int n) { legacy_reduce<256>(in, out, n); }

extern "C" __global__ void reduce_shuffle(const int* in, int* out, int n) {
    __shared__ int s[32];
    int v = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x) v += in[i];
    for (int o = 16; o > 0; o /= 2) v += __shfl_down_sync(FULL, v, o);
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    if (lane == 0) s[warp] = v;
    __syncthreads();
    v = threadIdx.x < blockDim.x / 32 ? s[lane] : 0;
    if (warp == 0) for (int o = 16; o > 0; o /= 2) v += __shfl_down_sync(FULL, v, o);
    if (threadIdx.x == 0) out[blockIdx.x] = v;
}

extern "C" __global__ void reduce_vector(const int4* in, int* out, int n) {
    int v = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n / 4; i += blockDim.x * gridDim.x) { int4 x = __ldg(in + i); v += x.x + x.y + x.z + x.w; }
    v = __reduce_add_sync(FULL, v);
    if ((threadIdx.x & 31) == 0) atomicAdd(out + blockIdx.x, v);
}

struct Largest { float value; int index; };
__device__ Largest larger(Largest a, Largest b) { return a.value > b.value || (a.value == b.value && a.index < b.index) ? a : b; }
extern "C" __global__ void argmax(const float* in, int* out, int n) {
    __shared__ Largest s[256];
    Largest best = { -1e30f, -1 };
    for (int i = threadIdx.x; i < n; i += blockDim.x) best = larger(best, Largest{ in[i], i });
    s[threadIdx.x] = best;
    __syncthreads();
    for (int k = blockDim.x / 2; k > 0; k >>= 1) {
        if (threadIdx.x < k) s[threadIdx.x] = larger(s[threadIdx.x], s[threadIdx.x + k]);
        __syncthreads();
    }
    if (threadIdx.x == 0) *out = s[0].index;
}

// ---- Scans ----
#define CONFLICT_FREE(n) ((n) + ((n) >> 5))
extern "C" __global__ void scan_blelloch(const int* in, int* out, int n) {
    extern __shared__ int temp[];
    int t = threadIdx.x, offset = 1, a = t, b = t + n / 2;
    temp[CONFLICT_FREE(a)] = in[a];
    temp[CONFLICT_FREE(b)] = in[b];
    for (int d = n >> 1; d > 0; d >>= 1) {
        __syncthreads();
        if (t < d) {
            int i = CONFLICT_FREE(offset * (2 * t + 1) - 1), j = CONFLICT_FREE(offset * (2 * t + 2) - 1);
            temp[j] += temp[i];
        }
        offset *= 2;
    }
    if (t == 0) temp[CONFLICT_FREE(n - 1)] = 0;
    for (int d = 1; d < n; d *= 2) {
        offset >>= 1;
        __syncthreads();
        if (t < d) {
            int i = CONFLICT_FREE(offset * (2 * t + 1) - 1), j = CONFLICT_FREE(offset * (2 * t + 2) - 1);
            int x = temp[i];
            temp[i] = temp[j];
            temp[j] += x;
        }
    }
    __syncthreads();
    out[a] = temp[CONFLICT_FREE(a)];
    out[b] = temp[CONFLICT_FREE(b)];
}

__device__ int block_scan(int v, int* sums) {
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
#pragma unroll
    for (int o = 1; o < 32; o <<= 1) { int x = __shfl_up_sync(FULL, v, o); if (lane >= o) v += x; }
    if (lane == 31) sums[warp] = v;
    __syncthreads();
    if (warp == 0) {
        int s = lane < blockDim.x / 32 ? sums[lane] : 0;
#pragma unroll
        for (int o = 1; o < 32; o <<= 1) { int x = __shfl_up_sync(FULL, s, o); if (lane >= o) s += x; }
        sums[lane] = s;
    }
    __syncthreads();
    return v + (warp > 0 ? sums[warp - 1] : 0);
}

// Single pass with decoupled look-back: blocks take tickets, publish a flag and a value, and add up what is before them.
extern "C" __global__ void scan_lookback(const int* in, int* out, int n, u32* ticket, volatile u32* flags, volatile int* aggregates, volatile int* prefixes) {
    __shared__ int sums[32];
    __shared__ int block, before;
    if (threadIdx.x == 0) block = atomicAdd(ticket, 1);
    __syncthreads();
    int i = block * blockDim.x + threadIdx.x;
    int v = block_scan(i < n ? in[i] : 0, sums);
    if (threadIdx.x == blockDim.x - 1) {
        aggregates[block] = v;
        if (block == 0) prefixes[0] = v;
        __threadfence();
        flags[block] = block == 0 ? 2 : 1;
        int sum = 0;
        for (int b = block - 1; b >= 0;) {
            u32 flag;
            while ((flag = flags[b]) == 0) __nanosleep(20);
            __threadfence();
            if (flag == 2) { sum += prefixes[b]; break; }
            sum += aggregates[b--];
        }
        before = sum;
        if (block > 0) { prefixes[block] = sum + v; __threadfence(); flags[block] = 2; }
    }
    __syncthreads();
    if (i < n) out[i] = v + before;
}

// ---- Matrix products ----
// 64 x 64 tiles, 4 x 4 results a thread, float4 loads, A transposed in shared memory, two stages.
extern "C" __global__ void __launch_bounds__(256) gemm_blocked(const float* __restrict__ A, const float* __restrict__ B, float* __restrict__ C, int M, int N, int K, float alpha, float beta) {
    __shared__ float As[2][8][64 + 4];
    __shared__ __align__(16) float Bs[2][8][64];
    int tid = threadIdx.x, tx = tid % 16, ty = tid / 16, row0 = blockIdx.y * 64, col0 = blockIdx.x * 64;
    float acc[4][4] = {};
    float4 ra, rb;
    auto fetch = [&](int k0) {
        if (tid < 128) ra = *reinterpret_cast<const float4*>(A + (row0 + tid / 2) * K + k0 + (tid % 2) * 4);
        else { int t = tid - 128; rb = *reinterpret_cast<const float4*>(B + (k0 + t / 16) * N + col0 + (t % 16) * 4); }
    };
    auto put = [&](int stage) {
        if (tid < 128) {
            int r = tid / 2, c = (tid % 2) * 4;
            As[stage][c][r] = ra.x; As[stage][c + 1][r] = ra.y; As[stage][c + 2][r] = ra.z; As[stage][c + 3][r] = ra.w;
        } else { int t = tid - 128; *reinterpret_cast<float4*>(&Bs[stage][t / 16][(t % 16) * 4]) = rb; }
    };
    fetch(0); put(0); __syncthreads();
    for (int k0 = 0, stage = 0; k0 < K; k0 += 8, stage ^= 1) {
        if (k0 + 8 < K) fetch(k0 + 8);
#pragma unroll
        for (int k = 0; k < 8; k++) {
            float a[4], b[4];
#pragma unroll
            for (int i = 0; i < 4; i++) { a[i] = As[stage][k][ty * 4 + i]; b[i] = Bs[stage][k][tx * 4 + i]; }
#pragma unroll
            for (int i = 0; i < 4; i++)
#pragma unroll
                for (int j = 0; j < 4; j++) acc[i][j] += a[i] * b[j];
        }
        if (k0 + 8 < K) { put(stage ^ 1); __syncthreads(); }
    }
    for (int i = 0; i < 4; i++) {
        float4* c = reinterpret_cast<float4*>(C + (row0 + ty * 4 + i) * N + col0 + tx * 4);
        float4 old = *c;
        *c = make_float4(alpha * acc[i][0] + beta * old.x, alpha * acc[i][1] + beta * old.y, alpha * acc[i][2] + beta * old.z, alpha * acc[i][3] + beta * old.w);
    }
}

extern "C" __global__ void dgemm_naive(const double* A, const double* B, double* C, int n) {
    int row = blockIdx.y * blockDim.y + threadIdx.y, col = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= n || col >= n) return;
    double sum = 0;
    for (int k = 0; k < n; k++) sum = fma(A[row * n + k], B[k * n + col], sum);
    C[row * n + col] = sum;
}

// ---- Normalisation ----
// Welford's algorithm, merged across a warp.
extern "C" __global__ void layer_norm_welford(const float* in, float* mean_out, float* rstd_out, int columns) {
    int row = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
    float mean = 0, m2 = 0, count = 0;
    for (int k = lane; k < columns; k += 32) {
        float x = in[row * columns + k];
        count += 1; float d = x - mean; mean += d / count; m2 += d * (x - mean);
    }
    for (int o = 16; o > 0; o >>= 1) {
        float mean2 = __shfl_xor_sync(FULL, mean, o), m22 = __shfl_xor_sync(FULL, m2, o), count2 = __shfl_xor_sync(FULL, count, o);
        float total = count + count2, d = mean2 - mean;
        if (total > 0) { mean += d * count2 / total; m2 += m22 + d * d * count * count2 / total; count = total; }
    }
    if (lane == 0) { mean_out[row] = mean; rstd_out[row] = rsqrtf(m2 / columns + 1e-5f); }
}

// Online softmax of a row by a block: each thread keeps a running maximum and sum.
struct __align__(8) MaxSum { float m, d; };
__device__ __forceinline__ MaxSum merge(MaxSum a, MaxSum b) {
    bool bigger = a.m > b.m;
    MaxSum hi = bigger ? a : b, lo = bigger ? b : a;
    return { hi.m, hi.d + lo.d * __expf(lo.m - hi.m) };
}
extern "C" __global__ void softmax_online(const float* __restrict__ in, float* __restrict__ out, int columns) {
    __shared__ MaxSum parts[32];
    const float* x = in + (size_t)blockIdx.x * columns;
    MaxSum s = { -3e38f, 0.f };
    for (int k = threadIdx.x; k < columns; k += blockDim.x) s = merge(s, { x[k], 1.f });
    for (int o = 16; o > 0; o >>= 1) s = merge(s, { __shfl_xor_sync(FULL, s.m, o), __shfl_xor_sync(FULL, s.d, o) });
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = s;
    __syncthreads();
    if (threadIdx.x < 32) {
        s = threadIdx.x < blockDim.x / 32 ? parts[threadIdx.x] : MaxSum{ -3e38f, 0.f };
        for (int o = 16; o > 0; o >>= 1) s = merge(s, { __shfl_xor_sync(FULL, s.m, o), __shfl_xor_sync(FULL, s.d, o) });
        if (threadIdx.x == 0) parts[0] = s;
    }
    __syncthreads();
    s = parts[0];
    for (int k = threadIdx.x; k < columns; k += blockDim.x) __stcs(out + (size_t)blockIdx.x * columns + k, __expf(x[k] - s.m) / s.d);
}

// ---- Attention: a block of 16 queries, 4 warps; keys and values in tiles of 16 ----
template <int D> __device__ void attention_tile(const float* q, const float* k, const float* v, float* out, int n, float scale) {
    __shared__ float sq[16][D], sk[16][D + 1], sv[16][D], sp[16][17];
    int t = threadIdx.x, r = t / 8, c = t % 8, q0 = blockIdx.x * 16;
    for (int e = t; e < 16 * D; e += 128) sq[e / D][e % D] = q0 + e / D < n ? q[(q0 + e / D) * D + e % D] * scale : 0;
    float m = -INFINITY, l = 0, acc[D / 8] = {};
    for (int k0 = 0; k0 < n; k0 += 16) {
        __syncthreads();
        for (int e = t; e < 16 * D; e += 128) {
            bool ok = k0 + e / D < n;
            sk[e / D][e % D] = ok ? k[(k0 + e / D) * D + e % D] : 0;
            sv[e / D][e % D] = ok ? v[(k0 + e / D) * D + e % D] : 0;
        }
        __syncthreads();
        float row_max = -INFINITY;
        for (int j = c; j < 16; j += 8) {
            float s = 0;
            for (int d = 0; d < D; d++) s += sq[r][d] * sk[j][d];
            if (k0 + j >= n) s = -INFINITY;
            sp[r][j] = s;
            row_max = fmaxf(row_max, s);
        }
        for (int o = 4; o > 0; o >>= 1) row_max = fmaxf(row_max, __shfl_xor_sync(FULL, row_max, o, 8));
        float m2 = fmaxf(m, row_max), fix = exp2f((m - m2) * 1.44269504f), sum = 0;
        for (int j = c; j < 16; j += 8) { float p = exp2f((sp[r][j] - m2) * 1.44269504f); sp[r][j] = p; sum += p; }
        for (int o = 4; o > 0; o >>= 1) sum += __shfl_xor_sync(FULL, sum, o, 8);
        l = l * fix + sum; m = m2;
        __syncwarp();
        for (int i = 0; i < D / 8; i++) {
            acc[i] *= fix;
            for (int j = 0; j < 16; j++) acc[i] += sp[r][j] * sv[j][c + i * 8];
        }
    }
    if (q0 + r < n) for (int i = 0; i < D / 8; i++) out[(q0 + r) * D + c + i * 8] = acc[i] / l;
}
extern "C" __global__ void flash_attention(const float* q, const float* k, const float* v, float* out, int n, float scale) { attention_tile<32>(q, k, v, out, n, scale); }

// ---- Sorting ----
extern "C" __global__ void bitonic_sort(int* data, int n) {
    extern __shared__ int s[];
    for (int i = threadIdx.x; i < n; i += blockDim.x) s[i] = data[i];
    for (int k = 2; k <= n; k <<= 1)
        for (int j = k >> 1; j > 0; j >>= 1) {
            __syncthreads();
            for (int i = threadIdx.x; i < n; i += blockDim.x) {
                int other = i ^ j;
                if (other > i && ((i & k) == 0) == (s[i] > s[other])) { int x = s[i]; s[i] = s[other]; s[other] = x; }
            }
        }
    __syncthreads();
    for (int i = threadIdx.x; i < n; i += blockDim.x) data[i] = s[i];
}

// Least significant digit first, a bit at a time, ranks by ballots.
extern "C" __global__ void radix_sort(u32* data, int n) {
    __shared__ u32 s[256];
    __shared__ int zeros[8];
    int t = threadIdx.x, lane = t & 31, warp = t >> 5;
    u32 x = t < n ? data[t] : FULL;
    for (int bit = 0; bit < 32; bit++) {
        bool one = x >> bit & 1;
        u32 ballot = __ballot_sync(FULL, !one);
        if (lane == 0) zeros[warp] = __popc(ballot);
        __syncthreads();
        int before = 0, total = 0;
        for (int w = 0; w < 8; w++) { if (w < warp) before += zeros[w]; total += zeros[w]; }
        u32 below; asm("mov.u32 %0, %%lanemask_lt;" : "=r"(below));
        int rank = before + __popc(ballot & below);
        s[one ? total + t - rank : rank] = x;
        __syncthreads();
        x = s[t];
        __syncthreads();
    }
    if (t < n) data[t] = x;
}

// ---- Histograms, compaction, aggregated atomics ----
extern "C" __global__ void histogram_aggregated(const u8* in, u32* counts, int n) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        u32 peers = __match_any_sync(__activemask(), in[i]);
        if ((threadIdx.x & 31) == __ffs(peers) - 1) atomicAdd(&counts[in[i]], __popc(peers));
    }
}
extern "C" __global__ void compact(const int* in, int* out, int* count, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && in[i] > 0) {
        u32 active = __activemask();
        int leader = __ffs(active) - 1, base, lane = threadIdx.x & 31;
        if (lane == leader) base = atomicAdd(count, __popc(active));
        base = __shfl_sync(active, base, leader);
        out[base + __popc(active & ((1u << lane) - 1))] = in[i];
    }
}
__device__ double atomic_add_by_cas(double* address, double value) {
    u64* p = (u64*)address;
    u64 old = *p, assumed;
    do { assumed = old; old = atomicCAS(p, assumed, __double_as_longlong(value + __longlong_as_double(assumed))); } while (assumed != old);
    return __longlong_as_double(old);
}
extern "C" __global__ void add_by_cas(double* sum) { atomic_add_by_cas(sum, (double)(blockIdx.x * blockDim.x + threadIdx.x)); }
extern "C" __global__ void float_max(const float* in, int* out) {
    __shared__ int best;
    if (threadIdx.x == 0) best = 0x80000000;
    __syncthreads();
    int bits = __float_as_int(in[threadIdx.x]);
    atomicMax(&best, bits < 0 ? bits ^ 0x7fffffff : bits);
    __syncthreads();
    if (threadIdx.x == 0) *out = best < 0 ? best ^ 0x7fffffff : best;
}

// ---- Stencils, transposes, convolutions ----
extern "C" __global__ void stencil2d(const float* in, float* out, int w, int h) {
    __shared__ float s[18][34];
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 16 + threadIdx.y;
    for (int j = threadIdx.y; j < 18; j += 16)
        for (int i = threadIdx.x; i < 34; i += 32) {
            int gx = min(max((int)(blockIdx.x * 32 + i) - 1, 0), w - 1), gy = min(max((int)(blockIdx.y * 16 + j) - 1, 0), h - 1);
            s[j][i] = in[gy * w + gx];
        }
    __syncthreads();
    if (x < w && y < h) {
        int i = threadIdx.x + 1, j = threadIdx.y + 1;
        out[y * w + x] = 0.25f * (s[j][i - 1] + s[j][i + 1] + s[j - 1][i] + s[j + 1][i]) - s[j][i];
    }
}
// Seven points, marching along z with a queue in registers.
extern "C" __global__ void stencil3d(const int* in, int* out, int n) {
    __shared__ int plane[8][8];
    int x = threadIdx.x, y = threadIdx.y, stride = n * n, at = y * n + x;
    int below = 0, centre = in[at], above;
    for (int z = 0; z < n; z++) {
        above = z + 1 < n ? in[at + (z + 1) * stride] : 0;
        plane[y][x] = centre;
        __syncthreads();
        int sum = below + above - 6 * centre + (x > 0 ? plane[y][x - 1] : 0) + (x < n - 1 ? plane[y][x + 1] : 0) + (y > 0 ? plane[y - 1][x] : 0) + (y < n - 1 ? plane[y + 1][x] : 0);
        out[at + z * stride] = sum;
        __syncthreads();
        below = centre; centre = above;
    }
}
extern "C" __global__ void transpose_padded(const int* in, int* out, int w, int h) {
    __shared__ int tile[32][33];
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8) if (x < w && y + j < h) tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * w + x];
    __syncthreads();
    x = blockIdx.y * 32 + threadIdx.x; y = blockIdx.x * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8) if (x < h && y + j < w) out[(y + j) * h + x] = tile[threadIdx.x][threadIdx.y + j];
}
__constant__ float filter[3][3];
extern "C" __global__ void convolve(const float* __restrict__ in, float* out, int w, int h, int channels) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y, c = blockIdx.z;
    if (x >= w || y >= h) return;
    float sum = 0;
#pragma unroll
    for (int j = -1; j <= 1; j++)
#pragma unroll
        for (int i = -1; i <= 1; i++) {
            int gx = x + i, gy = y + j;
            if (gx >= 0 && gx < w && gy >= 0 && gy < h) sum += in[(c * h + gy) * w + gx] * filter[j + 1][i + 1];
        }
    out[(c * h + y) * w + x] = sum;
}

// ---- Sparse and graphs ----
extern "C" __global__ void spmv(const int* rows, const int* columns, const float* values, const float* x, float* y, int n) {
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 8, lane = threadIdx.x % 8;
    float sum = 0;
    if (row < n) for (int k = rows[row] + lane; k < rows[row + 1]; k += 8) sum += values[k] * x[columns[k]];
    for (int o = 4; o > 0; o >>= 1) sum += __shfl_down_sync(FULL, sum, o, 8);
    if (row < n && lane == 0) y[row] = sum;
}
extern "C" __global__ void bfs_step(const int* rows, const int* columns, int* distance, int* changed, int level, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && *(volatile int*)&distance[i] == level)
        for (int k = rows[i]; k < rows[i + 1]; k++)
            if (atomicCAS(&distance[columns[k]], -1, level + 1) == -1) *(volatile int*)changed = 1;
}
