using System.Runtime.InteropServices;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>A kernel and all functions it can call, decoded for one memory.</summary>
internal sealed unsafe class KernelProgram
{
    private readonly Instruction* code;
    private readonly Lazy<UndefinedFlow> undefinedFlow;

    public KernelProgram(EmulatedModule module, DecodedFunction kernel, IReadOnlyList<DecodedFunction?> functions,
        ReadOnlySpan<Instruction> code, InstructionInfo[] info, int blockCount, int guardCount)
    {
        Module = module;
        Kernel = kernel;
        Functions = functions;
        Info = info;
        BlockCount = blockCount;
        GuardCount = guardCount;
        this.code = (Instruction*)NativeMemory.AlignedAlloc((nuint)(code.Length * sizeof(Instruction)), 64);
        code.CopyTo(new Span<Instruction>(this.code, code.Length));
        undefinedFlow = new(() => new UndefinedFlow(this));
        StoreTargets = StoreTargets.Of(kernel.Syntax);
        Sites = new AccessSites(info);
    }

    ~KernelProgram()
    {
        NativeMemory.AlignedFree(code);
        foreach (nint list in Lists)
            NativeMemory.Free((void*)list);
    }

    public EmulatedModule Module { get; }

    public DecodedFunction Kernel { get; }

    public IReadOnlyList<DecodedFunction?> Functions { get; }

    public InstructionInfo[] Info { get; }

    public int BlockCount { get; }

    public int GuardCount { get; }

    public Instruction* Code => code;

    /// <summary>How undefined values pass through the registers, found when a warp first meets one that it has to follow.</summary>
    public UndefinedFlow UndefinedFlow => undefinedFlow.Value;

    /// <summary>The operations that access global memory.</summary>
    public AccessSites Sites { get; }

    /// <summary>Whether the operation of such a number is an atomic one, which observes what it replaces; true if it is unknown.</summary>
    public bool IsAtomic(uint site) => Sites.Find(site).Access is var access && (access < 0 || Info[access].Source!.Name is "atom" or "red");

    /// <summary>Operand lists of the code, freed with it.</summary>
    public List<nint> Lists { get; } = [];

    /// <summary>Where the kernel's shared variables lie.</summary>
    public required SharedLayout Shared { get; init; }

    /// <summary>The smallest access that the code makes: races in shared memory are told apart down to it.</summary>
    public int RaceGranule { get; set; } = 4;

    /// <summary>The smallest access to global memory that the code makes, 16 bytes or less: races between lanes of a warp are told apart down to it.</summary>
    public int GlobalGranule { get; set; } = 16;

    /// <summary>Whether the code reads global memory through the read-only path.</summary>
    public bool UsesReadOnlyPath { get; set; }

    /// <summary>Whether the code has a fence, behind which warps can publish to each other.</summary>
    public bool UsesFence { get; set; }

    /// <summary>Whether the code has a fence for the whole device, behind which it can publish to other blocks.</summary>
    public bool UsesDeviceFence { get; set; }

    /// <summary>What the kernel may write to.</summary>
    public StoreTargets StoreTargets { get; }

    /// <summary>Whether the code adds floating-point numbers atomically, so that its results depend on the order.</summary>
    public bool UsesFloatAtomics { get; set; }

    /// <summary>Whether the code touches shared memory through generic or shared addresses at all.</summary>
    public bool UsesShared { get; set; }

    public int ParameterBytes { get; set; }

    /// <summary>Why operations are refused when they are reached.</summary>
    public List<string> Refusals { get; init; } = [];
}
