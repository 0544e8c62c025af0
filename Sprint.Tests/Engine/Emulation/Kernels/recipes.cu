// Algorithms as papers and public code have them whose blocks meet, take turns or count, and some that live in one block.

// A histogram whose lanes of equal bins add once.
extern "C" __global__ void match_histogram(const int* in, int* bins, int n) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        int b = in[i] % 37;
        unsigned m = __match_any_sync(__activemask(), b);
        int leader = __ffs(m) - 1;
        if ((threadIdx.x & 31) == leader) atomicAdd(&bins[b], __popc(m));
    }
}

// Sweeps over a line that all blocks finish before the next begins: a barrier across the grid that turns its sense.
__device__ unsigned bar_count;
__device__ volatile unsigned bar_sense;
__device__ void grid_barrier(unsigned& sense) {
    __syncthreads();
    if (threadIdx.x == 0) {
        sense ^= 1;
        __threadfence();
        if (atomicAdd(&bar_count, 1) == gridDim.x - 1) { bar_count = 0; __threadfence(); bar_sense = sense; }
        else while (bar_sense != sense) __nanosleep(20);
        __threadfence();
    }
    __syncthreads();
}
extern "C" __global__ void jacobi_persistent(float* a, float* b, int n, int iters) {
    unsigned sense = 0;
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    for (int it = 0; it < iters; it++) {
        float* s = it & 1 ? b : a; float* d = it & 1 ? a : b;
        if (i > 0 && i < n - 1) d[i] = 0.5f * (s[i-1] + s[i+1]); else if (i < n) d[i] = s[i];
        grid_barrier(sense);
    }
}

