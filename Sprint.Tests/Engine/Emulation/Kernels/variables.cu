// Accesses that run from one shared variable into another, on the line marked BUG; with repaired != 0 each stays in its own.

extern "C" __global__ void store_behind(int* out, int repaired) {
    __shared__ int a[32], b[32];
    b[threadIdx.x] = 0;
    __syncthreads();
    a[threadIdx.x + (repaired ? 0 : 1)] = threadIdx.x; // BUG store_behind
    __syncthreads();
    out[threadIdx.x] = a[31 - threadIdx.x] + b[31 - threadIdx.x];
}

extern "C" __global__ void store_before(int* out, int repaired) {
    __shared__ int a[32], b[32];
    a[threadIdx.x] = 0;
    __syncthreads();
    b[(int)threadIdx.x - (repaired ? 0 : 1)] = threadIdx.x; // BUG store_before
    __syncthreads();
    out[threadIdx.x] = a[31 - threadIdx.x] + b[31 - threadIdx.x];
}

extern "C" __global__ void load_behind(int* out, int repaired) {
    __shared__ int a[32], b[32];
    a[threadIdx.x] = b[threadIdx.x] = threadIdx.x;
    __syncthreads();
    out[threadIdx.x] = a[threadIdx.x + (repaired ? 0 : 1)] + b[31 - threadIdx.x]; // BUG load_behind
}

// Words at any places, as a gather reads them.
extern "C" __global__ void load_apart(const int* order, int* out, int repaired) {
    __shared__ int a[32], b[32];
    a[threadIdx.x] = b[threadIdx.x] = threadIdx.x;
    __syncthreads();
    out[threadIdx.x] = a[order[threadIdx.x] + (repaired ? 0 : 1)] + b[order[threadIdx.x]]; // BUG load_apart
}

extern "C" __global__ void static_into_dynamic(int* out, int repaired) {
    __shared__ int a[32];
    extern __shared__ int d[];
    d[threadIdx.x] = 0;
    __syncthreads();
    for (int k = threadIdx.x; k < 33 - repaired; k += 32) a[k] = k; // BUG static_into_dynamic
    __syncthreads();
    out[threadIdx.x] = a[31 - threadIdx.x] + d[31 - threadIdx.x];
}

extern "C" __global__ void dynamic_into_static(int* out, int repaired) {
    __shared__ int a[32];
    extern __shared__ int d[];
    a[threadIdx.x] = 0;
    __syncthreads();
    d[(int)threadIdx.x - 1 + repaired] = threadIdx.x; // BUG dynamic_into_static
    __syncthreads();
    out[threadIdx.x] = a[31 - threadIdx.x] + d[30 - (int)(threadIdx.x & 15)];
}

extern "C" __global__ void row_too_many(float* out, int repaired) {
    __shared__ float tile[8][66], sums[66];
    for (int r = 0; r < 9 - repaired; r++) tile[r][threadIdx.x] = r; // BUG row_too_many
    sums[threadIdx.x] = 0;
    __syncthreads();
    for (int r = 0; r < 8; r++) sums[threadIdx.x] += tile[r][threadIdx.x ^ 1];
    out[threadIdx.x] = sums[threadIdx.x];
}

// By a generic address, in a function that does not know whose array it is.
__device__ __noinline__ void fill(int* row, int n) {
    for (int k = threadIdx.x; k < n; k += 32) row[k] = k; // BUG filled_by_pointer
}
extern "C" __global__ void filled_by_pointer(int* out, int repaired) {
    __shared__ int a[32], b[32];
    fill(b, 32);
    fill(a, 33 - repaired);
    __syncthreads();
    out[threadIdx.x] = a[31 - threadIdx.x] + b[31 - threadIdx.x];
}

// The variables of a function that the kernel calls are its own too.
__device__ __noinline__ int reversed(int value, int beyond) {
    __shared__ int lanes[32];
    lanes[threadIdx.x] = value;
    __syncthreads();
    return lanes[(int)threadIdx.x - beyond]; // BUG callee
}
extern "C" __global__ void callee(int* out, int repaired) {
    __shared__ int a[32];
    a[threadIdx.x] = threadIdx.x;
    __syncthreads();
    out[threadIdx.x] = reversed(a[threadIdx.x], 1 - repaired) + a[31 - threadIdx.x];
}

