using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>
/// Which of its arguments and variables a kernel may write through, found by following addresses from stores back to where they come from.
/// What a launch only reads needs no watch for races.
/// </summary>
internal sealed class StoreTargets
{
    // A set of sources is a mask; the highest bit is an address of unknown origin.
    private const ulong Unknown = 1ul << 63;

    private readonly List<object> known = [];
    private readonly ulong[] sources;
    private readonly Dictionary<PtxVariable, int> parameters = [];

    private StoreTargets(PtxFunction kernel)
    {
        sources = new ulong[kernel.Registers.Count];
        (int Offset, int Bytes)[] layout = EmulatedKernel.LayOut(kernel.Parameters, out _);
        for (int k = 0; k < layout.Length; k++)
            parameters[kernel.Parameters[k]] = layout[k].Offset;
    }

    /// <summary>Whether addresses come from somewhere else too: from memory, or from a function that is called.</summary>
    public bool IsAnywhere { get; private set; }

    /// <summary>Offsets in the parameter buffer of what may be written through.</summary>
    public IEnumerable<int> Parameters { get; private set; } = [];

    /// <summary>Names of variables that may be written.</summary>
    public IEnumerable<string> Variables { get; private set; } = [];

    /// <summary>Analyses a kernel; one that calls functions counts as writing anywhere.</summary>
    public static StoreTargets Of(PtxFunction kernel)
    {
        StoreTargets targets = new(kernel);
        if (kernel.Instructions.Exists(instruction => instruction.Name == "call"))
            targets.IsAnywhere = true;
        else
            targets.Analyse(kernel);
        return targets;
    }

    private void Analyse(PtxFunction kernel)
    {
        List<(int[] Written, int[] Read, ulong Sources)> steps = [];
        foreach (PtxInstruction instruction in kernel.Instructions)
        {
            int[] results = [.. DefiniteAssignment.Written(instruction).Where(register => register.Size >= 4).Select(register => register.Index)];
            if (results.Length > 0)
                steps.Add(Step(instruction, results));
        }
        for (bool changed = true; changed;)
        {
            changed = false;
            foreach ((int[] written, int[] read, ulong own) in steps)
            {
                ulong all = read.Aggregate(own, (mask, register) => mask | sources[register]);
                foreach (int register in written)
                {
                    changed |= (all & ~sources[register]) != 0;
                    sources[register] |= all;
                }
            }
        }
        ulong targets = 0;
        foreach (PtxOperand address in kernel.Instructions.Where(WritesMemory).SelectMany(instruction => instruction.Operands).Where(operand => operand.Kind == PtxOperandKind.Address))
            targets |= Symbols(address) | (address.Register is { } register ? sources[register.Index] : 0);
        IsAnywhere = (targets & Unknown) != 0;
        object[] found = [.. known.Where((_, k) => k < 63 && (targets >> k & 1) != 0)];
        Parameters = found.OfType<int>();
        Variables = found.OfType<string>();
    }

    private static bool WritesMemory(PtxInstruction instruction) => instruction.Name switch
    {
        "st" or "atom" or "red" => !instruction.Has("shared") && !instruction.Has("local") && !instruction.Has("param"),
        "wmma" => instruction.Has("store") && !instruction.Has("shared"),
        _ => false,
    };

    // What an instruction's results come from: other registers, and the sources that it names itself.
    private (int[] Written, int[] Read, ulong Sources) Step(PtxInstruction instruction, int[] written)
    {
        bool wide = DefiniteAssignment.Written(instruction).Any(register => register.Size == 8);
        if (instruction.Name is "ld" or "ldu" or "atom")
            return (written, [], wide ? Loaded(instruction) : 0);
        bool packs = instruction.Name == "mov" && wide && instruction.Operands is [_, { Kind: PtxOperandKind.Vector }];
        int[] read = [.. DefiniteAssignment.Read(instruction).Select(register => register.Index)];
        return (written, read, packs ? Unknown : instruction.Operands.Skip(1).Aggregate(0ul, (mask, operand) => mask | Symbols(operand)));
    }

    private ulong Loaded(PtxInstruction load)
    {
        if (!load.Has("param") || load.Operands is not [var data, { Register: null, Name: { } name } address]
            || load.Scope.FindVariable(name) is not { } parameter || !parameters.TryGetValue(parameter, out int start))
            return Unknown;
        return Enumerable.Range(0, Math.Max(data.Items.Length, 1)).Aggregate(0ul, (mask, k) => mask | Bit(start + (int)address.Value + (k * 8)));
    }

    private ulong Symbols(PtxOperand operand)
        => operand.Kind is PtxOperandKind.Symbol or PtxOperandKind.Address && operand.Name is not null ? Bit(operand.Name) : operand.Items.Aggregate(0ul, (mask, item) => mask | Symbols(item));

    private ulong Bit(object source)
    {
        int index = known.IndexOf(source);
        if (index < 0)
        {
            index = known.Count;
            known.Add(source);
        }
        return index < 63 ? 1ul << index : Unknown;
    }
}
