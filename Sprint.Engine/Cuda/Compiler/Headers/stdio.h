// NVRTC itself declares printf.
#pragma once
