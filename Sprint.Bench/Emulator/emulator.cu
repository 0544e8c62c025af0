// What the command `emulator` measures. emulator.ptx is this file, compiled by NVRTC 11.8 with --gpu-architecture=compute_80 --std=c++17 -lineinfo.
typedef unsigned int u32;
typedef unsigned short u16;

// Eight independent chains of fused multiply-adds.
extern "C" __global__ void arithmetic(float* out, int turns) {
    float x[8], a = threadIdx.x * 1e-3f, b = 0.999f;
#pragma unroll
    for (int k = 0; k < 8; k++) x[k] = a + k;
    for (int t = 0; t < turns; t++)
#pragma unroll
        for (int k = 0; k < 8; k++) x[k] = x[k] * b + a;
    float sum = 0;
#pragma unroll
    for (int k = 0; k < 8; k++) sum += x[k];
    out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

// Integer arithmetic, shifts, comparisons and selections.
extern "C" __global__ void integers(u32* out, int turns) {
    u32 x = threadIdx.x * 2654435761u + 1, y = blockIdx.x + 7;
    for (int t = 0; t < turns; t++) {
        x ^= x << 13; x ^= x >> 17; x ^= x << 5;
        y = y * 1664525u + 1013904223u;
        y = x > y ? y + x : y ^ (x & 0xff);
    }
    out[blockIdx.x * blockDim.x + threadIdx.x] = x + y;
}

// y = a x + y, a grid-stride loop.
extern "C" __global__ void stream(const float* __restrict__ x, float* y, float a, int n) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) y[i] = a * x[i] + y[i];
}

// The same, four numbers at a time.
extern "C" __global__ void stream_vector(const float4* __restrict__ x, float4* y, float a, int n) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n / 4; i += gridDim.x * blockDim.x) {
        float4 u = x[i], v = y[i];
        y[i] = make_float4(a * u.x + v.x, a * u.y + v.y, a * u.z + v.z, a * u.w + v.w);
    }
}

// Rows read at random places: every lane in a sector of its own.
extern "C" __global__ void gather(const float* x, const int* index, float* y, int n) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) y[i] = x[index[i]];
}

// A transpose through padded shared memory.
extern "C" __global__ void transpose(const float* in, float* out, int n) {
    __shared__ float tile[32][33];
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8) tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * n + x];
    __syncthreads();
    x = blockIdx.y * 32 + threadIdx.x; y = blockIdx.x * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8) out[(y + j) * n + x] = tile[threadIdx.x][threadIdx.y + j];
}

// A 16 x 16 tiled product in float32.
extern "C" __global__ void product(const float* a, const float* b, float* c, int n) {
    __shared__ float ta[16][16], tb[16][16];
    int row = blockIdx.y * 16 + threadIdx.y, column = blockIdx.x * 16 + threadIdx.x;
    float sum = 0;
    for (int t = 0; t < n; t += 16) {
        ta[threadIdx.y][threadIdx.x] = a[row * n + t + threadIdx.x];
        tb[threadIdx.y][threadIdx.x] = b[(t + threadIdx.y) * n + column];
        __syncthreads();
#pragma unroll
        for (int k = 0; k < 16; k++) sum += ta[threadIdx.y][k] * tb[k][threadIdx.x];
        __syncthreads();
    }
    c[row * n + column] = sum;
}

__device__ __forceinline__ u32 shared_address(const void* p) { return (u32)__cvta_generic_to_shared(p); }

// C = A B^T in bfloat16 on tensor cores: tiles of 64 x 64 x 32, four warps of 32 x 32, three stages of cp.async, swizzled shared memory.
extern "C" __global__ void __launch_bounds__(128) tensor_product(const u16* __restrict__ a, const u16* __restrict__ b, float* __restrict__ c, int n, int depth) {
    __shared__ __align__(128) u16 sa[3][64 * 32], sb[3][64 * 32];
    int t = threadIdx.x, lane = t & 31, warp = t >> 5, wm = (warp & 1) * 32, wn = (warp >> 1) * 32;
    const u16* pa = a + (size_t)blockIdx.y * 64 * depth;
    const u16* pb = b + (size_t)blockIdx.x * 64 * depth;
    auto place = [](int row, int chunk) { return row * 32 + ((chunk ^ (row >> 1)) & 3) * 8; };
    auto fetch = [&](int stage, int k) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
            int row = (t >> 2) + i * 32, chunk = t & 3;
            asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(shared_address(&sa[stage][place(row, chunk)])), "l"(pa + (size_t)row * depth + k + chunk * 8));
            asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(shared_address(&sb[stage][place(row, chunk)])), "l"(pb + (size_t)row * depth + k + chunk * 8));
        }
    };
    float acc[2][4][4] = {};
    fetch(0, 0);
    asm volatile("cp.async.commit_group;");
    if (32 < depth) fetch(1, 32);
    asm volatile("cp.async.commit_group;");
    for (int k = 0, stage = 0; k < depth; k += 32, stage = stage == 2 ? 0 : stage + 1) {
        asm volatile("cp.async.wait_group 1;" ::: "memory");
        __syncthreads();
        if (k + 64 < depth) fetch(stage == 0 ? 2 : stage - 1, k + 64);
        asm volatile("cp.async.commit_group;");
#pragma unroll
        for (int half = 0; half < 2; half++) {
            u32 fa[2][4], fb[2][4];
#pragma unroll
            for (int i = 0; i < 2; i++) {
                u32 x = shared_address(&sa[stage][place(wm + i * 16 + (lane & 15), half * 2 + (lane >> 4))]);
                u32 y = shared_address(&sb[stage][place(wn + i * 16 + (lane & 7) + (lane >> 4) * 8, half * 2 + (lane >> 3 & 1))]);
                asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(fa[i][0]), "=r"(fa[i][1]), "=r"(fa[i][2]), "=r"(fa[i][3]) : "r"(x));
                asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(fb[i][0]), "=r"(fb[i][1]), "=r"(fb[i][2]), "=r"(fb[i][3]) : "r"(y));
            }
#pragma unroll
            for (int i = 0; i < 2; i++)
#pragma unroll
                for (int j = 0; j < 4; j++)
                    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                        : "+f"(acc[i][j][0]), "+f"(acc[i][j][1]), "+f"(acc[i][j][2]), "+f"(acc[i][j][3])
                        : "r"(fa[i][0]), "r"(fa[i][1]), "r"(fa[i][2]), "r"(fa[i][3]), "r"(fb[j >> 1][(j & 1) * 2]), "r"(fb[j >> 1][(j & 1) * 2 + 1]));
        }
    }
    float* pc = c + (size_t)(blockIdx.y * 64 + wm + (lane >> 2)) * n + blockIdx.x * 64 + wn + (lane & 3) * 2;
#pragma unroll
    for (int i = 0; i < 2; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) {
            *(float2*)(pc + (size_t)i * 16 * n + j * 8) = make_float2(acc[i][j][0], acc[i][j][1]);
            *(float2*)(pc + (size_t)(i * 16 + 8) * n + j * 8) = make_float2(acc[i][j][2], acc[i][j][3]);
        }
}
