// Attention on tensor cores, what its passes share: rows of one head in shared memory and in fragments, bfloat16, and their products.
// A block has four warps; a tile has 64 rows of HEAD_SIZE channels in chunks of 8 (16 bytes), swizzled. HEAD_SIZE is a multiple of 4: a row's
// last chunk is half zeros where it is no multiple of 8, and is multiplied at depth 8 where the chunks are odd in number, so 72 channels are
// neither padded nor wasted. Where an address of shared memory is 32 bits, offsets fold into the instructions. The rows that a block owns pass once through shared memory into registers; the others stream by, double buffered.
#pragma once

#include "common/rotary_norm.cuh"
#include "common/tensor_core.cuh"

constexpr int threads = 128;
constexpr int tile_rows = 64;
constexpr int chunks = row_chunks<bfloat16>;
constexpr int tile_elements = tile_rows * chunks * 8;
constexpr int tile_bytes = tile_elements * 2;
// Blocks to limit registers for: no more than shared memory has room for, a kilobyte of it reserved for each.
#if defined(__CUDA_ARCH__) && (__CUDA_ARCH__ == 860 || __CUDA_ARCH__ == 890)
constexpr int shared_of_multiprocessor = 100 * 1024;
#else
constexpr int shared_of_multiprocessor = 164 * 1024;
#endif

__device__ constexpr int resident_blocks(int wanted, int shared_bytes) {
    return wanted < shared_of_multiprocessor / (shared_bytes + 1024) ? wanted : shared_of_multiprocessor / (shared_bytes + 1024);
}

constexpr float log2_of_e = 1.4426950408889634f;
constexpr float ln_of_2 = 0.6931471805599453f;

__device__ __forceinline__ float infinity() { return __uint_as_float(0x7f800000u); }

__device__ __forceinline__ float exp2_fast(float x) {
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}

// The shared address of a chunk of a tile.
__device__ __forceinline__ uint32 chunk_address(uint32 tile, int row, int chunk) { return tile + swizzled_chunk<chunks>(row, chunk) * 16; }

// Starts copying ROWS rows, `stride` elements apart, into a tile; zeros from row `count` on. A thread keeps its column and goes down the rows, in
// steps that leave the swizzle as it is.
template <int ROWS>
__device__ __forceinline__ void copy_rows(uint32 tile, const bfloat16* rows, int64 stride, int count) {
    constexpr int piece = HEAD_SIZE % 8 == 0 ? 8 : 4, per_chunk = 8 / piece, pieces = chunks * per_chunk;
    constexpr int abreast = threads / pieces, step = chunks % 2 == 0 && abreast > 8 ? abreast / 8 * 8 : abreast;
    const int first = threadIdx.x / pieces, column = threadIdx.x % pieces;
    if (step * pieces < threads && first >= step) {
        return;
    }
    const bfloat16* source = rows + first * stride + column * piece;
    const uint32 target = tile + column % per_chunk * piece * 2;
    const int valid = HEAD_SIZE % 8 == 0 || column * piece < HEAD_SIZE ? count - first : 0;
#pragma unroll (chunks <= 12 ? 16 : 3)
    for (int i = 0; i < (ROWS + step - 1) / step; i++) {
        if (ROWS % step == 0 || first + i * step < ROWS) {
            copy_async<piece * 2>(chunk_address(target, first + i * step, column / per_chunk), source, i * step < valid);
        }
        source += step * stride;
    }
}

// Writes the first `count` of a warp's 16 rows of a tile to global memory.
__device__ __forceinline__ void store_warp_rows(bfloat16* rows, int64 stride, int count, const bfloat16* tile, int first) {
    constexpr int piece = HEAD_SIZE % 8 == 0 ? 8 : 4, per_chunk = 8 / piece, pieces = HEAD_SIZE / piece;
    const int lane = threadIdx.x % warp_size;
#pragma unroll
    for (int i = 0; i < (16 * pieces + warp_size - 1) / warp_size; i++) {
        const int row = (i * warp_size + lane) / pieces, column = (i * warp_size + lane) % pieces;
        if (row < 16 && row < count) {
            *reinterpret_cast<pack<bfloat16, piece>*>(rows + row * stride + column * piece) = *reinterpret_cast<const pack<bfloat16, piece>*>(
                tile + swizzled_chunk<chunks>(first + row, column / per_chunk) * 8 + column % per_chunk * piece);
        }
    }
}

