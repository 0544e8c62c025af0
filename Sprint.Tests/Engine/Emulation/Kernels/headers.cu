// Kernels that use the CUDA toolkit's headers: 16-bit arithmetic, cooperative groups, wmma, pipeline primitives. Compiled with -I to CUDA 11.8's include folder.
#include <cuda_fp16.h>
#include <cuda_bf16.h>
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>
#include <mma.h>
#include <cuda_pipeline_primitives.h>
namespace cg = cooperative_groups;
using namespace nvcuda;

// Every intrinsic on pairs of halves that public code uses; a result a row.
extern "C" __global__ void half_arithmetic(const __half2* a, const __half2* b, __half2* out, int n) {
    int i = threadIdx.x;
    __half2 x = a[i], y = b[i];
    int r = 0;
#define PUT(v) out[n * r++ + i] = (v)
    PUT(__hadd2(x, y)); PUT(__hsub2(x, y)); PUT(__hmul2(x, y)); PUT(__hfma2(x, y, x)); PUT(__hneg2(x)); PUT(__habs2(x)); PUT(__hmax2(x, y)); PUT(__hmin2(x, y));
    PUT(__heq2(x, y)); PUT(__hlt2(x, y)); PUT(__hgeu2(x, y)); PUT(__hadd2_sat(x, y)); PUT(h2sqrt(__habs2(x))); PUT(h2exp2(x)); PUT(h2rcp(y)); PUT(__hfma2_relu(x, y, y));
    PUT(__halves2half2(__hgt(__low2half(x), __low2half(y)) ? __low2half(x) : __high2half(y), __float2half_rn(__half2float(__high2half(x)) * 0.5f)));
    PUT(__floats2half2_rn(__low2float(x) + 1.f, __high2float(y) - 1.f)); PUT(__lows2half2(x, y)); PUT(__highs2half2(x, y)); PUT(__hbgt2(x, y) ? x : y); PUT(__lowhigh2highlow(x));
    PUT(__halves2half2(__int2half_rn(i - 5), __ushort2half_rn((unsigned short)(i * 3)))); PUT(__shfl_xor_sync(0xffffffffu, x, 1));
}
extern "C" __global__ void bfloat_arithmetic(const __nv_bfloat162* a, const __nv_bfloat162* b, __nv_bfloat162* out, int n) {
    int i = threadIdx.x;
    __nv_bfloat162 x = a[i], y = b[i];
    int r = 0;
    PUT(__hadd2(x, y)); PUT(__hsub2(x, y)); PUT(__hmul2(x, y)); PUT(__hfma2(x, y, x)); PUT(__hneg2(x)); PUT(__habs2(x)); PUT(__hmax2(x, y)); PUT(__hmin2(x, y));
    PUT(__floats2bfloat162_rn(__low2float(x) * 1.5f, __high2float(y) * 0.25f)); PUT(__hlt2(x, y)); PUT(__hfma2_relu(x, y, y));
    PUT(__halves2bfloat162(__hgt(__low2bfloat16(x), __low2bfloat16(y)) ? __low2bfloat16(x) : __high2bfloat16(y), __float2bfloat16(3.14159f)));
}
extern "C" __global__ void half_atomics(__half2* pair, __half* single, __nv_bfloat162* brain) {
    atomicAdd(pair, __floats2half2_rn(1.f, 0.5f));
    atomicAdd(single, __float2half(1.f));
    atomicAdd(brain, __floats2bfloat162_rn(1.f, 2.f));
}

// Cooperative groups: tiles, coalesced groups, reductions and scans of groups.
extern "C" __global__ void groups(const int* in, int* out) {
    __shared__ int total;
    cg::thread_block block = cg::this_thread_block();
    if (block.thread_rank() == 0) total = 0;
    block.sync();
    cg::thread_block_tile<32> warp = cg::tiled_partition<32>(block);
    cg::thread_block_tile<8> tile = cg::tiled_partition<8>(warp);
    int v = in[block.thread_rank()];
    int sum = cg::reduce(warp, v, cg::plus<int>());
    int largest = cg::reduce(tile, v, cg::greater<int>());
    int before = cg::exclusive_scan(tile, v);
    int shuffled = tile.shfl_down(v, 2);
    int votes = tile.ballot(v & 1);
    if (warp.thread_rank() == 0) atomicAdd(&total, sum);
    int odd = -1;
    if (v & 1) { cg::coalesced_group active = cg::coalesced_threads(); odd = active.thread_rank() + 100 * active.size() + 10000 * active.shfl(v, 0); }
    cg::sync(block);
    int* row = out + block.thread_rank() * 7;
    row[0] = sum; row[1] = largest; row[2] = before; row[3] = shuffled; row[4] = votes; row[5] = total; row[6] = odd;
}