// A barrier across the grid by the highest bit of a sum, as cooperative groups have it.
__device__ unsigned goal;
__device__ void meet() {
    __syncthreads();
    if (threadIdx.x == 0) {
        __threadfence();
        unsigned old = atomicAdd(&goal, blockIdx.x == 0 ? 0x80000000u - (gridDim.x - 1) : 1);
        while (((old ^ *(volatile unsigned*)&goal) & 0x80000000u) == 0) { }
        __threadfence();
    }
    __syncthreads();
}
extern "C" __global__ void rows_turn(int* data, int* out) {
    for (int round = 0; round < 3; round++) {
        data[blockIdx.x * blockDim.x + threadIdx.x] = round * 100 + blockIdx.x;
        meet();
        out[(round * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x] = data[(blockIdx.x + 1) % gridDim.x * blockDim.x + threadIdx.x];
        meet();
    }
}

// One pass of a radix sort, ranks by ballots.
extern "C" __global__ void radix_rank(const unsigned* keys, unsigned* out, int shift) {
    __shared__ unsigned warpHist[8][16]; __shared__ unsigned base[16];
    unsigned lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    for (int i = threadIdx.x; i < 128; i += 256) ((unsigned*)warpHist)[i] = 0;
    __syncthreads();
    unsigned key = keys[threadIdx.x], d = (key >> shift) & 15;
    unsigned peers = ~0u;
    for (int b = 0; b < 4; b++) { unsigned bit = (d >> b) & 1; unsigned v = __ballot_sync(~0u, bit); peers &= bit ? v : ~v; }
    unsigned rank = __popc(peers & ((1u << lane) - 1));
    if (rank == 0) warpHist[warp][d] = __popc(peers);
    __syncthreads();
    if (threadIdx.x < 16) { unsigned s = 0; for (int w = 0; w < 8; w++) { unsigned t = warpHist[w][threadIdx.x]; warpHist[w][threadIdx.x] = s; s += t; } base[threadIdx.x] = s; }
    __syncthreads();
    if (threadIdx.x == 0) { unsigned s = 0; for (int k = 0; k < 16; k++) { unsigned t = base[k]; base[k] = s; s += t; } }
    __syncthreads();
    out[base[d] + warpHist[warp][d] + rank] = key;
}

// A tridiagonal system (-1, 4, -1) by parallel cyclic reduction.
extern "C" __global__ void pcr(float* x) {
    __shared__ float a[64], b[64], c[64], d[64];
    int t = threadIdx.x; a[t] = t ? -1.f : 0; b[t] = 4; c[t] = t < 63 ? -1.f : 0; d[t] = t % 5 + 1;
    __syncthreads();
    for (int s = 1; s < 64; s *= 2) {
        int l = max(t - s, 0), r = min(t + s, 63);
        float k1 = t - s >= 0 ? a[t] / b[l] : 0, k2 = t + s < 64 ? c[t] / b[r] : 0;
        float na = -a[l] * k1, nb = b[t] - c[l] * k1 - a[r] * k2, nc = -c[r] * k2, nd = d[t] - d[l] * k1 - d[r] * k2;
        __syncthreads();
        a[t] = na; b[t] = nb; c[t] = nc; d[t] = nd;
        __syncthreads();
    }
    x[t] = d[t] / b[t];
}

// A Fourier transform of 256 points.
extern "C" __global__ void fft256(const float* in, float2* out) {
    __shared__ float2 s[256];
    int t = threadIdx.x;
    unsigned r = __brev((unsigned)t) >> 24;
    s[r] = make_float2(in[t], 0);
    __syncthreads();
    for (int len = 2; len <= 256; len <<= 1) {
        if (t < 128) {
            int half = len / 2, g = t / half, k = t % half, i = g * len + k;
            float sn, cs; sincospif(-2.f * k / len, &sn, &cs);
            float2 u = s[i], v = s[i + half];
            float2 w = make_float2(v.x * cs - v.y * sn, v.x * sn + v.y * cs);
            s[i] = make_float2(u.x + w.x, u.y + w.y); s[i + half] = make_float2(u.x - w.x, u.y - w.y);
        }
        __syncthreads();
    }
    out[t] = s[t];
}

// A lock with growing pauses.
struct Mutex { int* m; __device__ void lock() { unsigned ns = 8; while (atomicCAS(m, 0, 1) == 1) { __nanosleep(ns); if (ns < 256) ns *= 2; } __threadfence(); } __device__ void unlock() { __threadfence(); atomicExch(m, 0); } };
extern "C" __global__ void mutex_sum(int* m, int* sum) {
    Mutex x{m};
    for (int l = 0; l < 32; l++) if ((threadIdx.x & 31) == l) { x.lock(); *sum += 1; x.unlock(); }
}

// Components of a graph by union and find.
__device__ int find(int* p, int i) { int c = atomicAdd(p + i, 0); while (c != i) { i = c; c = atomicAdd(p + i, 0); } return i; }
extern "C" __global__ void union_find(int* parent, const int2* edges, int m) {
    int e = blockIdx.x * blockDim.x + threadIdx.x; if (e >= m) return;
    int a = edges[e].x % 64, b = edges[e].y % 64;
    while (true) { a = find(parent, a); b = find(parent, b); if (a == b) return; if (a < b) { int t = a; a = b; b = t; } if (atomicCAS(parent + a, a, b) == a) return; }
}

// A dot product by blocks that take turns.
extern "C" __global__ void split_k(const float* a, const float* b, float* c, int* sem, int K) {
    // y = a.b by blockIdx.x parts in turn
    float s = 0; int part = K / gridDim.x; for (int k = blockIdx.x * part + threadIdx.x; k < (blockIdx.x + 1) * part; k += blockDim.x) s += a[k] * b[k];
    for (int o = 16; o; o >>= 1) s += __shfl_xor_sync(~0u, s, o);
    if (threadIdx.x == 0) {
        int v; do { asm volatile("ld.global.acquire.gpu.b32 %0, [%1];" : "=r"(v) : "l"(sem)); } while (v != blockIdx.x);
        *c = blockIdx.x ? *c + s : s;
        int next = blockIdx.x + 1 == gridDim.x ? 0 : blockIdx.x + 1;
        asm volatile("st.global.release.gpu.b32 [%0], %1;" :: "l"(sem), "r"(next));
    }
}

// Open addressing.
extern "C" __global__ void hash_insert(const unsigned* keys, unsigned* table_, int n, int cap) {
    int i = blockIdx.x * blockDim.x + threadIdx.x; if (i >= n) return;
    unsigned k = keys[i] + 1, h = k * 2654435761u;
    for (int p = 0; p < cap; p++) { unsigned s = (h + p) % cap; unsigned old = atomicCAS(&table_[s], 0, k); if (old == 0 || old == k) return; }
    asm("trap;");
}

// Total and counter are read and set back by who comes last, without a fence.
extern "C" __global__ void last_block_resets(const int* in, int* total, int* count, int* out) {
    atomicAdd(total, in[blockIdx.x * blockDim.x + threadIdx.x]);
    __syncthreads();
    if (threadIdx.x == 0 && atomicAdd(count, 1) == gridDim.x - 1) { *count = 0; out[0] = atomicExch(total, 0); }
}

// The distance of two texts, diagonal by diagonal.
extern "C" __global__ void levenshtein(const int* a, const int* b, int* row) {
    __shared__ int d[3][65]; int t = threadIdx.x;
    for (int s = 0; s <= 128; s++) { int i = t, j = s - t; if (i <= 64 && j >= 0 && j <= 64) { int v; if (!i) v = j; else if (!j) v = i; else v = min(min(d[(s+2)%3][i-1], d[(s+2)%3][i]) + 1, d[(s+1)%3][i-1] + ((a[i-1] & 3) != (b[j-1] & 3))); d[s%3][i] = v; if (s == 128 && i == 64) row[0] = v; } __syncthreads(); }
}
