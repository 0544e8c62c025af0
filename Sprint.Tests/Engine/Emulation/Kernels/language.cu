__constant__ float table[4] = {1.f,2.f,3.f,4.f};
__device__ int counter;
__device__ __noinline__ float helper(float a, int b) { return b > 3 ? a * b : a - b; }
extern "C" int printf(const char*, ...);
struct P { int n; float s; double d; };
extern "C" __global__ void language(const float* __restrict__ in, float* out, P p, int sel) {
  extern __shared__ float dyn[];
  __shared__ int st[64];
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  float loc[8];
  for (int j = 0; j < 8; j++) loc[j] = in[(i + j) % p.n];
  st[threadIdx.x & 63] = i;
  dyn[threadIdx.x] = loc[sel & 7] + table[sel & 3];
  __syncthreads();
  float v = dyn[(threadIdx.x + 1) % blockDim.x];
  v += __shfl_xor_sync(0xffffffffu, v, 1);
  switch (sel) { case 0: v = sinf(v); break; case 1: v += 2; break; case 2: v *= 3; break; case 3: v = helper(v, i); break; case 4: v /= 3; break; case 5: v = sqrtf(v); break; default: v = __expf(v); }
  if (i == 0) printf("hello %d %f\n", i, v);
  atomicAdd(&counter, 1);
  if (i < p.n) out[i] = v * p.s + (float)p.d + st[(threadIdx.x * 5) & 63];
}
