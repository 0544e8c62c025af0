using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>A constant that frames hold in all lanes.</summary>
internal readonly record struct FrameConstant(int Offset, int Size, ulong Bits);

/// <summary>A special register that frames hold for their warp.</summary>
internal readonly record struct FrameSpecial(int Offset, SpecialRegister Register);

/// <summary>Where a variable of the parameter space lies in a frame: lane after lane, each <paramref name="Size"/> bytes.</summary>
internal readonly record struct FrameParameter(int Offset, int Size);

/// <summary>A decoded function: the layout of its frame and where its code begins.</summary>
internal sealed unsafe class DecodedFunction(PtxFunction syntax, int identifier)
{
    public PtxFunction Syntax { get; } = syntax;

    /// <summary>Number within the program; the address of the function follows from it.</summary>
    public int Identifier { get; } = identifier;

    public Instruction* Entry { get; set; }

    /// <summary>Bytes of a frame.</summary>
    public int FrameBytes { get; set; }

    /// <summary>Where a frame holds each register, by index.</summary>
    public int[] RegisterSlots { get; set; } = [];

    /// <summary>Bytes of local memory that one thread's activation needs.</summary>
    public int LocalBytes { get; set; }

    public List<FrameConstant> Constants { get; } = [];

    public List<FrameSpecial> Specials { get; } = [];

    /// <summary>Where a frame holds what differs between lanes: bytes of a lane, 0 for one bit.</summary>
    public List<(int Offset, int Size)> Slots { get; } = [];

    public FrameParameter[] Parameters { get; set; } = [];

    public FrameParameter[] Results { get; set; } = [];

    /// <summary>Range of the masks that tell which lanes wrote a register.</summary>
    public (int Offset, int Bytes) Tracking { get; set; }
}

/// <summary>Special registers that a frame holds.</summary>
internal enum SpecialRegister
{
    ThreadX,
    ThreadY,
    ThreadZ,
    BlockSizeX,
    BlockSizeY,
    BlockSizeZ,
    BlockX,
    BlockY,
    BlockZ,
    GridX,
    GridY,
    GridZ,
    Lane,
    WarpIndex,
    WarpCount,
    LaneMaskEqual,
    LaneMaskLess,
    LaneMaskLessOrEqual,
    LaneMaskGreater,
    LaneMaskGreaterOrEqual,
    Multiprocessor,
    MultiprocessorCount,
    GridIdentifier,
    GridWorkspaceHigh,
    GridWorkspaceLow,
    DynamicSharedSize,
    TotalSharedSize,
    Zero,
}
