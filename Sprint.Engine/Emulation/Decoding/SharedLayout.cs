using System.Numerics;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation.Memory;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>
/// Where a kernel's shared variables lie. The emulator parts each from the next by a gap that no access may touch, so that an index that runs from one into
/// another is seen. A GPU has no gaps: sizes and limits are those without, and a gap is a multiple of what all 32 banks hold, so that it moves nothing to another bank.
/// </summary>
internal sealed class SharedLayout
{
    private const int BankRow = 128;
    private const int MaximumBytes = 1 << 24;
    private const int MaximumVariables = 4096;
    private const int MaximumGap = 1024;

    private readonly EmulationSite site;
    private readonly Dictionary<PtxVariable, int> places = [];
    private readonly List<SharedVariable> variables = [];
    private readonly int dynamicPlace;
    private readonly string? dynamicName;
    private int shift;

    /// <summary>Lays out what a kernel needs.</summary>
    /// <param name="site">The kernel, for errors.</param>
    /// <param name="variables">The shared variables of the kernel and of all functions that it can reach; those without size are dynamic.</param>
    /// <exception cref="EmulationException">They are too many or too large.</exception>
    public SharedLayout(EmulationSite site, IReadOnlyCollection<PtxVariable> variables)
    {
        this.site = site;
        foreach (PtxVariable variable in variables.Where(variable => variable.Size > 0))
            Place(variable);
        PtxVariable[] dynamic = [.. variables.Where(variable => variable.Size == 0)];
        DynamicOffset = AlignUp(StaticBytes, dynamic.Select(variable => variable.Alignment).DefaultIfEmpty(16).Max());
        // Kernels align the parts of dynamic shared memory themselves, up to 1024 bytes for what others read by the row.
        dynamicPlace = DynamicOffset + (this.variables.Count == 0 ? 0 : AlignUp(shift + Gap(this.variables[^1].Bytes), MaximumGap));
        dynamicName = dynamic is [var only] ? NameOf(only) : dynamic.Length > 1 ? "the dynamic shared memory" : null;
    }

    /// <summary>Bytes of the variables that have a size.</summary>
    public int StaticBytes { get; private set; }

    /// <summary>Where dynamic shared memory begins, gaps not counted.</summary>
    public int DynamicOffset { get; }

    /// <summary>The address of a variable in the emulator's shared memory, gaps counted; all dynamic ones have the same.</summary>
    public int PlaceOf(PtxVariable variable) => places.GetValueOrDefault(variable, dynamicPlace);

    /// <summary>The shared memory of a launch.</summary>
    /// <param name="dynamicBytes">Bytes of its dynamic part.</param>
    public SharedMap Map(int dynamicBytes)
        => new(dynamicBytes > 0 || dynamicName is not null ? [.. variables, new SharedVariable(dynamicName ?? "the dynamic shared memory", dynamicPlace, dynamicBytes, DynamicOffset)] : [.. variables]);

    private void Place(PtxVariable variable)
    {
        if (variable.Size > MaximumBytes)
            throw Refuse($"The shared variable {variable.Name} has {variable.Size} bytes; a kernel's shared variables may have {MaximumBytes}");
        if (variables.Count == MaximumVariables)
            throw Refuse($"The kernel has more than {MaximumVariables} shared variables");
        int offset = AlignUp(StaticBytes, variable.Alignment);
        if (variables.Count > 0)
            shift = AlignUp(shift + Gap(Math.Max(variable.Size, variables[^1].Bytes)), Math.Max(BankRow, (int)BitOperations.RoundUpToPowerOf2((uint)variable.Alignment)));
        places[variable] = offset + shift;
        variables.Add(new SharedVariable(NameOf(variable), offset + shift, (int)variable.Size, offset));
        StaticBytes = offset + (int)variable.Size;
        if (StaticBytes > MaximumBytes)
            throw Refuse($"The shared variables up to {variable.Name} have {StaticBytes} bytes; a kernel's may have {MaximumBytes}");
    }

    // As wide as the larger of the neighbours, or as a row of a tile is likely to be, so that one row too many is seen as well as one element.
    private static int Gap(long bytes) => AlignUp((int)Math.Min(bytes, MaximumGap), BankRow);

    private static string NameOf(PtxVariable variable) => KernelName.Parse(variable.Name).Plain;

    private static int AlignUp(int value, int alignment) => (value + alignment - 1) / alignment * alignment;

    private EmulationException Refuse(string detail) => new(EmulationFault.Launch, detail, site);
}
