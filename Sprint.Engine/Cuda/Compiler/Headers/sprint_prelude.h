// Names of the system's C library that files use without an include, since nvcc includes its headers before every file.
#pragma once
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
