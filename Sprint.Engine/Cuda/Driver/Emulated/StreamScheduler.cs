namespace Sprint.Engine.Cuda;

/// <summary>
/// Runs what streams hold when something waits for it. What is waited for runs no earlier than it must. Whether other streams advance meanwhile, and which, is
/// drawn from a seed, so that over a few seeds work that lacks an event between its streams runs in either order.
/// </summary>
internal sealed class StreamScheduler(ulong seed)
{
    private readonly Random random = new((int)(seed ^ (seed >> 32)));
    private readonly List<EmulatedStream> streams = [];

    public EmulatedStream Create()
    {
        EmulatedStream stream = new();
        streams.Add(stream);
        return stream;
    }

    /// <summary>Lets a stream run to its end and vanish.</summary>
    public void Abandon(EmulatedStream stream)
    {
        stream.IsAbandoned = true;
        RemoveIfDone(stream);
    }

    public void RunUntil(EmulatedStream stream, Predicate<EmulatedStream> isDone)
    {
        bool othersAdvance = random.Next(2) == 0;
        while (!isDone(stream))
        {
            EmulatedStream next = Blocking(stream);
            if (othersAdvance && random.Next(2) == 0 && PickReady() is { } other)
            {
                next = other;
            }

            Advance(next);
        }
    }

    public void RunOne(EmulatedStream stream)
    {
        if (stream.Pending.Count > 0)
        {
            Advance(Blocking(stream));
        }
    }

    public void RunAll()
    {
        while (PickReady() is { } stream)
        {
            Advance(stream);
        }
    }

    /// <summary>Forgets everything that has not run.</summary>
    public void Clear()
    {
        foreach (EmulatedStream stream in streams)
        {
            stream.Pending.Clear();
        }

        streams.RemoveAll(static stream => stream.IsAbandoned);
    }

    // A record is put in before any wait for it, so that following waits ends at a stream that can advance.
    private static EmulatedStream Blocking(EmulatedStream stream)
    {
        while (stream.Pending.Peek() is StreamWait { Record: { IsReached: false } record })
        {
            stream = record.Stream;
        }

        return stream;
    }

    private EmulatedStream? PickReady()
    {
        List<EmulatedStream> ready = streams.FindAll(static stream => stream.Pending.TryPeek(out StreamOperation? operation) && operation is not StreamWait { Record.IsReached: false });
        return ready.Count == 0 ? null : ready[random.Next(ready.Count)];
    }

    private void Advance(EmulatedStream stream)
    {
        StreamOperation operation = stream.Pending.Dequeue();
        RemoveIfDone(stream);
        switch (operation)
        {
            case StreamAction action:
                action.Run();
                break;
            case StreamMark mark:
                mark.Record.Reach();
                break;
        }
    }

    private void RemoveIfDone(EmulatedStream stream)
    {
        if (stream.IsAbandoned && stream.Pending.Count == 0)
        {
            streams.Remove(stream);
        }
    }
}
