using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;

namespace Sprint.Train;

/// <summary>A launch that has run.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Device">The device that ran it.</param>
/// <param name="Attributes">What the kernel needs.</param>
/// <param name="Occupancy">How well its blocks fill a multiprocessor.</param>
/// <param name="Buffers">Each buffer afterwards, with its argument's number.</param>
/// <param name="Statistics">What the emulated device counted, or null on a GPU.</param>
internal sealed record KernelRun(
    KernelName Kernel,
    CudaDeviceProperties Device,
    CudaKernelAttributes Attributes,
    CudaOccupancy Occupancy,
    IReadOnlyList<(int Argument, BufferData Data, BufferSummary Summary)> Buffers,
    LaunchStatistics? Statistics)
{
    /// <summary>Compiles, launches and reads back.</summary>
    /// <param name="request">What to launch.</param>
    /// <param name="counters">Whether the emulated device counts sectors, bank conflicts and divergence.</param>
    /// <exception cref="SprintException">Something the user gave is wrong.</exception>
    /// <exception cref="KernelFaultException">The kernel did something wrong while it ran.</exception>
    internal static KernelRun Execute(LaunchRequest request, bool counters)
    {
        CudaFile file = request.File;
        LaunchStatistics? statistics = null;
        using CudaContext context = Open(request, counters, launched => statistics = launched);
        CudaFileImage image = file.Compile(request.Kernel, request.Compilation with { Target = Target(context) }, CudaRuntimeCompiler.Load);
        WriteWarnings(image.Program);
        using CudaModule module = context.LoadModule(image.Image.Span, file.Path);
        CudaKernel kernel = module.GetKernel(image.Kernel.Mangled);
        IReadOnlyList<KernelParameter> parameters = kernel.Parameters ?? throw new SprintException($"the image of {file.Path} does not tell the parameters of {image.Kernel}");
        new ParameterMatch(image.Kernel, parameters, image.ParameterTypes, file.FindDeclaration(image.Kernel)).Check(request.Arguments);
        CudaOccupancy occupancy = kernel.GetOccupancy(request.Block, request.SharedBytes);
        var buffers = new List<(int Argument, BufferData Data, CudaDeviceVariable<byte> Memory)>();
        try
        {
            byte[] block = Arrange(context, request, parameters, buffers);
            Launch(kernel, request, block, file, image.Kernel);
            return new KernelRun(image.Kernel, context.Device, kernel.Attributes, occupancy, [.. buffers.Select(static buffer => ReadBack(buffer.Argument, buffer.Data, buffer.Memory))], statistics);
        }
        finally
        {
            buffers.ForEach(static buffer => buffer.Memory.Dispose());
        }
    }

    private static CudaContext Open(LaunchRequest request, bool counters, Action<LaunchStatistics> launched) => request.Device is { } ordinal
        ? new CudaContext(ordinal)
        : CudaContext.Emulated(new EmulationOptions { ScheduleSeed = request.ScheduleSeed, InstructionBudget = request.Budget, Workers = request.Workers, Counters = counters }, launched);

    private static CudaTarget Target(CudaContext context) =>
        context.Device.IsEmulated ? KernelLibrary.EmulatorTarget : new KernelLibrary(new KernelLibraryOptions { UseCache = false }).TargetFor(context.Device);

    private static void WriteWarnings(CompiledProgram? program)
    {
        if (program is { Log.Length: > 0 })
        {
            Console.Error.WriteLine(program.Log);
        }
    }

    /// <summary>Allocates and fills the buffers, and lays the arguments out as the kernel has its parameters.</summary>
    private static byte[] Arrange(
        CudaContext context, LaunchRequest request, IReadOnlyList<KernelParameter> parameters, List<(int Argument, BufferData Data, CudaDeviceVariable<byte> Memory)> buffers)
    {
        byte[] block = new byte[parameters.Count == 0 ? 0 : parameters[^1].Offset + parameters[^1].Size];
        for (int i = 0; i < parameters.Count; i++)
        {
            byte[] bytes;
            if (request.Arguments[i] is BufferArgument buffer)
            {
                BufferData data = BufferData.Create(buffer, request.Seed, i);
                var memory = new CudaDeviceVariable<byte>(context, data.ByteCount);
                buffers.Add((i, data, memory));
                if (data.Bytes is { } contents)
                {
                    memory.CopyToDevice(contents);
                }
                else if (!context.Device.IsEmulated)
                {
                    // NaN in every floating-point type; the emulated device has it so, and knows as well what was never written.
                    memory.Memset(0xff);
                }

                bytes = BitConverter.GetBytes(memory.DevicePointer.Address);
            }
            else
            {
                bytes = ((ScalarArgument)request.Arguments[i]).Bytes;
            }

            bytes.CopyTo(block, parameters[i].Offset);
        }

        return block;
    }

    private static void Launch(CudaKernel kernel, LaunchRequest request, byte[] block, CudaFile file, KernelName name)
    {
        CudaContext context = kernel.Module.Context;
        try
        {
            kernel.LaunchBlock(context.DefaultStream, request.Grid, request.Block, block, request.SharedBytes);
            context.Synchronize();
        }
        catch (CudaException failure) when (failure.IsContextLost || KernelFaultException.IsRefusal(failure))
        {
            throw new KernelFaultException(failure, file, name);
        }
    }

    private static (int Argument, BufferData Data, BufferSummary Summary) ReadBack(int argument, BufferData data, CudaDeviceVariable<byte> memory)
    {
        byte[] bytes = new byte[data.ByteCount];
        memory.CopyToHost(bytes);
        bool[] written = new bool[bytes.Length];
        bool known = memory.TryReadWritten(written);
        return (argument, data with { Bytes = bytes }, BufferSummary.Of(data.Type, bytes, known ? written : null));
    }
}
