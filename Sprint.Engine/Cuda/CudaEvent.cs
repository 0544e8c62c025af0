namespace Sprint.Engine.Cuda;

/// <summary>A mark in a stream that can be waited for and, with timing, be measured from.</summary>
public sealed class CudaEvent : IDisposable
{
    private readonly DriverResource resource;
    private readonly bool timing;

    /// <summary>Creates an event.</summary>
    /// <param name="context">The device's context.</param>
    /// <param name="timing">Whether it carries a time stamp; without, it costs less.</param>
    public CudaEvent(CudaContext context, bool timing = true)
    {
        ArgumentNullException.ThrowIfNull(context);
        Context = context;
        this.timing = timing;
        using CudaContext.Scope scope = context.Enter();
        resource = context.Own(context.Driver.CreateEvent(timing).Value, static (driver, value, _) => driver.DestroyEvent(new EventHandle(value)));
    }

    /// <summary>The device's context.</summary>
    public CudaContext Context { get; }

    /// <summary>Whether the stream has passed the last record.</summary>
    public bool IsReached
    {
        get
        {
            using CudaContext.Scope scope = Context.Enter();
            return Context.Driver.IsEventReached(Handle);
        }
    }

    internal EventHandle Handle => new(resource.Value);

    /// <summary>Milliseconds between two events, to about half a microsecond.</summary>
    /// <param name="start">Recorded first; both must have been reached.</param>
    /// <param name="end">Recorded last.</param>
    /// <exception cref="CudaException">An event has no timing, or was not recorded or not reached yet.</exception>
    public static float ElapsedMilliseconds(CudaEvent start, CudaEvent end)
    {
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(end);
        if (!start.timing || !end.timing)
        {
            throw new CudaException("Time cannot be measured between events created without timing: create both with timing: true.");
        }

        using CudaContext.Scope scope = start.Context.Enter();
        return start.Context.Driver.GetElapsedMilliseconds(start.Handle, end.Handle);
    }

    /// <summary>Records the event on a stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <exception cref="CudaException">The stream is of another context.</exception>
    public void Record(CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using CudaContext.Scope scope = Context.Enter();
        Context.Driver.RecordEvent(Handle, Context.HandleOf(stream));
    }

    /// <summary>Waits until the stream has passed the last record.</summary>
    public void Synchronize()
    {
        using CudaContext.Scope scope = Context.Enter();
        Context.Driver.SynchronizeEvent(Handle);
    }

    /// <summary>Destroys the event.</summary>
    public void Dispose() => resource.Dispose();
}
