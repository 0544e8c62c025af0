using System.Diagnostics;

namespace Sprint.Engine.Cuda;

/// <summary>A stream of an emulated device: what was put in and has not run.</summary>
internal sealed class EmulatedStream
{
    public Queue<StreamOperation> Pending { get; } = new();

    /// <summary>The capture that takes what is put in, or null.</summary>
    public StreamCapture? Capture { get; set; }

    /// <summary>Whether the stream vanishes once it is empty.</summary>
    public bool IsAbandoned { get; set; }
}

/// <summary>One thing put into a stream.</summary>
internal abstract record StreamOperation;

/// <summary>A launch, a copy, a fill, a free.</summary>
/// <param name="Run">Does it. Throws a <see cref="CudaException"/> that loses the context.</param>
internal sealed record StreamAction(Action Run) : StreamOperation;

/// <summary>The place of an event.</summary>
/// <param name="Record">What is reached.</param>
internal sealed record StreamMark(EventRecord Record) : StreamOperation;

/// <summary>A wait for an event.</summary>
/// <param name="Record">What must be reached first.</param>
internal sealed record StreamWait(EventRecord Record) : StreamOperation;

/// <summary>One record of an event: an event recorded again has a new one, and who waits for the old one still does.</summary>
/// <param name="stream">The stream that it was recorded on.</param>
/// <param name="capture">The capture that it was recorded in, or null.</param>
internal sealed class EventRecord(EmulatedStream stream, StreamCapture? capture)
{
    public EmulatedStream Stream { get; } = stream;

    public StreamCapture? Capture { get; } = capture;

    public bool IsReached { get; private set; }

    public long Timestamp { get; private set; }

    public void Reach() => (IsReached, Timestamp) = (true, Stopwatch.GetTimestamp());
}

/// <summary>An event of an emulated device.</summary>
/// <param name="timing">Whether its records may be measured between.</param>
internal sealed class EmulatedEvent(bool timing)
{
    public bool HasTiming { get; } = timing;

    public EventRecord? Last { get; set; }
}
