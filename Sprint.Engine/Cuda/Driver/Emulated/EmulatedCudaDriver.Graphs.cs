namespace Sprint.Engine.Cuda;

/// <content>Graphs.</content>
internal sealed partial class EmulatedCudaDriver
{
    /// <inheritdoc/>
    public bool HasGraphs => true;

    /// <inheritdoc/>
    public void BeginCapture(StreamHandle stream)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        EmulatedStream captured = context.GetStream(stream);
        if (captured == context.DefaultStream || captured.Capture is not null)
        {
            throw Refused(
                DriverStatus.CaptureUnsupported,
                "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
                captured.Capture is null ? "The default stream cannot be captured." : "The stream is being captured already.");
        }

        context.BeginCapture(captured);
    }

    /// <inheritdoc/>
    public GraphHandle EndCapture(StreamHandle stream)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        EmulatedStream captured = context.GetStream(stream);
        if (captured.Capture is not { } capture || !capture.IsOrigin(captured))
        {
            throw InvalidValue("A capture was ended on a stream on which none was begun.");
        }

        context.EndCapture(capture);
        context.RequireUsable();
        return new GraphHandle(context.Add(capture.ToGraph()));
    }

    /// <inheritdoc/>
    public void DestroyGraph(GraphHandle graph)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        context.Remove<EmulatedGraph>(graph.Value);
    }

    /// <inheritdoc/>
    public GraphExecutableHandle InstantiateGraph(GraphHandle graph)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        return new GraphExecutableHandle(context.Add(new EmulatedGraphExecutable(context.Get<EmulatedGraph>(graph.Value))));
    }

    /// <inheritdoc/>
    public void DestroyGraphExecutable(GraphExecutableHandle executable)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        context.Remove<EmulatedGraphExecutable>(executable.Value);
    }

    /// <inheritdoc/>
    public void LaunchGraph(GraphExecutableHandle executable, StreamHandle stream)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        EmulatedStream target = context.GetStream(stream);
        if (target.Capture is { } capture)
        {
            throw capture.Spoil("A graph was launched on a stream that is being captured, which the emulated device does not take");
        }

        // Forked work runs in streams of its own, which vanish when they are empty; every replay has its own event records.
        Dictionary<int, EmulatedStream> lanes = new() { [0] = target };
        Dictionary<EventRecord, EventRecord> records = [];
        foreach ((int lane, StreamOperation operation) in context.Get<EmulatedGraphExecutable>(executable.Value).Graph.Operations)
        {
            if (!lanes.TryGetValue(lane, out EmulatedStream? own))
            {
                lanes.Add(lane, own = context.CreateStream());
            }

            own.Pending.Enqueue(operation switch
            {
                StreamMark mark => new StreamMark(records[mark.Record] = new EventRecord(own, null)),
                StreamWait wait => new StreamWait(records[wait.Record]),
                _ => operation,
            });
        }

        foreach (EmulatedStream fork in lanes.Values.Where(lane => lane != target))
        {
            context.DestroyStream(fork);
        }
    }
}
