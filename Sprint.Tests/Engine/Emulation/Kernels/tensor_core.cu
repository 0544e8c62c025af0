// One launch of a warp for each wrapper of common/tensor_core.cuh.
#include "common/swizzle.cuh"
#include "common/tensor_core.cuh"

#ifndef TILE_CHUNKS
#define TILE_CHUNKS 9
#endif

// c (16, 8) = a (16, depth) b (8, depth)^T, depth = 8 TILE_CHUNKS, both stored along the depth; TRANSPOSED: b (depth, 8).
template <bool TRANSPOSED>
__device__ void product(const bfloat16* a, const bfloat16* b, float* c) {
    __shared__ uint4 tile_a[16 * TILE_CHUNKS], tile_b[8 * TILE_CHUNKS];
    const int lane = threadIdx.x;
    for (int i = lane; i < 16 * TILE_CHUNKS; i += 32) {
        copy_async<16>(shared_address(tile_a + swizzled_chunk<TILE_CHUNKS>(i / TILE_CHUNKS, i % TILE_CHUNKS)), a + i * 8, true);
    }
    commit_copies();
    for (int i = lane; i < 8 * TILE_CHUNKS; i += 32) {
        copy_async<16>(shared_address(tile_b + (TRANSPOSED ? i : swizzled_chunk<TILE_CHUNKS>(i / TILE_CHUNKS, i % TILE_CHUNKS))), b + i * 8, true);
    }
    commit_copies();
    wait_copies<0>();
    __syncwarp();
    float sums[4] = {};
    for (int chunk = 0; chunk < TILE_CHUNKS; chunk += 2) {
        if (chunk + 1 < TILE_CHUNKS) {
            uint32 left[4], right[2];
            load_matrices(left, shared_address(tile_a + swizzled_chunk<TILE_CHUNKS>(lane % 16, chunk + lane / 16)));
            if (TRANSPOSED) {
                load_matrices_transposed(right, shared_address(tile_b + chunk * 8 + lane % 16));
            } else {
                load_matrices(right, shared_address(tile_b + swizzled_chunk<TILE_CHUNKS>(lane % 8, chunk + lane / 8 % 2)));
            }
            multiply_add(sums, left, right[0], right[1]);
        } else {
            uint32 left[2], right[1];
            load_matrices(left, shared_address(tile_a + swizzled_chunk<TILE_CHUNKS>(lane % 16, chunk)));
            if (TRANSPOSED) {
                uint32 both[2];
                load_matrices_transposed(both, shared_address(tile_b + chunk * 8 + lane % 8));
                right[0] = both[0];
            } else {
                load_matrices(right, shared_address(tile_b + swizzled_chunk<TILE_CHUNKS>(lane % 8, chunk)));
            }
            multiply_add(sums, left, right[0]);
        }
    }
    const int row = lane / 4, column = lane % 4 * 2;
    c[row * 8 + column] = sums[0];
    c[row * 8 + column + 1] = sums[1];
    c[(row + 8) * 8 + column] = sums[2];
    c[(row + 8) * 8 + column + 1] = sums[3];
}

extern "C" __global__ void product_along_depth(const bfloat16* a, const bfloat16* b, float* c) { product<false>(a, b, c); }

extern "C" __global__ void product_along_columns(const bfloat16* a, const bfloat16* b, float* c) { product<true>(a, b, c); }

// out[m * 32 + lane] = register m of four matrices, whose row r of matrix m is in[(m * 8 + r) * 8 ...].
template <bool TRANSPOSED>
__device__ void load_four(const uint4* in, uint32* out) {
    __shared__ uint4 rows[32];
    rows[threadIdx.x] = in[threadIdx.x];
    __syncwarp();
    uint32 registers[4];
    if (TRANSPOSED) {
        load_matrices_transposed(registers, shared_address(rows + threadIdx.x));
    } else {
        load_matrices(registers, shared_address(rows + threadIdx.x));
    }
    for (int m = 0; m < 4; m++) {
        out[m * 32 + threadIdx.x] = registers[m];
    }
}

extern "C" __global__ void matrices_load(const uint4* in, uint32* out) { load_four<false>(in, out); }

extern "C" __global__ void matrices_load_transposed(const uint4* in, uint32* out) { load_four<true>(in, out); }

// Lane i copies BYTES from in + i * BYTES, those from `valid` on as zeros, in two groups of which the first is waited for first.
template <int BYTES>
__device__ void copy(const unsigned char* in, unsigned char* out, int valid) {
    __shared__ alignas(16) unsigned char tile[2][32 * BYTES];
    const int place = threadIdx.x * BYTES;
    for (int group = 0; group < 2; group++) {
        const bool is_valid = static_cast<int>(threadIdx.x) < valid;
        copy_async<BYTES>(shared_address(tile[group] + place), is_valid ? in + group * 32 * BYTES + place : nullptr, is_valid);
        commit_copies();
    }
    wait_copies<1>();
    for (int i = 0; i < BYTES; i++) {
        out[place + i] = tile[0][place + i];
    }
    wait_copies<0>();
    for (int i = 0; i < BYTES; i++) {
        out[32 * BYTES + place + i] = tile[1][place + i];
    }
}

extern "C" __global__ void copy_4(const unsigned char* in, unsigned char* out, int valid) { copy<4>(in, out, valid); }

extern "C" __global__ void copy_8(const unsigned char* in, unsigned char* out, int valid) { copy<8>(in, out, valid); }

extern "C" __global__ void copy_16(const unsigned char* in, unsigned char* out, int valid) { copy<16>(in, out, valid); }

// Reads what is still under way: the emulator must say so.
extern "C" __global__ void copy_without_wait(const unsigned char* in, unsigned char* out) {
    __shared__ alignas(16) unsigned char tile[512];
    copy_async<16>(shared_address(tile + threadIdx.x * 16), in + threadIdx.x * 16, true);
    commit_copies();
    out[threadIdx.x] = tile[threadIdx.x * 16];
}

extern "C" __global__ void pack_and_unpack(const float2* in, uint32* packed, float2* unpacked) {
    const float2 pair = in[threadIdx.x];
    packed[threadIdx.x] = pack_bfloat16(pair.x, pair.y);
    unpacked[threadIdx.x] = unpack_bfloat16(packed[threadIdx.x]);
}

// Eight chunks of each row, then eight rows of each chunk, read 16 bytes a lane: no bank conflict.
extern "C" __global__ void swizzle_read(uint4* out) {
    __shared__ uint4 tile[32 * TILE_CHUNKS];
    for (int i = threadIdx.x; i < 32 * TILE_CHUNKS; i += 32) {
        tile[swizzled_chunk<TILE_CHUNKS>(i / TILE_CHUNKS, i % TILE_CHUNKS)] = make_uint4(i, i, i, i);
    }
    __syncwarp();
    for (int chunk = 0; chunk < TILE_CHUNKS; chunk++) {
        out[chunk * 32 + threadIdx.x] = tile[swizzled_chunk<TILE_CHUNKS>(threadIdx.x, chunk)];
    }
}
