namespace Sprint.Engine.Cuda;

/// <summary>
/// The one seam between the engine and what runs kernels: a GPU behind libcuda, or an emulator of one. Nothing above it can tell which.
/// Members other than the first group need a current context (<see cref="PushContext"/>) and may be called from any thread.
/// Copies, fills and launches are ordered by their stream and may still run when the call returns; host memory given to an
/// asynchronous copy must stay in place until the stream has passed it. Every failure is a <see cref="SprintException"/>, of a GPU a <see cref="CudaException"/>;
/// a failure of an asynchronous operation may be thrown by any later call.
/// </summary>
internal interface ICudaDriver
{
    /// <summary>"cuda" or "emulated".</summary>
    string Name { get; }

    /// <summary>The CUDA version that the driver implements.</summary>
    Version DriverVersion { get; }

    /// <summary>How many devices there are; their ordinals count from 0.</summary>
    int DeviceCount { get; }

    /// <summary>What is to be known of a device.</summary>
    CudaDeviceProperties GetDeviceProperties(int ordinal);

    /// <summary>Retains the device's primary context, which all users of the device in this process share.</summary>
    ContextHandle RetainContext(int ordinal);

    /// <summary>Lets go of the device's primary context.</summary>
    void ReleaseContext(int ordinal);

    /// <summary>Makes the context the calling thread's current one.</summary>
    void PushContext(ContextHandle context);

    /// <summary>Restores the context that was current before the last push. Never throws.</summary>
    void PopContext();

    /// <summary>Waits for everything in the current context.</summary>
    void SynchronizeContext();

    /// <summary>Free and total bytes of the device's memory.</summary>
    CudaMemoryInformation GetMemoryInformation();

    /// <summary>Loads a cubin, or PTX text (with or without a closing zero byte).</summary>
    /// <param name="image">The image.</param>
    /// <param name="name">Where it comes from, for errors.</param>
    DeviceModuleHandle LoadModule(ReadOnlySpan<byte> image, string name);

    /// <summary>Unloads a module.</summary>
    void UnloadModule(DeviceModuleHandle module);

    /// <summary>Looks up an entry point by its exact (mangled) name.</summary>
    FunctionHandle GetFunction(DeviceModuleHandle module, string entryPoint);

    /// <summary>Looks up a __device__ or __constant__ variable by its exact name.</summary>
    bool TryGetGlobal(DeviceModuleHandle module, string variable, out DevicePointer pointer, out long bytes);

    /// <summary>The layout of the entry point's argument block, or null where the image does not tell.</summary>
    KernelParameter[]? GetParameters(DeviceModuleHandle module, FunctionHandle function, string entryPoint);

    /// <summary>Reads an attribute of a function.</summary>
    int GetFunctionAttribute(FunctionHandle function, FunctionAttribute attribute);

    /// <summary>Sets an attribute of a function.</summary>
    void SetFunctionAttribute(FunctionHandle function, FunctionAttribute attribute, int value);

    /// <summary>How many blocks of that size a multiprocessor holds at once.</summary>
    int GetMaximumActiveBlocks(FunctionHandle function, int blockThreads, int dynamicSharedBytes);

    /// <summary>Launches a kernel.</summary>
    void Launch(in KernelLaunch launch);

    /// <summary>Allocates device memory, aligned to at least 256 bytes.</summary>
    DevicePointer Allocate(long bytes);

    /// <summary>Frees device memory once everything that was launched before has ended.</summary>
    void Free(DevicePointer pointer);

    /// <summary>
    /// Allocates from the device's pool, where it has one (<see cref="CudaDeviceProperties.HasMemoryPools"/>); usable by what follows
    /// on the stream.
    /// </summary>
    DevicePointer AllocateAsync(long bytes, StreamHandle stream);

    /// <summary>Gives back to the pool once the stream has come this far.</summary>
    void FreeAsync(DevicePointer pointer, StreamHandle stream);

