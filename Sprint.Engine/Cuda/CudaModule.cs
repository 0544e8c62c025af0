namespace Sprint.Engine.Cuda;

/// <summary>A compiled image loaded on a device.</summary>
public sealed class CudaModule : IDisposable
{
    private readonly DriverResource resource;

    internal CudaModule(CudaContext context, ReadOnlySpan<byte> image, string name)
    {
        Context = context;
        Name = name;
        using CudaContext.Scope scope = context.Enter();
        resource = context.Own(context.Driver.LoadModule(image, name).Value, static (driver, value, _) => driver.UnloadModule(new DeviceModuleHandle(value)));
    }

    /// <summary>The device's context.</summary>
    public CudaContext Context { get; }

    /// <summary>Where the image comes from.</summary>
    public string Name { get; }

    internal DeviceModuleHandle Handle => new(resource.Value);

    /// <summary>Looks up a kernel.</summary>
    /// <param name="entryPoint">Its exact name: plain for an extern "C" kernel, else mangled (<see cref="CompiledProgram.LoweredNames"/>).</param>
    /// <exception cref="CudaException">The module has no such kernel.</exception>
    public CudaKernel GetKernel(string entryPoint)
    {
        ArgumentNullException.ThrowIfNull(entryPoint);
        using CudaContext.Scope scope = Context.Enter();
        FunctionHandle function = Context.Driver.GetFunction(Handle, entryPoint);
        return new CudaKernel(this, function, entryPoint, Context.Driver.GetParameters(Handle, function, entryPoint));
    }

    /// <summary>Looks up a __device__ or __constant__ variable.</summary>
    /// <param name="variable">Its exact name.</param>
    /// <returns>Its address and size in bytes.</returns>
    /// <exception cref="CudaException">The module has no such variable.</exception>
    public (DevicePointer Pointer, long Bytes) GetGlobal(string variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        using CudaContext.Scope scope = Context.Enter();
        return Context.Driver.TryGetGlobal(Handle, variable, out DevicePointer pointer, out long bytes)
            ? (pointer, bytes)
            : throw new CudaException($"Module {Name} has no __device__ or __constant__ variable {variable}.");
    }

    /// <summary>Unloads the image.</summary>
    public void Dispose() => resource.Dispose();
}
