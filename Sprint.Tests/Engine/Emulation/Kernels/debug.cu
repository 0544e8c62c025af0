// Compiled with -G: nothing is inlined, every variable is in local memory.
extern "C" int printf(const char*, ...);

extern "C" __global__ void collatz_debug(const int* in, int* out) {
    int n = in[threadIdx.x], steps = 0;
    while (n != 1) { if (n & 1) n = 3 * n + 1; else n >>= 1; steps++; }
    out[threadIdx.x] = __shfl_xor_sync(0xffffffffu, steps, 1);
}

extern "C" __global__ void print(int which) {
    if (threadIdx.x != which) return;
    printf("%d|%5d|%-5d|%05d|%u|%x|%c|%s|%%\n", -3, 42, 42, 42, 7u, 255, 'z', "text");
    printf("%f|%.2f|%8.3f|%e|%g|%lld\n", 1.5, 2.0 / 3, 3.14159, 12345.678, 0.0001, 1234567890123LL);
}
