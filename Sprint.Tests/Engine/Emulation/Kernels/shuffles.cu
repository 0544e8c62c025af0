// Values that a shuffle reads from lanes which do not take part: thrown away and, with repaired == 0, used. Lines of the shuffle end in BUG, of the use in LATE, and the
// kernel's name. Blocks have 64 threads unless a kernel says otherwise; 11 lanes of each warp take part in most.
#define FULL 0xffffffffu
extern "C" int printf(const char*, ...);

// A tree over 11 lanes. Those whose partner is not among them leave what they read alone, or add it.
template <class T> __device__ T shuffled(unsigned mask, T x, int offset) { return __shfl_down_sync(mask, x, offset); } // BUG shuffled
template <class T> __device__ T sum_of(T x, T y) { return x + y; }

// Two halves in one register, and one bf16, which is shuffled as an integer.
struct Halves { unsigned bits; };
template <> __device__ Halves shuffled(unsigned mask, Halves x, int offset) { return {__shfl_down_sync(mask, x.bits, offset)}; } // BUG shuffled
template <> __device__ Halves sum_of(Halves x, Halves y) {
    Halves z;
    asm("add.f16x2 %0, %1, %2;" : "=r"(z.bits) : "r"(x.bits), "r"(y.bits));
    return z;
}
struct Brain { unsigned short bits; };
template <> __device__ Brain shuffled(unsigned mask, Brain x, int offset) { return {(unsigned short)__shfl_down_sync(mask, (int)x.bits, offset)}; } // BUG shuffled
template <> __device__ Brain sum_of(Brain x, Brain y) {
    Brain z;
    asm("{ .reg .b16 one; mov.b16 one, 0x3F80; fma.rn.bf16 %0, %1, one, %2; }" : "=h"(z.bits) : "h"(x.bits), "h"(y.bits));
    return z;
}

template <class T> __device__ void sum_of_eleven(const T* x, T* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    T sum = x[i];
    unsigned mask = __ballot_sync(FULL, lane < 11);
    if (lane < 11) {
        for (int offset = 8; offset > 0; offset /= 2) {
            T other = shuffled(mask, sum, offset);
            if (!repaired || lane + offset < 11) sum = sum_of(sum, other);
        }
    }
    y[i] = sum; // LATE shuffled
}
extern "C" __global__ void sum_int(const int* x, int* y, int repaired) { sum_of_eleven(x, y, repaired); }
extern "C" __global__ void sum_float(const float* x, float* y, int repaired) { sum_of_eleven(x, y, repaired); }
extern "C" __global__ void sum_double(const double* x, double* y, int repaired) { sum_of_eleven(x, y, repaired); }
extern "C" __global__ void sum_long(const long long* x, long long* y, int repaired) { sum_of_eleven(x, y, repaired); }
extern "C" __global__ void sum_halves(const Halves* x, Halves* y, int repaired) { sum_of_eleven(x, y, repaired); }
extern "C" __global__ void sum_brain(const Brain* x, Brain* y, int repaired) { sum_of_eleven(x, y, repaired); }

// Half a warp adds without a guard: all lanes but the first hold sums of nothing, which nobody keeps, or the second lane does.
extern "C" __global__ void half_warp_tree(const int* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    int sum = x[i];
    if (lane < 16) {
        for (int offset = 8; offset > 0; offset /= 2) sum += __shfl_down_sync(0xffffu, sum, offset); // BUG half_warp_tree
    }
    if (lane == 0 || (!repaired && lane == 1)) y[i] = sum; // LATE half_warp_tree
}

// Tiles of eight lanes in which the last two have returned, as thread_block_tile::shfl_down reads them.
extern "C" __global__ void tile_tree(const int* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, rank = threadIdx.x % 8;
    if (rank >= 6) return;
    int sum = x[i];
    for (int offset = 4; offset > 0; offset /= 2) {
        int other = __shfl_down_sync(0xffu << (threadIdx.x & 24), sum, offset, 8); // BUG tile_tree
        if (!repaired || rank + offset < 6) sum += other;
    }
    if (rank == 0) y[i] = sum; // LATE tile_tree
}

// Blocks of 48 threads: the second half of the last warp is not there.
extern "C" __global__ void beyond_the_block(const int* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x;
    int other = __shfl_xor_sync(FULL, x[i], 16); // BUG beyond_the_block
    if (repaired && threadIdx.x >= 32) other = 0;
    y[i] = other; // LATE beyond_the_block
}

// The smaller of two is not thrown away, whatever the other is.
extern "C" __global__ void smallest(const int* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    int least = x[i];
    if (lane < 11) {
        int other = __shfl_down_sync(0x7ffu, least, 8); // BUG smallest
        least = min(least, repaired && lane >= 3 ? least : other);
    }
    y[i] = least; // LATE smallest
}

// The largest value and where it is.
extern "C" __global__ void largest(const float* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    float best = x[i];
    int place = lane;
    if (lane < 11) {
        for (int offset = 8; offset > 0; offset /= 2) {
            float other = __shfl_down_sync(0x7ffu, best, offset); // BUG largest
            int there = __shfl_down_sync(0x7ffu, place, offset);
            if ((!repaired || lane + offset < 11) && other > best) best = other, place = there;
        }
    }
    y[i] = place; // LATE largest
}

