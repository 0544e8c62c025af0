// NVRTC itself declares malloc, free and abs.
#pragma once
#include <stddef.h>
