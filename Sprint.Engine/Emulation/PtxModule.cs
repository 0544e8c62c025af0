using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation;

/// <summary>
/// PTX text, parsed: functions, variables, source files. Immutable; several memories can load the same module.
/// PTX made by NVRTC, nvcc or clang is accepted, of ISA versions up to 8.x with 64-bit addresses (NVIDIA, "Parallel Thread
/// Execution ISA").
/// </summary>
public sealed class PtxModule
{
    internal PtxModule(string name)
    {
        Name = name;
    }

    /// <summary>The name given to <see cref="Parse"/>; errors use it.</summary>
    public string Name { get; }

    /// <summary>The ISA version of the text, such as 7.8.</summary>
    public string Version { get; internal set; } = "";

    /// <summary>The architecture the text was made for, such as sm_80.</summary>
    public string Target { get; internal set; } = "";

    /// <summary>Names of the kernels that the module defines, in the order of the text.</summary>
    public IReadOnlyList<string> Kernels
        => [.. Functions.Values.Where(function => function.IsKernel && function.HasBody).Select(function => function.Name)];

    /// <summary>The number in <see cref="Target"/>.</summary>
    internal int Architecture { get; set; }

    internal Dictionary<string, PtxFunction> Functions { get; } = [];

    internal Dictionary<string, PtxVariable> Variables { get; } = [];

    internal Dictionary<int, string> Files { get; } = [];

    /// <summary>Parses PTX text.</summary>
    /// <param name="ptx">The text; a closing zero character, as NVRTC returns one, is tolerated.</param>
    /// <param name="name">What errors call the module, for instance the file it came from.</param>
    /// <exception cref="EmulationException">The text is malformed (with its line), or for 32-bit addresses.</exception>
    public static PtxModule Parse(string ptx, string name)
    {
        ArgumentNullException.ThrowIfNull(ptx);
        ArgumentNullException.ThrowIfNull(name);
        return new PtxParser(ptx, name).ParseModule();
    }
}