// A branch that stores.
extern "C" __global__ void branch(const int* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    y[i] = 0;
    if (lane < 11) {
        int other = __shfl_down_sync(0x7ffu, x[i], 3); // BUG branch
        if ((!repaired || lane < 8) && other > 2) // LATE branch
            atomicAdd(y + i, 5);
    }
}

// An index.
extern "C" __global__ void index_of(const int* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    y[i] = 0;
    if (lane < 11) {
        int other = __shfl_down_sync(0x7ffu, x[i], 3); // BUG index_of
        y[i] = x[repaired && lane >= 8 ? 0 : other & 63]; // LATE index_of
    }
}

// A vote.
extern "C" __global__ void vote(const int* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    y[i] = 0;
    if (lane < 11) {
        int other = __shfl_down_sync(0x7ffu, x[i], 3); // BUG vote
        y[i] = __popc(__ballot_sync(0x7ffu, (!repaired || lane < 8) && other > 2)); // LATE vote
    }
}

// An atomic operation.
extern "C" __global__ void counter(const int* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    if (lane < 11) {
        int other = __shfl_down_sync(0x7ffu, x[i], 3); // BUG counter
        atomicAdd(y + i, repaired && lane >= 8 ? 0 : other); // LATE counter
    }
}

// Shared memory, which others may read.
extern "C" __global__ void shared_store(const int* x, int* y, int repaired) {
    __shared__ int s[64];
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    s[threadIdx.x] = 0;
    if (lane < 11) {
        int other = __shfl_down_sync(0x7ffu, x[i], 3); // BUG shared_store
        if (!repaired || lane < 8) s[threadIdx.x] = other; // LATE shared_store
    }
    __syncthreads();
    y[i] = s[threadIdx.x ^ 1];
}

// An array in local memory, of which one element is read.
extern "C" __global__ void local_array(const int* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32, turn = x[i];
    int held[4] = {1, 2, 3, 4};
    if (lane < 11) {
        for (int k = 0; k < 4; k++) held[(turn + k) & 3] = __shfl_down_sync(0x7ffu, lane * 10, 4 * k); // BUG local_array
    }
    y[i] = held[(turn + (repaired ? 0 : 3)) & 3]; // LATE local_array
}

// Structures that are copied through pointers, of which one member is read.
struct Pair { float first, second; };
__device__ __noinline__ void copy_pair(Pair* to, const Pair* from) { *to = *from; }
extern "C" __global__ void struct_copy(const float* x, float* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    Pair mine = {x[i], x[i]}, copy;
    if (lane < 11) mine.second = __shfl_down_sync(0x7ffu, x[i], 8); // BUG struct_copy
    copy_pair(&copy, &mine);
    y[i] = repaired ? copy.first : copy.second; // LATE struct_copy
}

// Functions that are called, with values and structures.
__device__ __noinline__ int plus(int a, int b) { return a + b; }
__device__ __noinline__ Pair swapped(Pair x) { return {x.second, x.first}; }
extern "C" __global__ void passed_on(const float* x, float* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    int sum = (int)x[i];
    Pair mine = {x[i], 1};
    if (lane < 16) {
        for (int offset = 8; offset > 0; offset /= 2) sum = plus(sum, __shfl_down_sync(0xffffu, sum, offset)); // BUG passed_on
        mine.second = sum;
    }
    Pair other = swapped(mine);
    y[i] = lane == 0 || (!repaired && lane == 1) ? other.first : other.second; // LATE passed_on
}

// A function that lanes come to one after another and meet in, with what they have shuffled before.
__device__ __noinline__ int meeting(int value) {
    __syncwarp(0x7ffu);
    return value + 1;
}
extern "C" __global__ void called_apart(const int* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    int other = -1;
    if (lane < 11) {
        other = __shfl_down_sync(0x7ffu, x[i], 3); // BUG called_apart
#pragma unroll 1
        for (int k = 0; k < 2; k++) {
            if (k == (lane < 8)) other = meeting(other);
        }
    }
    y[i] = repaired && lane >= 8 ? lane : other; // LATE called_apart
}

// A register that later takes a value of its own.
extern "C" __global__ void overwritten(const int* x, int* y, int repaired) {
    int i = blockIdx.x * 64 + threadIdx.x, lane = threadIdx.x % 32;
    int last = 0;
    if (lane < 11) {
        for (int k = 8; k >= repaired - 1 && k >= 0; k--) last = __shfl_down_sync(0x7ffu, x[i], k + 1 - repaired); // BUG overwritten
    }
    y[i] = last; // LATE overwritten
}

// Printed.
extern "C" __global__ void printed(const int* x, int repaired) {
    int lane = threadIdx.x % 32;
    if (lane < 11) {
        int other = __shfl_down_sync(0x7ffu, x[lane], 3); // BUG printed
        if (!repaired || lane == 2) printf("%d and %d\n", lane, other); // LATE printed
    }
}
