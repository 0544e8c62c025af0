using System.Text;

namespace Sprint.Engine.Emulation;

/// <summary>
/// What the emulator found, with the place: kernel, block, thread, line of the CUDA source (where the PTX was made with
/// <c>-lineinfo</c>) and PTX instruction. Fields that do not apply are null.
/// </summary>
public sealed class EmulationException : SprintException
{
    private const int MaximumDetailShown = 2000;

    internal EmulationException(EmulationFault fault, string detail, EmulationSite site = default)
        : base(Describe(detail, site))
    {
        Fault = fault;
        Detail = detail;
        Module = site.Module;
        Kernel = site.Kernel;
        Function = site.Function;
        Block = site.Block;
        Thread = site.Thread;
        SourceFile = site.SourceFile;
        SourceLine = site.SourceLine;
        CallerFile = site.CallerFile;
        CallerLine = site.CallerLine;
        Instruction = site.Instruction;
        PtxLine = site.PtxLine;
    }

    /// <summary>The kind of fault.</summary>
    public EmulationFault Fault { get; }

    /// <summary>What happened, without the place.</summary>
    public string Detail { get; }

    /// <summary>Name of the PTX module.</summary>
    public string? Module { get; }

    /// <summary>Name of the kernel that was launched.</summary>
    public string? Kernel { get; }

    /// <summary>Name of the device function that was executing, which is the kernel unless a call was not inlined.</summary>
    public string? Function { get; }

    /// <summary>The block's position in the grid.</summary>
    public LaunchIndex? Block { get; }

    /// <summary>The thread's position in the block.</summary>
    public LaunchIndex? Thread { get; }

    /// <summary>The CUDA source file.</summary>
    public string? SourceFile { get; }

    /// <summary>The line in <see cref="SourceFile"/>, from 1.</summary>
    public int? SourceLine { get; }

    /// <summary>Of an inlined function the file of the outermost call, which is in the kernel itself.</summary>
    public string? CallerFile { get; }

    /// <summary>The line in <see cref="CallerFile"/>, from 1.</summary>
    public int? CallerLine { get; }

    /// <summary>The PTX instruction as the module has it.</summary>
    public string? Instruction { get; }

    /// <summary>The line in the PTX text, from 1.</summary>
    public int? PtxLine { get; }

    private static string Describe(string detail, in EmulationSite site)
    {
        StringBuilder text = new(detail.Length > MaximumDetailShown ? detail[..MaximumDetailShown] + "..." : detail.TrimEnd('.'));
        if (site.Kernel is not null)
            text.Append($", in kernel {site.Kernel}");
        else if (site.Module is not null)
            text.Append($", in module {site.Module}");
        if (site.Function is not null && site.Function != site.Kernel)
            text.Append($", function {site.Function}");
        if (site.Block is { } block)
            text.Append($", block {block}");
        if (site.Thread is { } thread)
            text.Append($", thread {thread}");
        if (site.SourceFile is not null)
            text.Append($", at {site.SourceFile}:{site.SourceLine}");
        if (site.CallerFile is not null)
            text.Append($", inlined at {site.CallerFile}:{site.CallerLine}");
        if (site.Instruction is not null)
            text.Append($", PTX line {site.PtxLine}: {site.Instruction}");
        else if (site.PtxLine is not null)
            text.Append($", PTX line {site.PtxLine}");
        return text.Append('.').ToString();
    }
}

/// <summary>Where something happened; what is unknown is null.</summary>
internal readonly record struct EmulationSite(
    string? Module = null,
    string? Kernel = null,
    string? Function = null,
    LaunchIndex? Block = null,
    LaunchIndex? Thread = null,
    string? SourceFile = null,
    int? SourceLine = null,
    string? Instruction = null,
    int? PtxLine = null,
    string? CallerFile = null,
    int? CallerLine = null);
