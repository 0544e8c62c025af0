using System.Runtime.InteropServices;
using Sprint.Engine.Emulation;

namespace Sprint.Bench;

/// <summary>The kernels of Emulator/emulator.cu with their data, loaded into one emulated memory.</summary>
internal sealed class EmulatorWorkload : IDisposable
{
    private const int Elements = 1 << 20;
    private const int Side = 512;

    /// <summary>The kernels in the order in which they are measured.</summary>
    public static readonly string[] Names = ["arithmetic", "integers", "stream", "stream_vector", "gather", "transpose", "product", "tensor_product"];

    private readonly EmulatedMemory memory = new();
    private readonly EmulatedModule module;
    private readonly ulong first;
    private readonly ulong second;
    private readonly ulong indices;

    /// <summary>Loads the kernels and their data.</summary>
    /// <param name="options">How to emulate.</param>
    public EmulatorWorkload(EmulationOptions options)
    {
        Options = options;
        using Stream stream = typeof(EmulatorWorkload).Assembly.GetManifestResourceStream("emulator.ptx")!;
        using StreamReader reader = new(stream);
        module = new EmulatedModule(PtxModule.Parse(reader.ReadToEnd(), "emulator.ptx"), memory);
        Random random = new(1);
        int[] indices = new int[Elements];
        for (int k = 0; k < Elements; k++)
            indices[k] = random.Next(Elements);
        first = Zeros();
        second = Zeros();
        this.indices = memory.Allocate(Elements * sizeof(int));
        memory.Write(this.indices, MemoryMarshal.AsBytes<int>(indices));
    }

    /// <summary>How the kernels are emulated.</summary>
    public EmulationOptions Options { get; }

    /// <summary>Launches a kernel once.</summary>
    /// <param name="kernel">One of <see cref="Names"/>.</param>
    /// <returns>What was executed.</returns>
    public LaunchStatistics Run(string kernel) => kernel switch
    {
        "arithmetic" => Launch(kernel, new(8), new(256), first, 4000),
        "integers" => Launch(kernel, new(8), new(256), first, 4000),
        "stream" => Launch(kernel, new(64), new(256), first, second, 0.5f, Elements),
        "stream_vector" => Launch(kernel, new(64), new(256), first, second, 0.5f, Elements),
        "gather" => Launch(kernel, new(64), new(256), first, indices, second, Elements),
        "transpose" => Launch(kernel, new(32, 32), new(32, 8), first, second, 1024),
        "product" => Launch(kernel, new(16, 16), new(16, 16), first, first, second, 256),
        _ => Launch(kernel, new(Side / 64, Side / 64), new(128), first, first, second, Side, Side),
    };

    /// <summary>Releases the memory.</summary>
    public void Dispose()
    {
        module.Dispose();
        memory.Dispose();
    }

    private ulong Zeros()
    {
        ulong address = memory.Allocate(Elements * sizeof(float));
        memory.Fill(address, 0, Elements * sizeof(float));
        return address;
    }

    private LaunchStatistics Launch(string name, LaunchIndex grid, LaunchIndex block, params object[] arguments)
    {
        EmulatedKernel kernel = module.GetKernel(name);
        byte[] parameters = new byte[kernel.ParameterBytes];
        for (int k = 0; k < arguments.Length; k++)
        {
            Span<byte> target = parameters.AsSpan(kernel.Parameters[k].Offset);
            _ = arguments[k] switch
            {
                ulong address => BitConverter.TryWriteBytes(target, address),
                int number => BitConverter.TryWriteBytes(target, number),
                float number => BitConverter.TryWriteBytes(target, number),
                object other => throw new ArgumentException($"An argument of type {other.GetType()}", nameof(arguments)),
            };
        }

        return new EmulatedLaunch(kernel, grid, block, 0, parameters, Options).Run();
    }
}
