using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;

namespace Sprint.Train;

/// <summary>A launch that has run.</summary>
/// <param name="Image">What was compiled, or read, and its kernel.</param>
/// <param name="Device">The device that ran it.</param>
/// <param name="Attributes">What the kernel needs.</param>
/// <param name="Occupancy">How well its blocks fill a multiprocessor.</param>
/// <param name="Buffers">Each buffer afterwards, by its name: arg2 for argument 2, arg2.0 for the first member of the structure that argument 2 is.</param>
/// <param name="Statistics">What the emulated device counted, or null on a GPU.</param>
internal sealed record KernelRun(
    CudaFileImage Image,
    CudaDeviceProperties Device,
    CudaKernelAttributes Attributes,
    CudaOccupancy Occupancy,
    IReadOnlyList<(string Name, BufferData Data, BufferSummary Summary)> Buffers,
    LaunchStatistics? Statistics)
{
    /// <summary>The kernel.</summary>
    internal KernelName Kernel => Image.Kernel;

    /// <summary>Compiles, launches and reads back.</summary>
    /// <param name="request">What to launch.</param>
    /// <param name="counters">Whether the emulated device counts sectors, bank conflicts and divergence.</param>
    /// <param name="image">What an earlier run of the same request has compiled, or null.</param>
    /// <exception cref="SprintException">Something the user gave is wrong.</exception>
    /// <exception cref="KernelFaultException">The kernel did something wrong while it ran.</exception>
    internal static KernelRun Execute(LaunchRequest request, bool counters, CudaFileImage? image = null)
    {
        CudaFile file = request.File;
        LaunchStatistics? statistics = null;
        using CudaContext context = Open(request, counters, launched => statistics = launched);
        image ??= Compile(request, context);
        using CudaModule module = context.LoadModule(image.Image.Span, file.Path);
        CudaKernel kernel = module.GetKernel(image.Kernel.Mangled);
        IReadOnlyList<KernelParameter> parameters = kernel.Parameters ?? throw new SprintException($"the image of {file.Path} does not tell the parameters of {image.Kernel}");
        new ParameterMatch(image.Kernel, parameters, image.ParameterTypes, file.FindDeclaration(image.Kernel)).Check(request.Arguments);
        CudaOccupancy occupancy = kernel.GetOccupancy(request.Block, request.SharedBytes);
        using var arguments = new ArgumentBlock(context, request.Seed);
        byte[] block = arguments.Arrange(request.Arguments, parameters);
        Launch(kernel, request, block, file, image.Kernel);
        return new KernelRun(image, context.Device, kernel.Attributes, occupancy, arguments.ReadBack(), statistics);
    }

    private static CudaContext Open(LaunchRequest request, bool counters, Action<LaunchStatistics> launched) => request.Device is { } ordinal
        ? new CudaContext(ordinal)
        : CudaContext.Emulated(new EmulationOptions { ScheduleSeed = request.ScheduleSeed, InstructionBudget = request.Budget, Workers = request.Workers, Counters = counters }, launched);

    private static CudaFileImage Compile(LaunchRequest request, CudaContext context)
    {
        CudaFileImage image = request.File.Compile(request.Kernel, request.Compilation with { Target = Target(context) }, CudaRuntimeCompiler.Load);
        if (image.Program is { Log.Length: > 0 } program)
        {
            Console.Error.WriteLine(program.Log);
        }

        return image;
    }

    private static CudaTarget Target(CudaContext context) =>
        context.Device.IsEmulated ? KernelLibrary.EmulatorTarget : new KernelLibrary(new KernelLibraryOptions { UseCache = false }).TargetFor(context.Device);

    private static void Launch(CudaKernel kernel, LaunchRequest request, byte[] block, CudaFile file, KernelName name)
    {
        CudaContext context = kernel.Module.Context;
        try
        {
            kernel.LaunchBlock(context.DefaultStream, request.Grid, request.Block, block, request.SharedBytes, request.Cooperative);
            context.Synchronize();
        }
        catch (CudaException failure) when (failure.IsContextLost || KernelFaultException.IsRefusal(failure))
        {
            throw new KernelFaultException(failure, file, name, request.ScheduleSeed);
        }
    }
}