extern "C" __global__ void vector_across(float* out, int repaired) {
    __shared__ __align__(16) float a[34];
    __shared__ float b[32];
    a[threadIdx.x] = b[threadIdx.x] = 1;
    if (threadIdx.x < 2) a[threadIdx.x + 32] = 1;
    __syncthreads();
    float4 v = *(float4*)(a + 4 * (threadIdx.x % (9 - repaired))); // BUG vector_across
    out[threadIdx.x] = v.x + v.y + v.z + v.w + b[31 - threadIdx.x];
}

extern "C" __global__ void histogram(int* out, int repaired) {
    __shared__ int counts[16];
    __shared__ int total;
    if (threadIdx.x < 16) counts[threadIdx.x] = 0;
    if (threadIdx.x == 0) total = 0;
    __syncthreads();
    atomicAdd(&counts[threadIdx.x & (repaired ? 15 : 16)], 1); // BUG histogram
    atomicAdd(&total, 1);
    __syncthreads();
    out[threadIdx.x] = total + counts[threadIdx.x & 15];
}

extern "C" __global__ void volatile_behind(int* out, int repaired) {
    __shared__ volatile short a[33];
    __shared__ int b[32];
    b[threadIdx.x] = 0;
    a[threadIdx.x + (repaired ? 0 : 2)] = threadIdx.x; // BUG volatile_behind
    out[threadIdx.x] = a[threadIdx.x] + b[threadIdx.x];
}

extern "C" __global__ void copied_behind(const int4* in, int4* out, int repaired) {
    __shared__ int4 a[32], b[32];
    b[threadIdx.x] = in[threadIdx.x];
    unsigned d = (unsigned)__cvta_generic_to_shared(&a[threadIdx.x + (repaired ? 0 : 1)]);
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(d), "l"(in + threadIdx.x) : "memory"); // BUG copied_behind
    asm volatile("cp.async.wait_all;" ::: "memory");
    __syncwarp();
    out[threadIdx.x] = repaired ? a[31 - threadIdx.x] : b[31 - threadIdx.x];
}

extern "C" __global__ void matrix_behind(const int* in, unsigned* out, int repaired) {
    __shared__ __align__(16) unsigned a[32], b[32];
    a[threadIdx.x] = b[threadIdx.x] = in[threadIdx.x];
    __syncthreads();
    unsigned r, s = (unsigned)__cvta_generic_to_shared(a + (threadIdx.x & 7) * 4 + (repaired ? 0 : 4));
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(r) : "r"(s) : "memory"); // BUG matrix_behind
    out[threadIdx.x] = r + b[31 - threadIdx.x];
}

extern "C" __global__ void fragment_behind(float* out, int repaired) {
    __shared__ __align__(32) float c[16 * 16];
    __shared__ __align__(32) float next[16 * 16];
    for (int k = threadIdx.x; k < 256; k += 32) next[k] = k;
    __syncwarp();
    asm volatile("wmma.store.d.sync.aligned.row.m16n16k16.shared.f32 [%0], {%2, %2, %2, %2, %2, %2, %2, %2}, %1;"
        :: "r"((unsigned)__cvta_generic_to_shared(c)), "r"(repaired ? 16 : 24), "f"(1.0f) : "memory"); // BUG fragment_behind
    __syncwarp();
    out[threadIdx.x] = c[255 - threadIdx.x] + next[threadIdx.x];
}

// Right as it is: what kernels may expect of where their variables lie.
extern "C" __global__ void laid_out(unsigned* out) {
    __shared__ char c[5];
    __shared__ double d;
    __shared__ __align__(128) char row[200];
    __shared__ __align__(1024) char tile[64];
    extern __shared__ int dynamic[];
    extern __shared__ __align__(16) char alias[];
    if (threadIdx.x < 5) c[threadIdx.x] = 1;
    if (threadIdx.x == 0) d = 1.5;
    row[threadIdx.x] = tile[threadIdx.x] = 3;
    dynamic[threadIdx.x] = threadIdx.x;
    __syncthreads();
    unsigned bad = (unsigned)__cvta_generic_to_shared(&d) % 8 | (unsigned)__cvta_generic_to_shared(row) % 128 | (unsigned)__cvta_generic_to_shared(tile) % 1024;
    unsigned total, dynamicBytes;
    asm volatile("mov.u32 %0, %%total_smem_size;" : "=r"(total));
    asm volatile("mov.u32 %0, %%dynamic_smem_size;" : "=r"(dynamicBytes));
    out[threadIdx.x] = threadIdx.x == 0 ? bad : threadIdx.x == 1 ? total : threadIdx.x == 2 ? dynamicBytes : threadIdx.x == 3 ? (unsigned)(d * 2) + c[4] + row[5] + tile[31] : (unsigned)alias[threadIdx.x * 4];
}
