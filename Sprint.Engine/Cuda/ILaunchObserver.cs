namespace Sprint.Engine.Cuda;

/// <summary>Sees each kernel that is put into a stream of a context: for measurements. It may put work of its own before and behind it.</summary>
internal interface ILaunchObserver
{
    /// <summary>Called before a launch is put into its stream.</summary>
    /// <param name="stream">The stream.</param>
    void Launching(CudaStream stream);

    /// <summary>Called when a launch has been put into its stream.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="block">Threads a block.</param>
    /// <param name="dynamicSharedBytes">Bytes of dynamic shared memory a block.</param>
    void Launched(CudaKernel kernel, CudaStream stream, Dim3 grid, Dim3 block, int dynamicSharedBytes);
}
