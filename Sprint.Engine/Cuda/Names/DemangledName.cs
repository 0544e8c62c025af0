namespace Sprint.Engine.Cuda;

/// <summary>The parts of a demangled function.</summary>
/// <param name="Qualified">With namespaces and classes, without the function's own template arguments.</param>
/// <param name="WithTemplateArguments">With them.</param>
/// <param name="ParameterTypes">The types of the parameters.</param>
internal sealed record DemangledName(string Qualified, string WithTemplateArguments, IReadOnlyList<string> ParameterTypes);

/// <summary>A type as C++ writes it around a declarator: "int (*" and ")[4]" for a pointer to an array.</summary>
/// <param name="Left">What stands before the name.</param>
/// <param name="Right">What stands behind it.</param>
/// <param name="Wraps">Whether a pointer or reference to it needs parentheses: functions and arrays.</param>
internal readonly record struct DemangledType(string Left, string Right = "", bool Wraps = false)
{
    /// <summary>A pointer or reference to this type.</summary>
    public DemangledType PointedToBy(string sign) => Wraps ? new DemangledType($"{Left} ({sign}", ")" + Right) : new DemangledType(Left + sign, Right);

    /// <summary>This type with a qualifier: before a plain type, as in "const float", behind a pointer.</summary>
    public DemangledType Qualified(string qualifier) =>
        Right.Length > 0 || Left.EndsWith('*') || Left.EndsWith('&') ? new($"{Left} {qualifier}", Right, Wraps) : new($"{qualifier} {Left}");

    /// <inheritdoc/>
    public override string ToString() => Left + Right;
}

/// <summary>A template argument: one text, or the texts of a pack.</summary>
/// <param name="Texts">The texts.</param>
/// <param name="IsPack">Whether it is a pack.</param>
internal readonly record struct DemangledArgument(IReadOnlyList<DemangledType> Texts, bool IsPack);
