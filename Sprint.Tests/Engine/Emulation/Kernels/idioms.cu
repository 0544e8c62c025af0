// Simulation, the language, and synchronisation as public CUDA code writes them; no headers. The tests compare each with the same computation in C#.
#define FULL 0xffffffffu
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned char u8;

// ---- Random numbers, hashes, simulation ----
__device__ uint4 philox(uint4 c, uint2 k) {
    for (int round = 0; round < 10; round++) {
        u32 h0 = __umulhi(0xD2511F53u, c.x), l0 = 0xD2511F53u * c.x, h1 = __umulhi(0xCD9E8D57u, c.z), l1 = 0xCD9E8D57u * c.z;
        c = make_uint4(h1 ^ c.y ^ k.x, l1, h0 ^ c.w ^ k.y, l0);
        k.x += 0x9E3779B9u; k.y += 0xBB67AE85u;
    }
    return c;
}
extern "C" __global__ void philox_fill(uint4* out, u64 seed, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = philox(make_uint4(i, 0, 0, 0), make_uint2((u32)seed, (u32)(seed >> 32)));
}
extern "C" __global__ void hashes(const u64* in, u64* out, int n) {
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        u64 x = in[i];
        x ^= x >> 33; x *= 0xff51afd7ed558ccdull; x ^= x >> 33; x *= 0xc4ceb9fe1a85ec53ull; x ^= x >> 33;
        u32 crc = ~0u;
        for (int b = 0; b < 8; b++) { crc ^= (u8)(x >> 8 * b); for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0); }
        out[i] = (x << 17 | x >> 47) + __umul64hi(x, 0x9E3779B97F4A7C15ull) ^ (u64)~crc << 7 ^ (x % 1000003) * (x / 977);
    }
}
extern "C" __global__ void n_body(const float4* bodies, float3* force, int n) {
    __shared__ float4 tile[64];
    int i = blockIdx.x * 64 + threadIdx.x;
    float4 me = bodies[i];
    float3 f = make_float3(0, 0, 0);
    for (int t = 0; t < n; t += 64) {
        tile[threadIdx.x] = bodies[t + threadIdx.x];
        __syncthreads();
#pragma unroll 8
        for (int j = 0; j < 64; j++) {
            float dx = tile[j].x - me.x, dy = tile[j].y - me.y, dz = tile[j].z - me.z;
            float inverse = rsqrtf(dx * dx + dy * dy + dz * dz + 0.01f), s = tile[j].w * inverse * inverse * inverse;
            f.x += dx * s; f.y += dy * s; f.z += dz * s;
        }
        __syncthreads();
    }
    force[i] = f;
}
extern "C" __global__ void life(const u8* in, u8* out, int w, int h) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y;
    if (x >= w) return;
    int alive = 0;
    for (int j = -1; j <= 1; j++) for (int i = -1; i <= 1; i++) if (i || j) alive += in[(y + j + h) % h * w + (x + i + w) % w];
    out[y * w + x] = alive == 3 || (alive == 2 && in[y * w + x]);
}

// ---- The language ----
struct Shape { __device__ virtual float area() const = 0; __device__ virtual int corners() const { return 0; } };
struct Square : Shape { float a; __device__ Square(float a) : a(a) {} __device__ float area() const override { return a * a; } __device__ int corners() const override { return 4; } };
struct Disc : Shape { float r; __device__ Disc(float r) : r(r) {} __device__ float area() const override { return 3.f * r * r; } };
extern "C" __global__ void virtual_calls(float* out) {
    Square square(threadIdx.x); Disc disc(threadIdx.x);
    Shape* shape = threadIdx.x % 3 ? (Shape*)&square : (Shape*)&disc;
    out[threadIdx.x] = shape->area() + shape->corners();
}
__device__ __noinline__ int ackermann(int m, int n) { return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); }
extern "C" __global__ void nested_recursion(int* out) { out[threadIdx.x] = ackermann(threadIdx.x % 3, threadIdx.x % 5); }

struct Table { int values[1000]; short tail; };
extern "C" __global__ void by_value(Table table, int* out, int shift) { out[threadIdx.x] = table.values[(threadIdx.x * 31 + shift) % 1000] + table.tail; }

// Padding is never written by assignment to fields; copies of the whole struct must not count as reads of it.
struct Padded { char tag; int value; short half; double real; };
extern "C" __global__ void padded_structs(Padded* global, int* out) {
    __shared__ Padded shared[64];
    Padded local[2];
    for (int k = 0; k < 2; k++) { local[k].tag = (char)threadIdx.x; local[k].value = threadIdx.x * 3 + k; local[k].half = 7; local[k].real = 0.5; }
    shared[threadIdx.x] = local[threadIdx.x & 1];
    __syncthreads();
    global[threadIdx.x] = shared[63 - threadIdx.x];
    __syncthreads();
    Padded back = global[threadIdx.x ^ 1];
    out[threadIdx.x] = back.value + back.tag + back.half + (int)(back.real * 2);
}

