// NVRTC itself declares size_t, ptrdiff_t and NULL.
#pragma once

#ifndef offsetof
#define offsetof(type, member) ((size_t)&((type*)0)->member)
#endif
