// __dp4a and __dp2a, sums of products of bytes and halves: NVRTC 11.8 declares them and defines none. As templates they give way to definitions
// that a file has for itself; the toolkit's, which files include to have any, are then left out.
#pragma once
#define __SM_61_INTRINSICS_HPP__

#define SPRINT_DOT_PRODUCT(name, instruction, left, right, number, type)                                                  \
    template <int = 0>                                                                                                    \
    __device__ __forceinline__ number name(left a, right b, number c) {                                                   \
        static_assert(sizeof(left) == 4 && sizeof(right) == 4, "a register each");                                        \
        asm(instruction "." type "." type " %0, %1, %2, %0;" : "+r"(c) : "r"(reinterpret_cast<unsigned&>(a)), "r"(reinterpret_cast<unsigned&>(b))); \
        return c;                                                                                                         \
    }

#define SPRINT_DOT_PRODUCTS(name, instruction, signed_left, signed_right, unsigned_left, unsigned_right)       \
    SPRINT_DOT_PRODUCT(name, instruction, int, int, int, "s32")                                                \
    SPRINT_DOT_PRODUCT(name, instruction, unsigned, unsigned, unsigned, "u32")                                 \
    SPRINT_DOT_PRODUCT(name, instruction, signed_left, signed_right, int, "s32")                               \
    SPRINT_DOT_PRODUCT(name, instruction, unsigned_left, unsigned_right, unsigned, "u32")

SPRINT_DOT_PRODUCTS(sprint_dp4a, "dp4a", char4, char4, uchar4, uchar4)
SPRINT_DOT_PRODUCTS(sprint_dp2a_lo, "dp2a.lo", short2, char4, ushort2, uchar4)
SPRINT_DOT_PRODUCTS(sprint_dp2a_hi, "dp2a.hi", short2, char4, ushort2, uchar4)

#undef SPRINT_DOT_PRODUCTS
#undef SPRINT_DOT_PRODUCT
#define __dp4a sprint_dp4a
#define __dp2a_lo sprint_dp2a_lo
#define __dp2a_hi sprint_dp2a_hi
