namespace Sprint.Engine.Cuda;

/// <summary>What is put into a stream while it is captured, and into the streams that join it by waiting for an event of it.</summary>
internal sealed class StreamCapture
{
    private readonly List<EmulatedStream> lanes;
    private readonly List<(int Lane, StreamOperation Operation)> operations = [];
    private string? problem;

    public StreamCapture(EmulatedStream origin)
    {
        lanes = [origin];
        origin.Capture = this;
    }

    public int ThreadId { get; } = Environment.CurrentManagedThreadId;

    public bool IsOrigin(EmulatedStream stream) => lanes[0] == stream;

    public void Add(EmulatedStream stream, StreamOperation operation) => operations.Add((lanes.IndexOf(stream), operation));

    /// <summary>A stream that waits for an event of the capture takes part in it.</summary>
    public void Join(EmulatedStream stream)
    {
        if (stream.Capture is null)
        {
            lanes.Add(stream);
            stream.Capture = this;
        }
    }

    /// <summary>Notes why the capture cannot succeed.</summary>
    /// <param name="reason">A sentence without its full stop.</param>
    /// <returns>The error to throw.</returns>
    public CudaException Spoil(string reason)
    {
        problem ??= reason;
        return new CudaException(reason + ".") { ErrorCode = DriverStatus.CaptureUnsupported, ErrorName = "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED" };
    }

    /// <summary>Gives the streams back to their ordinary use.</summary>
    public void Release() => lanes.ForEach(static stream => stream.Capture = null);

    /// <summary>The graph.</summary>
    /// <exception cref="CudaException">Something could not be captured, or a stream that joined was not joined again.</exception>
    public EmulatedGraph ToGraph()
    {
        if (problem is null && HasUnjoinedWork())
        {
            problem = "The captured stream does not wait for all the work that it forked: record an event behind the work and let the captured stream wait for it";
        }

        return problem is null
            ? new EmulatedGraph([.. operations])
            : throw new CudaException($"Nothing was captured: {problem}.") { ErrorCode = DriverStatus.CaptureInvalidated, ErrorName = "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED" };
    }

    // Backwards: work counts as joined if the origin waits, directly or not, for a record behind it.
    private bool HasUnjoinedWork()
    {
        HashSet<int> joined = [0];
        HashSet<EventRecord> awaited = [];
        for (int i = operations.Count - 1; i >= 0; i--)
        {
            (int lane, StreamOperation operation) = operations[i];
            switch (operation)
            {
                case StreamWait wait when joined.Contains(lane):
                    awaited.Add(wait.Record);
                    break;
                case StreamMark mark when awaited.Contains(mark.Record):
                    joined.Add(lane);
                    break;
                case StreamAction when !joined.Contains(lane):
                    return true;
            }
        }

        return false;
    }
}

/// <summary>Captured work: each operation with its lane, in the order in which it was captured. Lane 0 is the captured stream.</summary>
/// <param name="Operations">The operations.</param>
internal sealed record EmulatedGraph(IReadOnlyList<(int Lane, StreamOperation Operation)> Operations);

/// <summary>A graph that can be launched.</summary>
/// <param name="Graph">The graph.</param>
internal sealed record EmulatedGraphExecutable(EmulatedGraph Graph);