// C = A B + C with nvcuda::wmma, a warp a 16 x 16 tile, B column-major; the epilogue scales the fragment's elements.
extern "C" __global__ void wmma_half(const half* a, const half* b, float* c, int m, int n, int k) {
    int row = blockIdx.y * 16, column = (blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32) * 16;
    wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> fb;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> acc, old;
    wmma::fill_fragment(acc, 0.0f);
    for (int p = 0; p < k; p += 16) {
        wmma::load_matrix_sync(fa, a + row * k + p, k);
        wmma::load_matrix_sync(fb, b + column * k + p, k);
        wmma::mma_sync(acc, fa, fb, acc);
    }
    wmma::load_matrix_sync(old, c + row * n + column, n, wmma::mem_row_major);
    for (int e = 0; e < acc.num_elements; e++) acc.x[e] = 2.f * acc.x[e] + old.x[e];
    wmma::store_matrix_sync(c + row * n + column, acc, n, wmma::mem_row_major);
}
template <int M, int N, typename T, typename Acc> __device__ void wmma_tile(const T* a, const T* b, Acc* c) {
    __shared__ __align__(128) T sa[M * 16], sb[16 * N];
    __shared__ __align__(128) Acc sc[M * N];
    for (int e = threadIdx.x; e < M * 16; e += 32) sa[e] = a[e];
    for (int e = threadIdx.x; e < N * 16; e += 32) sb[e] = b[e];
    __syncwarp();
    wmma::fragment<wmma::matrix_a, M, N, 16, T, wmma::col_major> fa;
    wmma::fragment<wmma::matrix_b, M, N, 16, T, wmma::row_major> fb;
    wmma::fragment<wmma::accumulator, M, N, 16, Acc> acc;
    wmma::fill_fragment(acc, Acc(1));
    wmma::load_matrix_sync(fa, sa, M);
    wmma::load_matrix_sync(fb, sb, N);
    wmma::mma_sync(acc, fa, fb, acc);
    wmma::store_matrix_sync(sc, acc, M, wmma::mem_col_major);
    __syncwarp();
    for (int e = threadIdx.x; e < M * N; e += 32) c[e] = sc[e];
}
extern "C" __global__ void wmma_half_wide(const half* a, const half* b, half* c) { wmma_tile<8, 32>(a, b, c); }
extern "C" __global__ void wmma_bfloat_tall(const __nv_bfloat16* a, const __nv_bfloat16* b, float* c) { wmma_tile<32, 8>(a, b, c); }
extern "C" __global__ void wmma_bfloat_square(const __nv_bfloat16* a, const __nv_bfloat16* b, float* c) { wmma_tile<16, 16>(a, b, c); }
extern "C" __global__ void wmma_bytes(const signed char* a, const signed char* b, int* c) { wmma_tile<16, 16>(a, b, c); }
extern "C" __global__ void wmma_tf32(const float* a, const float* b, float* c) {
    wmma::fragment<wmma::matrix_a, 16, 16, 8, wmma::precision::tf32, wmma::row_major> fa;
    wmma::fragment<wmma::matrix_b, 16, 16, 8, wmma::precision::tf32, wmma::row_major> fb;
    wmma::fragment<wmma::accumulator, 16, 16, 8, float> acc;
    wmma::fill_fragment(acc, 0.f);
    wmma::load_matrix_sync(fa, a, 8);
    wmma::load_matrix_sync(fb, b, 16);
    for (int e = 0; e < fa.num_elements; e++) fa.x[e] = wmma::__float_to_tf32(fa.x[e]);
    for (int e = 0; e < fb.num_elements; e++) fb.x[e] = wmma::__float_to_tf32(fb.x[e]);
    wmma::mma_sync(acc, fa, fb, acc);
    wmma::store_matrix_sync(c, acc, 16, wmma::mem_row_major);
}
extern "C" __global__ void wmma_double(const double* a, const double* b, double* c) {
    wmma::fragment<wmma::matrix_a, 8, 8, 4, double, wmma::row_major> fa;
    wmma::fragment<wmma::matrix_b, 8, 8, 4, double, wmma::col_major> fb;
    wmma::fragment<wmma::accumulator, 8, 8, 4, double> acc;
    wmma::fill_fragment(acc, 0.5);
    wmma::load_matrix_sync(fa, a, 4);
    wmma::load_matrix_sync(fb, b, 4);
    wmma::mma_sync(acc, fa, fb, acc);
    wmma::store_matrix_sync(c, acc, 8, wmma::mem_row_major);
}

// Copies through the pipeline primitives.
extern "C" __global__ void pipeline_copy(const int4* in, int4* out, int batches) {
    __shared__ int4 s[2][64];
    int t = threadIdx.x;
    __pipeline_memcpy_async(&s[0][t], in + t, 16);
    __pipeline_commit();
    for (int b = 0; b < batches; b++) {
        if (b + 1 < batches) __pipeline_memcpy_async(&s[(b + 1) & 1][t], in + (b + 1) * 64 + t, 16);
        __pipeline_commit();
        __pipeline_wait_prior(1);
        __syncthreads();
        out[b * 64 + t] = s[b & 1][63 - t];
        __syncthreads();
    }
}
