namespace Sprint.Engine.Cuda;

/// <summary>Where a compiled image came from.</summary>
public enum KernelImageOrigin
{
    /// <summary>Compiled by NVRTC just now.</summary>
    Compiled,

    /// <summary>Read from the cache on disk.</summary>
    Cached,

    /// <summary>PTX from the repository, as this machine has no NVRTC.</summary>
    Prebuilt,
}

/// <summary>A compiled specialisation, ready to be loaded.</summary>
/// <param name="Specialization">What was compiled.</param>
/// <param name="Program">Image, warnings, resources.</param>
/// <param name="Origin">Where it came from.</param>
public sealed record KernelImage(KernelSpecialization Specialization, CompiledProgram Program, KernelImageOrigin Origin)
{
    /// <summary>Loads the image on a device.</summary>
    /// <param name="context">The device's context.</param>
    /// <returns>The module, which the caller disposes.</returns>
    public CudaModule Load(CudaContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.LoadModule(Program.Image.Span, $"{Specialization} ({Program.Target})");
    }
}
