namespace Sprint.Engine.Emulation.Parsing;

/// <summary>State spaces of PTX.</summary>
internal enum PtxSpace
{
    Generic,
    Register,
    Global,
    Constant,
    Shared,
    Local,
    Parameter,
}

/// <summary>A line of a source file, as <c>.loc</c> gives it; of an inlined function also the outermost line that calls it, or 0.</summary>
internal readonly record struct PtxLocation(int File, int Line, int CallerFile = 0, int CallerLine = 0);

/// <summary>A register: declared once, read and written by reference to this object.</summary>
internal sealed class PtxRegister(string name, PtxType type, int index)
{
    public string Name { get; } = name;

    public PtxType Type { get; } = type;

    /// <summary>Number within its function, from 0.</summary>
    public int Index { get; } = index;

    /// <summary>Bytes of one lane; 0 for a predicate, 2 for a type of 8 bits, whose registers are as wide as those of 16.</summary>
    public int Size => Type.Size() == 1 ? 2 : Type.Size();
}

/// <summary>Registers declared together: <c>%r&lt;10&gt;</c> stands for %r0 to %r9.</summary>
internal readonly record struct PtxFamily(PtxType Type, int Count, int Line);

/// <summary>A variable in an addressable state space.</summary>
internal sealed class PtxVariable
{
    public required string Name { get; init; }

    public required PtxSpace Space { get; init; }

    public required PtxType Type { get; init; }

    public required int Alignment { get; init; }

    /// <summary>Bytes of the whole variable; 0 for an array without extent, which is dynamic shared memory.</summary>
    public required long Size { get; set; }

    public bool IsExtern { get; init; }

    /// <summary>Line of the declaration in the PTX text.</summary>
    public required int Line { get; init; }

    /// <summary>The initial values, null for zeros.</summary>
    public List<PtxInitialiser>? Initialisers { get; set; }
}

/// <summary>One initial value: a number, or the address of a symbol plus an offset.</summary>
internal readonly record struct PtxInitialiser(long Offset, int Size, ulong Bits, string? Symbol, bool IsGeneric);

/// <summary>Kinds of instruction operands.</summary>
internal enum PtxOperandKind
{
    Register,
    Special,
    Integer,
    Float,
    Symbol,
    Address,
    Vector,
    Pair,
    List,
    Discard,
}

/// <summary>One operand of an instruction.</summary>
internal sealed class PtxOperand
{
    public required PtxOperandKind Kind { get; init; }

    /// <summary>The register, of a register operand or of an address based on one.</summary>
    public PtxRegister? Register { get; init; }

    /// <summary>The name, of a special register, symbol, or address based on a symbol.</summary>
    public string? Name { get; init; }

    /// <summary>The value: an integer, the bits of a floating-point literal, or the offset of an address or symbol.</summary>
    public long Value { get; init; }

    /// <summary>Whether a floating-point literal has 8 bytes.</summary>
    public bool IsDouble { get; init; }

    /// <summary>Whether a predicate is negated.</summary>
    public bool IsNegated { get; init; }

    /// <summary>Elements of a vector, pair or list.</summary>
    public PtxOperand[] Items { get; init; } = [];
}

/// <summary>Names of one pair of braces; inner ones hide outer ones.</summary>
internal sealed class PtxScope(PtxScope? parent)
{
    public PtxScope? Parent { get; } = parent;

    public Dictionary<string, PtxRegister> Registers { get; } = [];

    /// <summary>Families declared as <c>%r&lt;10&gt;</c>, by their prefix.</summary>
    public Dictionary<string, PtxFamily> Families { get; } = [];

    /// <summary>Line of every single name that is declared here, whatever it names.</summary>
    public Dictionary<string, int> Lines { get; } = [];

    /// <summary>Of the names declared here that end in a number, by what stands before it: the one with the least.</summary>
    public Dictionary<string, (string Name, int Number)> Numbered { get; } = [];

    public Dictionary<string, PtxVariable> Variables { get; } = [];

    /// <summary>Instruction number of each label.</summary>
    public Dictionary<string, int> Labels { get; } = [];

    /// <summary>Lists of labels of <c>.branchtargets</c>.</summary>
    public Dictionary<string, string[]> BranchTargets { get; } = [];

    /// <summary>The innermost variable of a name, null if no scope has it.</summary>
    public PtxVariable? FindVariable(string name) => Variables.TryGetValue(name, out PtxVariable? variable) ? variable : Parent?.FindVariable(name);
}

/// <summary>One instruction as parsed.</summary>
internal sealed class PtxInstruction
{
    /// <summary>The opcode with all modifiers.</summary>
    public required string Opcode { get; init; }

    /// <summary>The opcode's first part.</summary>
    public required string Name { get; init; }

    /// <summary>The opcode's other parts, in order.</summary>
    public required string[] Modifiers { get; init; }

    public required PtxOperand[] Operands { get; init; }

    /// <summary>The guard predicate, if any.</summary>
    public PtxRegister? Guard { get; init; }

    public bool GuardNegated { get; init; }

    public required PtxScope Scope { get; init; }

    public required PtxLocation Location { get; init; }

    public required int Line { get; init; }

    /// <summary>The instruction's text, blanks squeezed.</summary>
    public required string Text { get; init; }

    public bool Has(string modifier) => Array.IndexOf(Modifiers, modifier) >= 0;
}

/// <summary>A kernel or device function as parsed.</summary>
internal sealed class PtxFunction
{
    public required string Name { get; init; }

    public required bool IsKernel { get; init; }

    public PtxVariable[] Parameters { get; set; } = [];

    public PtxVariable[] Results { get; set; } = [];

    /// <summary>False for a declaration.</summary>
    public bool HasBody { get; set; }

    /// <summary>Why the function is not executed, null if it is; one that is not has neither parameters nor instructions to rely on.</summary>
    public EmulationException? Refusal { get; set; }

    public PtxScope Scope { get; init; } = new(null);

    public List<PtxInstruction> Instructions { get; } = [];

    public List<PtxRegister> Registers { get; } = [];

    /// <summary>Shared and local variables and call parameters of the body, in order of declaration.</summary>
    public List<PtxVariable> Variables { get; } = [];

    /// <summary>The <c>.maxntid</c> limit in threads, 0 for none.</summary>
    public long MaximumThreads { get; set; }

    /// <summary>The <c>.reqntid</c> block size, null for any.</summary>
    public LaunchIndex? RequiredBlock { get; set; }

    /// <summary>Line of the function's head in the PTX text.</summary>
    public required int Line { get; init; }
}
