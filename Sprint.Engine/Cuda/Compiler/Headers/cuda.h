// The declarations of the driver are host code, which NVRTC refuses.
#pragma once
