using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation;

/// <summary>A kernel of a loaded module, ready to be launched.</summary>
public sealed class EmulatedKernel
{
    private readonly Lazy<int> liveRegisters;

    internal EmulatedKernel(KernelProgram program)
    {
        Program = program;
        liveRegisters = new Lazy<int>(() => RegisterPressure.Measure(program.Kernel.Syntax));
    }

    /// <summary>The kernel's name in the PTX.</summary>
    public string Name => Program.Kernel.Syntax.Name;

    /// <summary>Bytes of the parameter buffer.</summary>
    public int ParameterBytes => Program.ParameterBytes;

    /// <summary>Offset and size in bytes of every parameter in the buffer.</summary>
    public IReadOnlyList<(int Offset, int Bytes)> Parameters => LayOut(Program.Kernel.Syntax.Parameters, out _);

    /// <summary>Bytes of shared memory that the kernel declares itself.</summary>
    public int StaticSharedBytes => Program.Shared.StaticBytes;

    /// <summary>Bytes of local memory of a thread, calls not counted.</summary>
    public int LocalBytes => Program.Kernel.LocalBytes;

    /// <summary>Virtual registers that the kernel declares: nearly one for each value it computes.</summary>
    public int VirtualRegisters => Program.Kernel.Syntax.Registers.Count;

    /// <summary>
    /// 32-bit registers that hold the values alive at the fullest point of the kernel, calls not counted. An assembler
    /// orders instructions anew and computes some values twice, so that what it takes may be more or less.
    /// </summary>
    public int LiveRegisters => liveRegisters.Value;

    /// <summary>Whether the kernel was compiled for a largest block.</summary>
    public bool HasLaunchBounds => Program.Kernel.Syntax.MaximumThreads > 0;

    /// <summary>Most threads of a block that the kernel was compiled for (<c>.maxntid</c>), or 1024.</summary>
    public int MaximumThreads => Program.Kernel.Syntax.MaximumThreads is > 0 and < 1024 and var limit ? (int)limit : 1024;

    internal KernelProgram Program { get; }

    internal static (int Offset, int Bytes)[] LayOut(IEnumerable<PtxVariable> parameters, out long total)
    {
        List<(int Offset, int Bytes)> layout = [];
        long offset = 0;
        foreach (PtxVariable parameter in parameters)
        {
            offset = (offset + parameter.Alignment - 1) / parameter.Alignment * parameter.Alignment;
            layout.Add(((int)offset, (int)parameter.Size));
            offset += parameter.Size;
        }
        total = offset;
        return [.. layout];
    }
}
