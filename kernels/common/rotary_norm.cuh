// RMS norm and 2-D rotary embedding of rows of one head in shared memory, and their gradients.
//   xn = x / sqrt(mean(x^2) + 1e-6), y = turn(xn weight): channels (2j, 2j+1) become (a cos - b sin, b cos + a sin), the angle
//   from row `position` of the tables (positions, HEAD_SIZE / 2), float32. Without a weight there is no norm: xn = x, y = turn(x).
// Rows lie in tiles of chunks of 16 bytes (common/swizzle.cuh). Two lanes have a row, each every other chunk; the 32 lanes of a warp have
// 16 rows, so placed that eight neighbouring lanes touch eight rows: no bank conflicts. Sums in float32, in an order that is always the same.
// HEAD_SIZE, a multiple of 4, is defined by who includes this.
#pragma once

#include "common/packs.cuh"
#include "common/reductions.cuh"
#include "common/swizzle.cuh"
#include "common/tensor_core.cuh"

constexpr float norm_epsilon = 1e-6f;

// Chunks of a row of T; the last is half filled where HEAD_SIZE is no multiple of a chunk, and its other half must be zeros.
template <typename T>
constexpr int row_chunks = (HEAD_SIZE + pack_of<T>::widest - 1) / pack_of<T>::widest;

struct rotary_norm {
    const float* weight;  // (HEAD_SIZE), or null
    const float* cosines;
    const float* sines;
};

// The row among 16 rows a warp, and which of its two lanes, a thread is.
__device__ __forceinline__ int thread_row() { return threadIdx.x / warp_size * 16 + threadIdx.x % 8 + threadIdx.x % warp_size / 16 * 8; }

__device__ __forceinline__ int thread_half() { return threadIdx.x / 8 % 2; }

__device__ __forceinline__ float both_halves_sum(float value) { return value + __shfl_xor_sync(full_warp, value, 8); }

// The row in the tables of a token of the sample whose first row is given; 0 beyond the last token.
__device__ __forceinline__ int token_position(const int32* ids, int64 first_row, int token, int tokens) {
    return token >= tokens ? 0 : ids == nullptr ? token : ids[first_row + token];
}

// A chunk in shared memory as floats.
__device__ __forceinline__ void load_chunk(const float* tile, int place, float (&values)[4]) { load_pack<4>(tile + place * 4, values); }

__device__ __forceinline__ void store_chunk(float* tile, int place, const float (&values)[4]) { store_pack<4>(tile + place * 4, values); }

__device__ __forceinline__ void load_chunk(const bfloat16* tile, int place, float (&values)[8]) {
    const uint4 words = reinterpret_cast<const uint4*>(tile)[place];
    const float2 pairs[4] = {unpack_bfloat16(words.x), unpack_bfloat16(words.y), unpack_bfloat16(words.z), unpack_bfloat16(words.w)};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        values[2 * i] = pairs[i].x;
        values[2 * i + 1] = pairs[i].y;
    }
}

__device__ __forceinline__ void store_chunk(bfloat16* tile, int place, const float (&values)[8]) {
    reinterpret_cast<uint4*>(tile)[place] = make_uint4(
        pack_bfloat16(values[0], values[1]), pack_bfloat16(values[2], values[3]), pack_bfloat16(values[4], values[5]),
        pack_bfloat16(values[6], values[7]));
}

// The part of a row of HEAD_SIZE (or half as many) floats that belongs to a chunk; zeros beyond its end.
template <int COUNT, int LENGTH>
__device__ __forceinline__ void load_floats(const float* row, int first, float (&values)[COUNT]) {
    if constexpr (LENGTH % COUNT == 0) {
        load_pack<COUNT>(row + first, values);
    } else {
        float low[COUNT / 2], high[COUNT / 2] = {};
        load_pack<COUNT / 2>(row + first, low);
        if (first + COUNT / 2 < LENGTH) {
            load_pack<COUNT / 2>(row + first + COUNT / 2, high);
        }
#pragma unroll
        for (int i = 0; i < COUNT / 2; i++) {
            values[i] = low[i];
            values[COUNT / 2 + i] = high[i];
        }
    }
}

// Applies body to each chunk of a row that the thread has, its number and its place in the tile: every other one, so that the two lanes read
// neighbours. ABREAST at a time: more loads are under way, and more registers are taken from what is held meanwhile.
template <typename T, int ABREAST, typename Body>
__device__ __forceinline__ void for_chunks(int row, Body body) {
    constexpr int chunks = row_chunks<T>;
    const int half = thread_half();
#pragma unroll ABREAST
    for (int chunk = 0; chunk + 1 < chunks; chunk += 2) {
        body(chunk + half, swizzled_chunk<chunks>(row, chunk + half));
    }
    if (chunks % 2 != 0 && half == 0) {
        body(chunks - 1, swizzled_chunk<chunks>(row, chunks - 1));
    }
}

// 1 / root of the mean square of the thread's row; 1 without a norm. All lanes of the warp must call.
template <int ABREAST, typename T>
__device__ __forceinline__ float inverse_root(const T* tile, int row, const float* weight) {
    constexpr int count = pack_of<T>::widest;
    float sum = 0.0f;
    if (weight != nullptr) {
        for_chunks<T, ABREAST>(row, [&](int, int place) {
            float x[count];
            load_chunk(tile, place, x);
#pragma unroll
            for (int i = 0; i < count; i++) {
                sum = fmaf(x[i], x[i], sum);
            }
        });
    }
    sum = both_halves_sum(sum);
    return weight == nullptr ? 1.0f : rsqrtf(sum * (1.0f / HEAD_SIZE) + norm_epsilon);
}

