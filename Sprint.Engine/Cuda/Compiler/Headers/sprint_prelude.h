// Names and constants of the system's C library that files use without an include, since nvcc includes its headers before every file.
#pragma once
#include "math.h"
#include "sprint_dot_products.h"
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;

// Its address, with the type of an extern "C" kernel as argument, is a name that tells the kernel's parameters.
template <typename Kernel>
__device__ char sprint_signature;
