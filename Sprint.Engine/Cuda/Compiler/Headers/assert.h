// NVRTC itself declares assert.
#pragma once
