using System.Diagnostics;

namespace Sprint.Engine.Cuda;

/// <content>Streams and events.</content>
internal sealed partial class EmulatedCudaDriver
{
    /// <inheritdoc/>
    public StreamHandle CreateStream()
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        return new StreamHandle(context.Add(context.CreateStream()));
    }

    /// <inheritdoc/>
    public void DestroyStream(StreamHandle stream)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        context.DestroyStream(context.Remove<EmulatedStream>(stream.Value));
    }

    /// <inheritdoc/>
    public void SynchronizeStream(StreamHandle stream)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        context.Run(NotCapturing(context.GetStream(stream), nameof(SynchronizeStream)));
    }

    /// <summary>Whether everything on the stream has ended. Asking lets time pass: a loop of questions comes to an end.</summary>
    public bool IsStreamIdle(StreamHandle stream)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        EmulatedStream asked = NotCapturing(context.GetStream(stream), nameof(IsStreamIdle));
        bool idle = asked.Pending.Count == 0;
        context.RunOne(asked);
        return idle;
    }

    /// <inheritdoc/>
    public void WaitForEvent(StreamHandle stream, EventHandle handle)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        EmulatedStream waiting = context.GetStream(stream);
        if (context.Get<EmulatedEvent>(handle.Value).Last is not { } record)
        {
            return;
        }

        if (record.Capture is { } capture)
        {
            if (record.Stream.Capture != capture)
            {
                throw InvalidValue("A stream was told to wait for an event that was recorded in a capture, which has ended.");
            }

            capture.Join(waiting);
        }

        if (waiting.Capture is { } own && own != record.Capture)
        {
            throw own.Spoil("A captured stream was told to wait for an event that was recorded outside the capture");
        }

        EmulatedContext.Enqueue(waiting, new StreamWait(record));
    }

    /// <inheritdoc/>
    public EventHandle CreateEvent(bool timing)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        return new EventHandle(context.Add(new EmulatedEvent(timing)));
    }

    /// <inheritdoc/>
    public void DestroyEvent(EventHandle handle)
    {
        using Lock.Scope scope = EnterEvenIfLost(out EmulatedContext context);
        context.Remove<EmulatedEvent>(handle.Value);
    }

    /// <inheritdoc/>
    public void RecordEvent(EventHandle handle, StreamHandle stream)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        EmulatedStream recording = context.GetStream(stream);
        EventRecord record = new(recording, recording.Capture);
        context.Get<EmulatedEvent>(handle.Value).Last = record;
        EmulatedContext.Enqueue(recording, new StreamMark(record));
    }

    /// <inheritdoc/>
    public void SynchronizeEvent(EventHandle handle)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        if (LastRecord(context, handle, nameof(SynchronizeEvent)) is { } record)
        {
            context.Run(record);
        }
    }

    /// <summary>Whether what was recorded has ended. Asking lets time pass: a loop of questions comes to an end.</summary>
    public bool IsEventReached(EventHandle handle)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        if (LastRecord(context, handle, nameof(IsEventReached)) is not { IsReached: false } record)
        {
            return true;
        }

        context.RunOne(record.Stream);
        return false;
    }

    /// <summary>Milliseconds between two events as the emulator ran: they tell how long emulation took, not how long a GPU would.</summary>
    public float GetElapsedMilliseconds(EventHandle start, EventHandle end)
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        return (float)Stopwatch.GetElapsedTime(Reached(context, start).Timestamp, Reached(context, end).Timestamp).TotalMilliseconds;
    }

    private static EventRecord? LastRecord(EmulatedContext context, EventHandle handle, string call)
    {
        EventRecord? record = context.Get<EmulatedEvent>(handle.Value).Last;
        return record?.Capture is { } capture ? throw capture.Spoil($"{call} is not possible for an event that was recorded in a capture") : record;
    }

    private static EventRecord Reached(EmulatedContext context, EventHandle handle)
    {
        EmulatedEvent measured = context.Get<EmulatedEvent>(handle.Value);
        if (!measured.HasTiming || measured.Last is not { } record)
        {
            throw Refused(DriverStatus.InvalidHandle, "CUDA_ERROR_INVALID_HANDLE", $"Time cannot be measured from an event that {(measured.HasTiming ? "was not recorded" : "was created without timing")}.");
        }

        return record.IsReached ? record : throw Refused(DriverStatus.NotReady, "CUDA_ERROR_NOT_READY", "Time cannot be measured from an event that was not reached yet: synchronise with it first.");
    }

    private static EmulatedStream NotCapturing(EmulatedStream stream, string call) =>
        stream.Capture is { } capture ? throw capture.Spoil($"{call} is not possible on a stream that is being captured") : stream;
}
