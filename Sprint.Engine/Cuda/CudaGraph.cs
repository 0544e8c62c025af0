namespace Sprint.Engine.Cuda;

/// <summary>Work captured from a stream by <see cref="CudaStream.Capture"/>.</summary>
public sealed class CudaGraph : IDisposable
{
    private readonly DriverResource resource;

    internal CudaGraph(CudaContext context, GraphHandle handle)
    {
        Context = context;
        resource = context.Own(handle.Value, static (driver, value, _) => driver.DestroyGraph(new GraphHandle(value)));
    }

    /// <summary>The device's context.</summary>
    public CudaContext Context { get; }

    /// <summary>Makes the graph ready to be launched. The graph itself may be disposed afterwards.</summary>
    /// <returns>The executable graph, which the caller disposes.</returns>
    public CudaGraphExecutable Instantiate()
    {
        using CudaContext.Scope scope = Context.Enter();
        return new CudaGraphExecutable(Context, Context.Driver.InstantiateGraph(new GraphHandle(resource.Value)));
    }

    /// <summary>Destroys the graph.</summary>
    public void Dispose() => resource.Dispose();
}

/// <summary>
/// A captured graph made ready: replaying a whole training step costs one call. The memory that its kernels were captured with must still
/// be allocated at each launch.
/// </summary>
public sealed class CudaGraphExecutable : IDisposable
{
    private readonly CudaContext context;
    private readonly DriverResource resource;

    internal CudaGraphExecutable(CudaContext context, GraphExecutableHandle handle)
    {
        this.context = context;
        resource = context.Own(handle.Value, static (driver, value, _) => driver.DestroyGraphExecutable(new GraphExecutableHandle(value)));
    }

    /// <summary>Replays the graph on a stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <exception cref="CudaException">The stream is of another context, or is being captured itself where the device does not take that.</exception>
    public void Launch(CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using CudaContext.Scope scope = context.Enter();
        context.Driver.LaunchGraph(new GraphExecutableHandle(resource.Value), context.HandleOf(stream));

        // What fails from now on may be any of the graph's kernels: better none is named than one that was put in before.
        stream.LastLaunch = default;
    }

    /// <summary>Destroys the executable graph.</summary>
    public void Dispose() => resource.Dispose();
}