// 16 rows of a head as the left operand.
struct row_fragments {
    uint32 pairs[chunks / 2 + 1][4];  // two chunks each; the last one is not used
    uint32 odd[2];                    // the last chunk of an odd number
};

__device__ __forceinline__ void load_fragments(row_fragments& rows, uint32 tile, int first) {
    const int lane = threadIdx.x % warp_size;
#pragma unroll
    for (int pair = 0; pair < chunks / 2; pair++) {
        load_matrices(rows.pairs[pair], chunk_address(tile, first + lane % 16, pair * 2 + lane / 16));
    }
    if constexpr (chunks % 2 != 0) {
        load_matrices(rows.odd, chunk_address(tile, first + lane % 16, chunks - 1));
    }
}

template <int M, int N>
__device__ __forceinline__ void clear(float (&c)[M][N][4]) {
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
        for (int n = 0; n < N; n++) {
            c[m][n][0] = c[m][n][1] = c[m][n][2] = c[m][n][3] = 0.0f;
        }
    }
}

// c (16, 8 N) += two chunks of a times the same chunks of rows first .. first + 8 N of the tile, transposed. N is even.
template <int M, int N, typename Left>
__device__ __forceinline__ void multiply_pair(float (&c)[M][N][4], Left left, uint32 tile, int first, int pair) {
    const int lane = threadIdx.x % warp_size;
#pragma unroll
    for (int n = 0; n < N; n += 2) {
        uint32 b[4];
        const int row = first + n * 8 + lane / 16 * 8 + lane % 8;
        load_matrices(b, chunk_address(tile, row, pair * 2 + lane / 8 % 2));
#pragma unroll
        for (int m = 0; m < M; m++) {
            multiply_add(c[m][n], left(m), b[0], b[1]);
            multiply_add(c[m][n + 1], left(m), b[2], b[3]);
        }
    }
}

// The same with the last chunk of an odd number.
template <int M, int N, typename Left>
__device__ __forceinline__ void multiply_odd(float (&c)[M][N][4], Left left, uint32 tile, int first) {
    constexpr int together = N % 4 == 0 ? 4 : 2;
    const int lane = threadIdx.x % warp_size;
#pragma unroll
    for (int n = 0; n < N; n += together) {
        uint32 b[together];
        load_matrices(b, chunk_address(tile, first + n * 8 + lane % (8 * together), chunks - 1));
#pragma unroll
        for (int m = 0; m < M; m++) {
#pragma unroll
            for (int i = 0; i < together; i++) {
                multiply_add(c[m][n + i], left(m), b[i]);
            }
        }
    }
}

// c (16 M, 8 N) = a (16 M, HEAD_SIZE) times the transpose of rows first .. first + 8 N of the tile.
template <int M, int N>
__device__ __forceinline__ void multiply_rows(float (&c)[M][N][4], const row_fragments (&a)[M], uint32 tile, int first) {
    clear(c);
#pragma unroll
    for (int pair = 0; pair < chunks / 2; pair++) {
        multiply_pair(c, [&](int m) -> const uint32 (&)[4] { return a[m].pairs[pair]; }, tile, first, pair);
    }
    if constexpr (chunks % 2 != 0) {
        multiply_odd(c, [&](int m) -> const uint32 (&)[2] { return a[m].odd; }, tile, first);
    }
}