// Normalises and turns the thread's row of a tile in place.
template <int ABREAST = 2, typename T>
__device__ __forceinline__ void rotate_row(T* tile, int row, int position, const rotary_norm& by) {
    constexpr int count = pack_of<T>::widest;
    const float inverse = inverse_root<ABREAST>(tile, row, by.weight);
    const int64 angles = static_cast<int64>(position) * (HEAD_SIZE / 2);
    for_chunks<T, ABREAST>(row, [&](int chunk, int place) {
        float x[count], cosines[count / 2], sines[count / 2];
        load_chunk(tile, place, x);
        load_floats<count / 2, HEAD_SIZE / 2>(by.cosines + angles, chunk * (count / 2), cosines);
        load_floats<count / 2, HEAD_SIZE / 2>(by.sines + angles, chunk * (count / 2), sines);
        if (by.weight != nullptr) {
            float weight[count];
            load_floats<count, HEAD_SIZE>(by.weight, chunk * count, weight);
#pragma unroll
            for (int i = 0; i < count; i++) {
                x[i] *= inverse * weight[i];
            }
        }
#pragma unroll
        for (int i = 0; i < count / 2; i++) {
            const float a = x[2 * i], b = x[2 * i + 1];
            x[2 * i] = fmaf(a, cosines[i], -(b * sines[i]));
            x[2 * i + 1] = fmaf(b, cosines[i], a * sines[i]);
        }
        store_chunk(tile, place, x);
    });
}

// From the gradient of the turned row, float32 in a tile of its own, to that of x, which replaces x in its tile. The products g xn, whose sum
// over rows is the weight's gradient, replace the gradient; those of a row that is not `valid` are zeros.
template <typename T>
__device__ __forceinline__ void rotate_row_backward(T* tile, float* gradient_tile, int row, int position, bool valid, const rotary_norm& by) {
    constexpr int ABREAST = 2, count = pack_of<T>::widest, float_chunks = row_chunks<float>, parts = count / 4;
    const float inverse = inverse_root<ABREAST>(tile, row, by.weight);
    const int64 angles = static_cast<int64>(position) * (HEAD_SIZE / 2);
    // The turned-back gradient of a chunk, times the weight; the products go to the gradient's tile when `keep` is set.
    const auto project = [&](int chunk, int place, float (&x)[count], float (&g)[count], bool keep) {
        float cosines[count / 2], sines[count / 2];
        load_chunk(tile, place, x);
        load_floats<count / 2, HEAD_SIZE / 2>(by.cosines + angles, chunk * (count / 2), cosines);
        load_floats<count / 2, HEAD_SIZE / 2>(by.sines + angles, chunk * (count / 2), sines);
#pragma unroll
        for (int part = 0; part < parts; part++) {
            float four[4] = {};
            if (HEAD_SIZE % count == 0 || chunk * parts + part < float_chunks) {
                load_pack<4>(gradient_tile + swizzled_chunk<float_chunks>(row, chunk * parts + part) * 4, four);
            }
#pragma unroll
            for (int i = 0; i < 2; i++) {
                const float a = valid ? four[2 * i] : 0.0f, b = valid ? four[2 * i + 1] : 0.0f;
                const float cosine = cosines[part * 2 + i], sine = sines[part * 2 + i];
                g[part * 4 + 2 * i] = fmaf(a, cosine, b * sine);
                g[part * 4 + 2 * i + 1] = fmaf(b, cosine, -(a * sine));
            }
        }
        if (by.weight == nullptr) {
            return;
        }
        float weight[count];
        load_floats<count, HEAD_SIZE>(by.weight, chunk * count, weight);
#pragma unroll
        for (int part = 0; part < parts; part++) {
            float product[4];
#pragma unroll
            for (int i = 0; i < 4; i++) {
                x[part * 4 + i] *= inverse;
                product[i] = g[part * 4 + i] * x[part * 4 + i];
                g[part * 4 + i] *= weight[part * 4 + i];
            }
            if (keep && (HEAD_SIZE % count == 0 || chunk * parts + part < float_chunks)) {
                store_pack<4>(gradient_tile + swizzled_chunk<float_chunks>(row, chunk * parts + part) * 4, product);
            }
        }
    };
    float mean = 0.0f;
    if (by.weight != nullptr) {
        for_chunks<T, ABREAST>(row, [&](int chunk, int place) {
            float x[count], g[count];
            project(chunk, place, x, g, false);
#pragma unroll
            for (int i = 0; i < count; i++) {
                mean = fmaf(g[i], x[i], mean);
            }
        });
    }
    mean = both_halves_sum(mean) * (1.0f / HEAD_SIZE);
    for_chunks<T, ABREAST>(row, [&](int chunk, int place) {
        float x[count], g[count];
        project(chunk, place, x, g, true);
#pragma unroll
        for (int i = 0; i < count; i++) {
            g[i] = inverse * fmaf(-mean, x[i], g[i]);
        }
        store_chunk(tile, place, g);
    });
}
