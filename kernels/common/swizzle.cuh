// Where a tile's chunks of 16 bytes lie in shared memory, so that neither eight rows of one chunk (ldmatrix, a phase of a warp's 16-byte
// accesses) nor eight chunks of one row meet in a bank. Rows follow each other without padding; eight chunks span the 32 banks.
#pragma once

#include "common/types.cuh"

// Rows of CHUNKS chunks. An odd CHUNKS spreads the rows by itself; otherwise rows that start at the same bank differ in the chunk's lowest
// bits, exchanged by an exclusive or with the row: within gcd(CHUNKS, 8) chunks, so a chunk stays in its row.
template <int CHUNKS>
__device__ __forceinline__ constexpr int swizzled_chunk(int row, int chunk) {
    constexpr int together = CHUNKS % 8 == 0 ? 8 : CHUNKS % 4 == 0 ? 4 : CHUNKS % 2 == 0 ? 2 : 1;
    return row * CHUNKS + (chunk ^ (row / (8 / together) % together));
}
