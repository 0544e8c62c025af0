using System.Runtime.InteropServices;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Decodes a kernel and every function it can reach into one program.</summary>
internal sealed unsafe class ProgramBuilder(EmulatedModule module, PtxFunction kernel)
{
    private const int MaximumSharedBytes = 1 << 24;

    private readonly DecodedFunction?[] functions = new DecodedFunction?[module.Module.Functions.Count];
    private readonly int[] entries = new int[module.Module.Functions.Count];
    private readonly Queue<DecodedFunction> work = new();
    private readonly Dictionary<PtxVariable, int> shared = [];
    private int sharedBytes;
    private int dynamicOffset;

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
        LayOutShared();
        EmulatedKernel.LayOut(kernel.Parameters, out long parameterBytes);
        DecodedFunction entry = Require(Module.FunctionIndex(kernel.Name));
        while (work.TryDequeue(out DecodedFunction? function))
        {
            entries[function.Identifier] = Code.Count;
            new FunctionDecoder(this, function).Decode();
        }
        KernelProgram program = new(Module, entry, functions, CollectionsMarshal.AsSpan(Code), [.. Info], BlockCount, GuardCount)
        {
            StaticSharedBytes = sharedBytes,
            DynamicSharedOffset = dynamicOffset,
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

    /// <summary>Offset of a shared variable in the block's shared memory; dynamic ones begin behind all others.</summary>
    public int SharedOffset(PtxVariable variable) => shared.TryGetValue(variable, out int offset) ? offset : dynamicOffset;

    /// <summary>A list of operand slots that lives as long as the program.</summary>
    public int* Keep(ReadOnlySpan<int> values)
    {
        int* list = (int*)NativeMemory.Alloc((nuint)Math.Max(values.Length, 1), sizeof(int));
        values.CopyTo(new Span<int>(list, values.Length));
        Lists.Add((nint)list);
        return list;
    }

    // All functions reachable by name count, so that a device function's own shared variables have a place too.
    private void LayOutShared()
    {
        HashSet<string> names = [];
        Queue<PtxFunction> functions = new([kernel]);
        HashSet<PtxFunction> seen = [kernel];
        while (functions.TryDequeue(out PtxFunction? function))
        {
            foreach (PtxVariable variable in function.Variables.Where(variable => variable.Space == PtxSpace.Shared))
                Place(variable);
            foreach (string name in function.Instructions.SelectMany(instruction => instruction.Operands).SelectMany(Names))
            {
                names.Add(name);
                if (Module.Module.Functions.TryGetValue(name, out PtxFunction? callee) && seen.Add(callee))
                    functions.Enqueue(callee);
            }
        }
        foreach (PtxVariable variable in Module.Module.Variables.Values)
        {
            if (variable.Space == PtxSpace.Shared && variable.Size > 0 && names.Contains(variable.Name))
                Place(variable);
        }
        int alignment = Module.Module.Variables.Values.Where(variable => variable.Space == PtxSpace.Shared && variable.Size == 0)
            .Select(variable => variable.Alignment).DefaultIfEmpty(16).Max();
        dynamicOffset = (sharedBytes + alignment - 1) / alignment * alignment;
    }

    private static IEnumerable<string> Names(PtxOperand operand)
        => (operand.Name is null ? [] : new[] { operand.Name }).Concat(operand.Items.SelectMany(Names));

    private void Place(PtxVariable variable)
    {
        if (variable.Size > MaximumSharedBytes)
            throw new EmulationException(EmulationFault.Launch, $"The shared variable {variable.Name} has {variable.Size} bytes; a kernel's shared variables may have {MaximumSharedBytes}", new EmulationSite(Module.Module.Name, kernel.Name));
        sharedBytes = (sharedBytes + variable.Alignment - 1) / variable.Alignment * variable.Alignment;
        shared[variable] = sharedBytes;
        sharedBytes += (int)variable.Size;
        if (sharedBytes > MaximumSharedBytes)
            throw new EmulationException(EmulationFault.Launch, $"The shared variables up to {variable.Name} have {sharedBytes} bytes; a kernel's may have {MaximumSharedBytes}", new EmulationSite(Module.Module.Name, kernel.Name));
    }
}
