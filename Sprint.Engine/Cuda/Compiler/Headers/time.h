// NVRTC itself declares clock and clock_t.
#pragma once
