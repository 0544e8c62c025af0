// Images (B, C, H, W) to tokens (B, N, C patch^2) and back. SPRINT.md section 2. Elements stored as ELEMENT (float or bfloat16) are moved, not computed.
// Token n at grid (h, w), row-major, holds over (c, p1, p2), in that order, pixel (c, h patch + p1, w patch + p2).
//   patches_from_image    tokens, overwritten
//   image_from_patches    image, overwritten
// Each is the other's gradient. One thread an element of the output, so that writes follow each other; what is read lies in runs of `patch`.
// Launch: one-dimensional, threads in all at least count = B C H W.

#include "common/types.cuh"

#ifndef ELEMENT
#define ELEMENT float
#endif

extern "C" __global__ void __launch_bounds__(256) patches_from_image(
    const ELEMENT* __restrict__ image, ELEMENT* __restrict__ tokens, int64 count, int channels, int height, int width, int patch) {
    const int64 element = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (element >= count) {
        return;
    }
    const int features = channels * patch * patch;
    const int columns = width / patch;
    const int64 token = element / features;
    const int feature = static_cast<int>(element % features);
    const int64 row = token / columns;
    const int rows = height / patch;
    const int x = static_cast<int>(token % columns) * patch + feature % patch;
    const int y = static_cast<int>(row % rows) * patch + feature / patch % patch;
    const int channel = feature / (patch * patch);
    tokens[element] = image[((row / rows * channels + channel) * height + y) * width + x];
}

extern "C" __global__ void __launch_bounds__(256) image_from_patches(
    const ELEMENT* __restrict__ tokens, ELEMENT* __restrict__ image, int64 count, int channels, int height, int width, int patch) {
    const int64 element = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (element >= count) {
        return;
    }
    const int x = static_cast<int>(element % width);
    const int64 line = element / width;
    const int y = static_cast<int>(line % height);
    const int64 plane = line / height;
    const int channel = static_cast<int>(plane % channels);
    const int64 token = (plane / channels * (height / patch) + y / patch) * (width / patch) + x / patch;
    const int feature = (channel * patch + y % patch) * patch + x % patch;
    image[element] = tokens[token * (channels * patch * patch) + feature];
}