// Values that are undefined on paths that do not use them.
extern "C" __global__ void conditional_values(const int* in, int* out, int n) {
    int i = threadIdx.x, x, y, z;
    bool have = in[i] > 10;
    if (have) { x = in[i] * 2; y = in[i] + 1; }
    int sum = x + y;
    if (in[i] & 1) z = 5;
    float f;
    for (int k = 0; k < n; k++) { if (k == 0) f = in[i]; else f = f * 0.5f + z; }
    out[i] = have ? sum : -1;
    if (n > 0 && (in[i] & 1)) out[i] += (int)f;
}

extern "C" __global__ void several_arrays(const float* in, double* out, int n) {
    extern __shared__ __align__(16) unsigned char raw[];
    double* a = (double*)raw;
    float* b = (float*)(a + n);
    short* c = (short*)(b + n);
    u8* d = (u8*)(c + n);
    int t = threadIdx.x;
    a[t] = in[t]; b[t] = in[t] * 2; c[t] = (short)(in[t] * 3); d[t] = (u8)(in[t] * 4);
    __syncthreads();
    int o = (t + 1) % n;
    out[t] = a[o] + b[o] + c[o] + d[o];
}

template <typename F> __device__ void for_each(int n, F f) { for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x) f(i); }
extern "C" __global__ void lambdas(int* out, int n, int factor) {
    int offset = 5;
    for_each(n, [=](int i) { out[i] = i * factor + offset; });
    for_each(n, [&](int i) { union { float f; u32 u; } pun; pun.f = (float)out[i]; out[i] = pun.u >> 23; });
}
struct Bits { u32 a : 3, b : 7, c : 22; int d : 5; };
extern "C" __global__ void bit_fields(const u32* in, int* out) {
    Bits bits = *(const Bits*)(in + 2 * threadIdx.x);
    bits.b += 9; bits.d -= 3;
    out[threadIdx.x] = bits.a + bits.b * 10 + (int)(bits.c & 1023) * 2000 + bits.d;
}
__device__ int dispatch(int op, int a, int b) {
    switch (op) {
        case 0: return a + b; case 1: return a - b; case 2: return a * b; case 3: return b ? a / b : 0; case 4: return a & b; case 5: return a | b;
        case 6: return a ^ b; case 7: return a << (b & 31); case 8: return a >> (b & 31); case 9: return min(a, b); case 10: return max(a, b); case 11: return ~a;
        default: return -1;
    }
}
extern "C" __global__ void switch_table(const int* ops, int* out) { out[threadIdx.x] = dispatch(ops[threadIdx.x], threadIdx.x * 7, threadIdx.x - 20); }

// ---- Synchronisation ----
// Producers arrive and go on, consumers wait; two buffers.
extern "C" __global__ void pipeline(const int* in, int* out, int rounds) {
    __shared__ int box[2][64];
    int t = threadIdx.x & 63;
    if (threadIdx.x < 64) {
        for (int r = 0; r < rounds; r++) {
            if (r >= 2) asm volatile("bar.sync %0, 128;" :: "r"(3 + (r & 1)) : "memory");
            box[r & 1][t] = in[r * 64 + t] + 1;
            asm volatile("bar.arrive %0, 128;" :: "r"(1 + (r & 1)) : "memory");
        }
    } else {
        for (int r = 0; r < rounds; r++) {
            asm volatile("bar.sync %0, 128;" :: "r"(1 + (r & 1)) : "memory");
            out[r * 64 + t] = box[r & 1][63 - t];
            if (r + 2 < rounds) asm volatile("bar.arrive %0, 128;" :: "r"(3 + (r & 1)) : "memory");
        }
    }
}
extern "C" __global__ void ticket_lock(u32* next, volatile u32* serving, int* value) {
    if (threadIdx.x % 32 == 0) {
        u32 mine = atomicAdd(next, 1);
        while (*serving != mine) { }
        __threadfence();
        *(volatile int*)value = *(volatile int*)value * 3 % 1000003 + 1;
        __threadfence();
        *serving = mine + 1;
    }
    __syncthreads();
}
// A warp hands its sum to another through shared memory and a volatile flag.
extern "C" __global__ void flag_between_warps(int* out) {
    __shared__ int data[32];
    __shared__ volatile int flag;
    if (threadIdx.x == 0) flag = 0;
    __syncthreads();
    if (threadIdx.x < 32) {
        data[threadIdx.x] = threadIdx.x * 5;
        __threadfence_block();
        __syncwarp();
        if (threadIdx.x == 0) flag = 1;
    } else {
        while (flag == 0) { }
        __threadfence_block();
        out[threadIdx.x - 32] = data[63 - threadIdx.x];
    }
}
extern "C" __global__ void early_exit(const int* in, int* out, int n) {
    __shared__ int s[64];
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    s[threadIdx.x] = in[i];
    __syncthreads();
    out[i] = (i ^ 1) < n ? s[threadIdx.x ^ 1] : 0;
}
