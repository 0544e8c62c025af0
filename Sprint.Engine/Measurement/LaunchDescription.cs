using Sprint.Engine.Cuda;

namespace Sprint.Engine.Measurement;

/// <summary>One launch of one of the engine's kernels.</summary>
/// <param name="Specialization">The source and its macros.</param>
/// <param name="Kernel">The kernel's name.</param>
/// <param name="Grid">Blocks.</param>
/// <param name="Block">Threads a block.</param>
/// <param name="DynamicSharedBytes">Bytes of dynamic shared memory a block.</param>
public readonly record struct LaunchDescription(KernelSpecialization Specialization, string Kernel, Dim3 Grid, Dim3 Block, int DynamicSharedBytes);
