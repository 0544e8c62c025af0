using System.Runtime.InteropServices;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Decodes a kernel and every function it can reach into one program.</summary>
internal sealed unsafe class ProgramBuilder(EmulatedModule module, PtxFunction kernel)
{
    private readonly DecodedFunction?[] functions = new DecodedFunction?[module.Module.Functions.Count];
    private readonly int[] entries = new int[module.Module.Functions.Count];
    private readonly Queue<DecodedFunction> work = new();
    private readonly SharedLayout shared = LayOutShared(module.Module, kernel);

    public EmulatedModule Module { get; } = module;

    public List<Instruction> Code { get; } = [];

    public List<InstructionInfo> Info { get; } = [];

    public List<(int Instruction, int Target)> Fixups { get; } = [];

    public List<nint> Lists { get; } = [];

    public List<string> Refusals { get; } = [];

    public int BlockCount { get; set; }

    public int GuardCount { get; set; }

    public int RaceGranule { get; set; } = 4;

    public int GlobalGranule { get; set; } = 16;

    public bool UsesReadOnlyPath { get; set; }

    public bool UsesFloatAtomics { get; set; }

    public bool UsesFence { get; set; }

    public bool UsesDeviceFence { get; set; }

    public KernelProgram Build()
    {
        EmulatedKernel.LayOut(kernel.Parameters, out long parameterBytes);
        DecodedFunction entry = Require(Module.FunctionIndex(kernel.Name));
        while (work.TryDequeue(out DecodedFunction? function))
        {
            entries[function.Identifier] = Code.Count;
            new FunctionDecoder(this, function).Decode();
        }
        KernelProgram program = new(Module, entry, functions, CollectionsMarshal.AsSpan(Code), [.. Info], BlockCount, GuardCount)
        {
            Shared = shared,
            RaceGranule = RaceGranule,
            GlobalGranule = GlobalGranule,
            UsesReadOnlyPath = UsesReadOnlyPath,
            UsesFloatAtomics = UsesFloatAtomics,
            UsesFence = UsesFence,
            UsesDeviceFence = UsesDeviceFence,
            ParameterBytes = (int)parameterBytes,
            Refusals = Refusals,
        };
        program.Lists.AddRange(Lists);
        foreach ((int instruction, int target) in Fixups)
            program.Code[instruction].Target = program.Code + target;
        foreach (DecodedFunction? function in functions)
        {
            if (function is not null)
                function.Entry = program.Code + entries[function.Identifier];
        }
        return program;
    }

    /// <summary>The decoded form of a function of the module, queued if it is new.</summary>
    /// <exception cref="EmulationException">The function is not executed.</exception>
    public DecodedFunction Require(int index)
    {
        if (functions[index] is { } known)
            return known;
        PtxFunction syntax = Module.Module.Functions.Values.ElementAt(index);
        if (syntax.Refusal is { } refusal)
            throw new EmulationException(refusal.Fault, $"The function {syntax.Name} is not executed: {refusal.Detail}");
        DecodedFunction function = new(syntax, index);
        functions[index] = function;
        work.Enqueue(function);
        return function;
    }

    /// <summary>Address of a shared variable in the block's shared memory; dynamic ones begin behind all others.</summary>
    public int SharedPlace(PtxVariable variable) => shared.PlaceOf(variable);

    /// <summary>A list of operand slots that lives as long as the program.</summary>
    public int* Keep(ReadOnlySpan<int> values)
    {
        int* list = (int*)NativeMemory.Alloc((nuint)Math.Max(values.Length, 1), sizeof(int));
        values.CopyTo(new Span<int>(list, values.Length));
        Lists.Add((nint)list);
        return list;
    }

    // All functions reachable by name count, so that a device function's own shared variables have a place too.
    private static SharedLayout LayOutShared(PtxModule module, PtxFunction kernel)
    {
        HashSet<string> names = [];
        Queue<PtxFunction> functions = new([kernel]);
        HashSet<PtxFunction> seen = [kernel];
        List<PtxVariable> variables = [];
        while (functions.TryDequeue(out PtxFunction? function))
        {
            variables.AddRange(function.Variables.Where(variable => variable.Space == PtxSpace.Shared));
            foreach (string name in function.Instructions.SelectMany(instruction => instruction.Operands).SelectMany(Names))
            {
                names.Add(name);
                if (module.Functions.TryGetValue(name, out PtxFunction? callee) && seen.Add(callee))
                    functions.Enqueue(callee);
            }
        }
        variables.AddRange(module.Variables.Values.Where(variable => variable.Space == PtxSpace.Shared && names.Contains(variable.Name)));
        return new SharedLayout(new EmulationSite(module.Name, kernel.Name), variables);
    }

    private static IEnumerable<string> Names(PtxOperand operand)
        => (operand.Name is null ? [] : new[] { operand.Name }).Concat(operand.Items.SelectMany(Names));
}
