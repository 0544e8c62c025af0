// Tensor cores and asynchronous copies: compute capability 8.0, PTX ISA 7.8 (mma.sync, ldmatrix, cp.async).
// bfloat16 operands, float32 sums. With lane = 4 g + q (g 0..7, q 0..3) a warp holds
//   A (16 x 16)  a[0] row g, columns 2q, 2q+1; a[1] row g+8; a[2], a[3] the same rows, columns 8 further. (16 x 8): a[0], a[1] alone.
//   B (16 x 8)   b[0] rows 2q, 2q+1 of column g; b[1] rows 8 further.                                      (8 x 8):  b[0] alone.
//   C (16 x 8)   c[0], c[1] row g, columns 2q, 2q+1; c[2], c[3] row g+8.
// The lower half of a register is the element with the lower index.
#pragma once

#include "common/types.cuh"

// The address of shared memory as the instructions below take it.
__device__ __forceinline__ uint32 shared_address(const void* pointer) { return static_cast<uint32>(__cvta_generic_to_shared(pointer)); }

// c += a b, 16 x 8 x 16.
__device__ __forceinline__ void multiply_add(float (&c)[4], const uint32 (&a)[4], uint32 b0, uint32 b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// c += a b, 16 x 8 x 8: half the depth, for a width that is an odd multiple of 8.
__device__ __forceinline__ void multiply_add(float (&c)[4], const uint32 (&a)[2], uint32 b0) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(b0));
}

// Four 8 x 8 matrices of 16-bit elements from shared memory, or two, or one. Lane 8 m + r gives the address of row r of matrix m, 16 bytes,
// aligned to 16; lane 4 g + q receives elements 2q, 2q+1 of row g of each. Lanes beyond the last matrix give any address.
// A and a transposed B stored along their depth load so; see load_matrices_transposed for a B that is stored along its columns.
__device__ __forceinline__ void load_matrices(uint32 (&r)[4], uint32 row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(row)
                 : "memory");
}

__device__ __forceinline__ void load_matrices(uint32 (&r)[2], uint32 row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];" : "=r"(r[0]), "=r"(r[1]) : "r"(row) : "memory");
}

__device__ __forceinline__ void load_matrices(uint32 (&r)[1], uint32 row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(r[0]) : "r"(row) : "memory");
}

// The same, each matrix transposed: lane 4 g + q receives elements g of rows 2q, 2q+1.
__device__ __forceinline__ void load_matrices_transposed(uint32 (&r)[4], uint32 row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(row)
                 : "memory");
}

__device__ __forceinline__ void load_matrices_transposed(uint32 (&r)[2], uint32 row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];" : "=r"(r[0]), "=r"(r[1]) : "r"(row) : "memory");
}

// Starts the copy of BYTES (4, 8 or 16; 16 pass by the L1 cache) from global to shared memory, both aligned to BYTES. Where `valid` is false
// nothing is read and zeros are written. The thread's own copies have arrived after wait_copies, those of others after a barrier behind it.
template <int BYTES>
__device__ __forceinline__ void copy_async(uint32 target, const void* source, bool valid) {
    static_assert(BYTES == 4 || BYTES == 8 || BYTES == 16, "cp.async copies 4, 8 or 16 bytes");
    if constexpr (BYTES == 16) {
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(source), "r"(valid ? 16 : 0) : "memory");
    } else {
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(target), "l"(source), "n"(BYTES), "r"(valid ? BYTES : 0) : "memory");
    }
}

// Closes the thread's current group of copies.
__device__ __forceinline__ void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until at most PENDING of the thread's newest groups are still under way.
template <int PENDING>
__device__ __forceinline__ void wait_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
}
