namespace Sprint.Engine.Cuda;

/// <content>Streams, events, graphs.</content>
internal sealed partial class NativeCudaDriver
{
    /// <inheritdoc/>
    public bool HasGraphs { get; } = CudaLibraryResolver.HasSymbol(CudaLibrary.Driver, nameof(DriverApi.cuGraphInstantiateWithFlags));

    /// <inheritdoc/>
    public StreamHandle CreateStream()
    {
        Check(DriverApi.cuStreamCreate(out StreamHandle stream, StreamFlags.NonBlocking));
        return stream;
    }

    /// <inheritdoc/>
    public void DestroyStream(StreamHandle stream) => Check(DriverApi.cuStreamDestroy_v2(stream));

    /// <inheritdoc/>
    public void SynchronizeStream(StreamHandle stream) => Check(DriverApi.cuStreamSynchronize(stream));

    /// <inheritdoc/>
    public bool IsStreamIdle(StreamHandle stream) => IsReady(DriverApi.cuStreamQuery(stream), nameof(DriverApi.cuStreamQuery));

    /// <inheritdoc/>
    public void WaitForEvent(StreamHandle stream, EventHandle handle) => Check(DriverApi.cuStreamWaitEvent(stream, handle, 0));

    /// <inheritdoc/>
    public EventHandle CreateEvent(bool timing)
    {
        Check(DriverApi.cuEventCreate(out EventHandle handle, timing ? EventFlags.None : EventFlags.DisableTiming));
        return handle;
    }

    /// <inheritdoc/>
    public void DestroyEvent(EventHandle handle) => Check(DriverApi.cuEventDestroy_v2(handle));

    /// <inheritdoc/>
    public void RecordEvent(EventHandle handle, StreamHandle stream) => Check(DriverApi.cuEventRecord(handle, stream));

    /// <inheritdoc/>
    public void SynchronizeEvent(EventHandle handle) => Check(DriverApi.cuEventSynchronize(handle));

    /// <inheritdoc/>
    public bool IsEventReached(EventHandle handle) => IsReady(DriverApi.cuEventQuery(handle), nameof(DriverApi.cuEventQuery));

    /// <inheritdoc/>
    public float GetElapsedMilliseconds(EventHandle start, EventHandle end)
    {
        Check(DriverApi.cuEventElapsedTime(out float milliseconds, start, end));
        return milliseconds;
    }

    /// <inheritdoc/>
    public void BeginCapture(StreamHandle stream) => Check(DriverApi.cuStreamBeginCapture_v2(stream, CaptureMode.ThreadLocal));

    /// <inheritdoc/>
    public GraphHandle EndCapture(StreamHandle stream)
    {
        Check(DriverApi.cuStreamEndCapture(stream, out GraphHandle graph));
        return graph;
    }

    /// <inheritdoc/>
    public void DestroyGraph(GraphHandle graph) => Check(DriverApi.cuGraphDestroy(graph));

    /// <inheritdoc/>
    public GraphExecutableHandle InstantiateGraph(GraphHandle graph)
    {
        Check(DriverApi.cuGraphInstantiateWithFlags(out GraphExecutableHandle executable, graph, 0));
        return executable;
    }

    /// <inheritdoc/>
    public void DestroyGraphExecutable(GraphExecutableHandle executable) => Check(DriverApi.cuGraphExecDestroy(executable));

    /// <inheritdoc/>
    public void LaunchGraph(GraphExecutableHandle executable, StreamHandle stream) => Check(DriverApi.cuGraphLaunch(executable, stream));

    private static bool IsReady(int status, string call)
    {
        if (status == DriverStatus.NotReady)
        {
            return false;
        }

        Check(status, null, call);
        return true;
    }
}
