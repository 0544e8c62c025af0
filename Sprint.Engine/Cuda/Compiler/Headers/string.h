// NVRTC itself declares memcpy and memset.
#pragma once
#include <stddef.h>