// The same with a in shared memory, 16 rows of another tile: for heads that leave no registers for it.
template <int N>
__device__ __forceinline__ void multiply_rows(float (&c)[1][N][4], uint32 a_tile, int a_first, uint32 tile, int first) {
    const int lane = threadIdx.x % warp_size;
    clear(c);
#pragma unroll
    for (int pair = 0; pair < chunks / 2; pair++) {
        uint32 a[4];
        load_matrices(a, chunk_address(a_tile, a_first + lane % 16, pair * 2 + lane / 16));
        multiply_pair(c, [&](int) -> const uint32 (&)[4] { return a; }, tile, first, pair);
    }
    if constexpr (chunks % 2 != 0) {
        uint32 a[2];
        load_matrices(a, chunk_address(a_tile, a_first + lane % 16, chunks - 1));
        multiply_odd(c, [&](int) -> const uint32 (&)[2] { return a; }, tile, first);
    }
}

// c (16 M, HEAD_SIZE) += a (16 M, 16) times rows first .. first + 16 of the tile.
template <int M>
__device__ __forceinline__ void accumulate_rows(float (&c)[M][chunks][4], const uint32 (&a)[M][4], uint32 tile, int first) {
    const int lane = threadIdx.x % warp_size;
    const int row = first + lane % 16;
#pragma unroll
    for (int chunk = 0; chunk + 1 < chunks; chunk += 2) {
        uint32 b[4];
        load_matrices_transposed(b, chunk_address(tile, row, chunk + lane / 16));
#pragma unroll
        for (int m = 0; m < M; m++) {
            multiply_add(c[m][chunk], a[m], b[0], b[1]);
            multiply_add(c[m][chunk + 1], a[m], b[2], b[3]);
        }
    }
    if constexpr (chunks % 2 != 0) {
        uint32 b[2];
        load_matrices_transposed(b, chunk_address(tile, row, chunks - 1));
#pragma unroll
        for (int m = 0; m < M; m++) {
            multiply_add(c[m][chunks - 1], a[m], b[0], b[1]);
        }
    }
}

// Two neighbouring 16 x 8 results as the left operand of the next product, 16 deep.
__device__ __forceinline__ void pack_operand(uint32 (&a)[4], const float (&left)[4], const float (&right)[4]) {
    a[0] = pack_bfloat16(left[0], left[1]);
    a[1] = pack_bfloat16(left[2], left[3]);
    a[2] = pack_bfloat16(right[0], right[1]);
    a[3] = pack_bfloat16(right[2], right[3]);
}

// Writes 16 rows of results, times `upper` (rows 0 to 7) and `lower` (8 to 15), into a tile as bfloat16.
__device__ __forceinline__ void store_fragments(bfloat16* tile, int first, const float (&c)[chunks][4], float upper, float lower) {
    const int group = threadIdx.x % warp_size / 4, member = threadIdx.x % 4;
#pragma unroll
    for (int chunk = 0; chunk < chunks; chunk++) {
        uint32* place = reinterpret_cast<uint32*>(tile + swizzled_chunk<chunks>(first + group, chunk) * 8) + member;
        uint32* below = reinterpret_cast<uint32*>(tile + swizzled_chunk<chunks>(first + group + 8, chunk) * 8) + member;
        *place = pack_bfloat16(c[chunk][0] * upper, c[chunk][1] * upper);
        *below = pack_bfloat16(c[chunk][2] * lower, c[chunk][3] * lower);
    }
}

// The same as float32, in a tile of float32 chunks.
__device__ __forceinline__ void store_fragments(float* tile, int first, const float (&c)[chunks][4], float factor) {
    constexpr int float_chunks = row_chunks<float>;
    const int group = threadIdx.x % warp_size / 4, member = threadIdx.x % 4;
#pragma unroll
    for (int chunk = 0; chunk < chunks; chunk++) {
        const int part = chunk * 2 + member / 2;
        if (HEAD_SIZE % 8 == 0 || part < float_chunks) {
            float2* place = reinterpret_cast<float2*>(tile + swizzled_chunk<float_chunks>(first + group, part) * 4) + member % 2;
            float2* below = reinterpret_cast<float2*>(tile + swizzled_chunk<float_chunks>(first + group + 8, part) * 4) + member % 2;
            *place = make_float2(c[chunk][0] * factor, c[chunk][1] * factor);
            *below = make_float2(c[chunk][2] * factor, c[chunk][3] * factor);
        }
    }
}
