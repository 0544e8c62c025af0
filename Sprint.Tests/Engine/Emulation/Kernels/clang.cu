// Compiled by clang 14 without CUDA headers: --cuda-gpu-arch=sm_80 --cuda-device-only -nocudainc -nocudalib -S -fdebug-compilation-dir=. -Xclang -target-feature -Xclang +ptx71, with -O2 as clang.ptx and with -O0 -g as clang_debug.ptx.
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __noinline__ __attribute__((noinline))
typedef unsigned int u32;
typedef unsigned long long u64;
#define tid __nvvm_read_ptx_sreg_tid_x()
#define bid __nvvm_read_ptx_sreg_ctaid_x()
#define bdim __nvvm_read_ptx_sreg_ntid_x()
struct Pair { int a; double b; char c; };
__constant__ int weights[4] = {3, 1, 4, 1};
__device__ int counter;
__device__ __noinline__ Pair make(int x) { Pair p; p.a = x * 2; p.b = x * 0.5; p.c = (char)x; return p; }
__device__ __noinline__ int use(Pair p) { return p.a + (int)p.b + p.c; }
__device__ __noinline__ int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
typedef int (*op)(int, int);
__device__ int add(int a, int b) { return a + b; }
__device__ int mul(int a, int b) { return a * b; }
__device__ op ops[2] = {add, mul};
struct Base { __device__ virtual int f(int) { return 1; } };
struct Derived : Base { int k; __device__ Derived(int k) : k(k) {} __device__ int f(int x) override { return x * k; } };
extern "C" __global__ void clang_calls(const int* in, int* out, int n) {
  int i = bid * bdim + tid;
  if (i >= n) return;
  Derived d(in[i] & 7);
  Base plain; Base* b = (i & 1) ? &d : &plain;
  out[i] = use(make(in[i])) + fib(i % 8) + ops[i & 1](i, 3) + weights[i & 3] + b->f(i);
  __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
}
extern "C" __global__ void clang_reduce(const float* in, float* out, int n) {
  static __shared__ float s[256];
  float sum = 0;
  for (int i = tid; i < n; i += bdim) sum += in[i] * in[i];
  s[tid] = sum;
  __syncthreads();
  for (u32 k = bdim / 2; k > 0; k /= 2) {
    if (tid < k) s[tid] += s[tid + k];
    __syncthreads();
  }
  if (tid == 0) *out = s[0];
}
extern "C" __global__ void clang_switch(const int* in, int* out, short* halves, u64* longs) {
  int x = in[tid], local[8];
  for (int k = 0; k < 8; k++) local[k] = x * k;
  int r;
  switch (x & 7) { case 0: r = 5; break; case 1: r = local[(x >> 3) & 7]; break; case 2: r = x / 3; break; case 3: r = x % 7; break; case 4: r = __builtin_popcount(x); break; case 5: r = x << (x & 31); break; case 6: r = -x; break; default: r = __builtin_clz(x | 1); }
  out[tid] = r;
  halves[tid] = (short)(r * 3);
  longs[tid] = (u64)(u32)r * 0x123456789abcdefull >> 7;
}