    /// <summary>Returns the pool's unused memory to the system.</summary>
    void TrimMemoryPool();

    /// <summary>Allocates page-locked host memory.</summary>
    nint AllocatePinned(long bytes);

    /// <summary>Frees page-locked host memory.</summary>
    void FreePinned(nint pointer);

    /// <summary>Copies from host to device.</summary>
    void CopyToDevice(DevicePointer destination, nint source, long bytes, StreamHandle stream);

    /// <summary>Copies from device to host.</summary>
    void CopyToHost(nint destination, DevicePointer source, long bytes, StreamHandle stream);

    /// <summary>Copies within the device.</summary>
    void CopyOnDevice(DevicePointer destination, DevicePointer source, long bytes, StreamHandle stream);

    /// <summary>Fills device memory with a repeated element.</summary>
    /// <param name="destination">Where to start; aligned to the element.</param>
    /// <param name="value">The element, in the low bytes.</param>
    /// <param name="elementBytes">1, 2 or 4.</param>
    /// <param name="count">How many elements.</param>
    /// <param name="stream">The stream.</param>
    void Fill(DevicePointer destination, uint value, int elementBytes, long count, StreamHandle stream);

    /// <summary>Declares device memory undefined from here on in the stream: a driver that watches memory refuses reads of it before the next write.</summary>
    void Discard(DevicePointer destination, long bytes, StreamHandle stream);

    /// <summary>Tells which bytes of device memory were ever written, once everything that was launched before has ended.</summary>
    /// <param name="pointer">The first byte.</param>
    /// <param name="written">Receives a value for each byte.</param>
    /// <returns>False where the device does not keep track, as no GPU does.</returns>
    bool TryReadWritten(DevicePointer pointer, Span<bool> written) => false;

    /// <summary>Creates a stream that does not wait for the default stream.</summary>
    StreamHandle CreateStream();

    /// <summary>Destroys a stream; what it still holds runs to its end.</summary>
    void DestroyStream(StreamHandle stream);

    /// <summary>Waits for everything on the stream.</summary>
    void SynchronizeStream(StreamHandle stream);

    /// <summary>Whether everything on the stream has ended.</summary>
    bool IsStreamIdle(StreamHandle stream);

    /// <summary>Lets the stream wait for the event's last record.</summary>
    void WaitForEvent(StreamHandle stream, EventHandle handle);

    /// <summary>Creates an event, with or without a time stamp.</summary>
    EventHandle CreateEvent(bool timing);

    /// <summary>Destroys an event.</summary>
    void DestroyEvent(EventHandle handle);

    /// <summary>Records the event on the stream.</summary>
    void RecordEvent(EventHandle handle, StreamHandle stream);

    /// <summary>Waits for the event.</summary>
    void SynchronizeEvent(EventHandle handle);

    /// <summary>Whether what was recorded has ended.</summary>
    bool IsEventReached(EventHandle handle);

    /// <summary>Milliseconds between two reached events.</summary>
    float GetElapsedMilliseconds(EventHandle start, EventHandle end);

    /// <summary>Whether streams can be captured into graphs.</summary>
    bool HasGraphs { get; }

    /// <summary>From here on the stream's work is recorded, not run.</summary>
    void BeginCapture(StreamHandle stream);

    /// <summary>Ends the capture. Must be called also when the capture failed.</summary>
    GraphHandle EndCapture(StreamHandle stream);

    /// <summary>Destroys a graph.</summary>
    void DestroyGraph(GraphHandle graph);

    /// <summary>Makes a graph ready to be launched.</summary>
    GraphExecutableHandle InstantiateGraph(GraphHandle graph);

    /// <summary>Destroys an executable graph.</summary>
    void DestroyGraphExecutable(GraphExecutableHandle executable);

    /// <summary>Launches a graph on a stream.</summary>
    void LaunchGraph(GraphExecutableHandle executable, StreamHandle stream);
}
