using System.Diagnostics.CodeAnalysis;

namespace Sprint.Engine.Cuda;

/// <summary>A queue of work on a device: what is put in runs in order, and does not wait for other streams.</summary>
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "A stream is CUDA's word for this.")]
public sealed class CudaStream : IDisposable
{
    private readonly DriverResource? resource;

    /// <summary>Creates a stream.</summary>
    /// <param name="context">The device's context.</param>
    public CudaStream(CudaContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        Context = context;
        using CudaContext.Scope scope = context.Enter();
        resource = context.Own(context.Driver.CreateStream().Value, static (driver, value, _) => driver.DestroyStream(new StreamHandle(value)));
    }

    internal CudaStream(CudaContext context, DriverResource? resource)
    {
        Context = context;
        this.resource = resource;
    }

    /// <summary>The device's context.</summary>
    public CudaContext Context { get; }

    /// <summary>Whether everything that was put in has ended.</summary>
    public bool IsIdle
    {
        get
        {
            using CudaContext.Scope scope = Context.Enter();
            return Context.Driver.IsStreamIdle(Handle);
        }
    }

    /// <summary>The kernel that was put in last, to be named when something asynchronous fails.</summary>
    internal (string? Kernel, Dim3 Grid, Dim3 Block) LastLaunch { get; set; }

    internal StreamHandle Handle => resource is null ? default : new StreamHandle(resource.Value);

    internal DriverResource Owner => resource ?? Context.Resource;

    /// <summary>Waits for everything that was put in.</summary>
    /// <exception cref="CudaException">Something that was put in has failed.</exception>
    public void Synchronize()
    {
        using CudaContext.Scope scope = Context.Enter();
        Wait();
    }

    /// <summary>Lets what is put in from now on wait for the event's last record, which may be on another stream.</summary>
    /// <param name="cudaEvent">The event.</param>
    public void WaitFor(CudaEvent cudaEvent)
    {
        ArgumentNullException.ThrowIfNull(cudaEvent);
        using CudaContext.Scope scope = Context.Enter();
        Context.Driver.WaitForEvent(Handle, cudaEvent.Handle);
    }

    /// <summary>Records what the action puts into this stream, without running it.</summary>
    /// <param name="record">Puts work into this stream; it may neither synchronise, nor allocate or free device memory.</param>
    /// <returns>The graph, which the caller disposes.</returns>
    /// <exception cref="CudaException">The device has no graphs, this is the default stream, or something in the action cannot be captured.</exception>
    public CudaGraph Capture(Action record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (!Context.Driver.HasGraphs)
        {
            throw new CudaException($"Device {Context.Driver.Name}:{Context.Device.Ordinal} has no graphs: run the step without capture, or update the driver (11.4 or newer).");
        }

        if (resource is null)
        {
            throw new CudaException("The default stream cannot be captured: put the work into a stream of its own.");
        }

        using CudaContext.Scope scope = Context.Enter();
        Context.Driver.BeginCapture(Handle);
        try
        {
            record();
        }
        catch
        {
            Abandon();
            throw;
        }

        return new CudaGraph(Context, Context.Driver.EndCapture(Handle));
    }

    /// <summary>Destroys the stream; what is still in it runs to its end.</summary>
    public void Dispose() => resource?.Dispose();

    /// <summary>Waits for everything that was put in. The context must be current.</summary>
    internal void Wait()
    {
        try
        {
            Context.Driver.SynchronizeStream(Handle);
        }
        catch (CudaException failure) when (failure.KernelName is null && LastLaunch.Kernel is not null)
        {
            (string? kernel, Dim3 grid, Dim3 block) = LastLaunch;
            throw new CudaException($"{failure.Message} The last kernel put into this stream was {kernel}, grid {grid}, block {block}.", failure)
            {
                ErrorCode = failure.ErrorCode,
                ErrorName = failure.ErrorName,
                Call = failure.Call,
                KernelName = kernel,
                Grid = grid,
                Block = block,
                IsContextLost = failure.IsContextLost,
            };
        }
    }

    // What the action threw tells more than that the capture it broke off is invalid.
    private void Abandon()
    {
        try
        {
            new CudaGraph(Context, Context.Driver.EndCapture(Handle)).Dispose();
        }
        catch (SprintException)
        {
        }
    }
}
