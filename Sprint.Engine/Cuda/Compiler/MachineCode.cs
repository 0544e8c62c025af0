using System.Buffers.Binary;

namespace Sprint.Engine.Cuda;

/// <summary>
/// What a kernel's machine code consists of, read from its cubin without NVIDIA's disassembler. From compute capability 7.0 to 9.0 an instruction has
/// 16 bytes, its operation in the lowest 12 bits and, in accesses to memory, the width in bits 73 to 75 (0 and 1: 8 bits, 2 and 3: 16, 4: 32, 5: 64, 6: 128).
/// A test compares these codes with nvdisasm where that is installed.
/// </summary>
/// <param name="Kernel">The entry point's exact name.</param>
/// <param name="Instructions">All instructions, padding included.</param>
/// <param name="TensorProducts">HMMA: products of 16-bit elements on tensor cores.</param>
/// <param name="AsynchronousCopies">LDGSTS: copies from global to shared memory that pass by the registers (cp.async).</param>
/// <param name="MatrixLoads">LDSM: loads of fragments from shared memory (ldmatrix).</param>
/// <param name="LocalAccesses">LDL and STL: loads and stores of the stack, spilled registers among them.</param>
/// <param name="WideLoads">LDG and LD of 128 bits a lane.</param>
/// <param name="WideStores">STG and ST of 128 bits a lane.</param>
public sealed record MachineCode(
    string Kernel, int Instructions, int TensorProducts, int AsynchronousCopies, int MatrixLoads, int LocalAccesses, int WideLoads, int WideStores)
{
    private const int InstructionBytes = 16;
    private const int OperationMask = 0xfff;
    private const int WidthShift = 73 - 64;
    private const int WidthMask = 7;
    private const int Width128 = 6;
    private const int OldestArchitecture = 70;
    private const int NewestArchitecture = 90;

    private enum Operation
    {
        Hmma = 0x23c,
        StoreLocal = 0x387,
        LoadMatrix = 0x83b,
        LoadGeneric = 0x980,
        LoadGlobal = 0x981,
        LoadLocal = 0x983,
        StoreGeneric = 0x985,
        StoreGlobal = 0x986,
        CopyAsynchronously = 0xfae,
    }

    /// <summary>Reads the machine code of a kernel.</summary>
    /// <param name="program">A cubin.</param>
    /// <param name="kernel">The entry point's exact name.</param>
    /// <exception cref="SprintException">The program is PTX, of an architecture whose encoding is another, or has no such kernel.</exception>
    public static MachineCode Read(CompiledProgram program, string kernel)
    {
        ArgumentNullException.ThrowIfNull(program);
        if (program.Target is not { Kind: CudaImageKind.Cubin, Architecture: >= OldestArchitecture and <= NewestArchitecture })
        {
            throw new SprintException($"{program.Target} is no machine code of sm_{OldestArchitecture} to sm_{NewestArchitecture}, whose encoding is known.");
        }

        if (!KernelImageReader.TryFindSection(program.Image.Span, ".text." + kernel, out ReadOnlySpan<byte> text))
        {
            throw new SprintException($"The cubin has no kernel {kernel}.");
        }

        MachineCode code = new(kernel, text.Length / InstructionBytes, 0, 0, 0, 0, 0, 0);
        for (; text.Length >= InstructionBytes; text = text[InstructionBytes..])
        {
            bool isWide = ((BinaryPrimitives.ReadUInt64LittleEndian(text[8..]) >> WidthShift) & WidthMask) == Width128;
            code = (Operation)(BinaryPrimitives.ReadUInt16LittleEndian(text) & OperationMask) switch
            {
                Operation.Hmma => code with { TensorProducts = code.TensorProducts + 1 },
                Operation.CopyAsynchronously => code with { AsynchronousCopies = code.AsynchronousCopies + 1 },
                Operation.LoadMatrix => code with { MatrixLoads = code.MatrixLoads + 1 },
                Operation.LoadLocal or Operation.StoreLocal => code with { LocalAccesses = code.LocalAccesses + 1 },
                Operation.LoadGlobal or Operation.LoadGeneric when isWide => code with { WideLoads = code.WideLoads + 1 },
                Operation.StoreGlobal or Operation.StoreGeneric when isWide => code with { WideStores = code.WideStores + 1 },
                _ => code,
            };
        }

        return code;
    }
}
