namespace Sprint.Engine.Cuda;

/// <summary>
/// Reads names mangled by the Itanium C++ ABI (section 5.1), as far as kernels have them: namespaces, classes, templates with types, numbers,
/// functions and packs as arguments, substitutions, and the types of parameters. What it does not know makes the whole name unknown. Names may come from
/// hostile files: depth and length of what is read are bounded.
/// </summary>
internal sealed partial class Demangler
{
    private const int MostDepth = 64;
    private const int MostLength = 4096;
    private const int MostSteps = 100_000;

    private readonly string text;
    private readonly List<DemangledType> substitutions = [];
    private IReadOnlyList<DemangledArgument> arguments = [];
    private IReadOnlyList<DemangledArgument> lastArguments = [];
    private int position;
    private int depth;
    private int steps;

    private Demangler(string text)
    {
        this.text = text;
    }

    /// <summary>The parts of a mangled function name, or null where it is none or is not understood.</summary>
    public static DemangledName? TryRead(string mangled)
    {
        if (!mangled.StartsWith("_Z", StringComparison.Ordinal) || mangled.Length > MostLength)
        {
            return null;
        }

        Demangler reader = new(mangled) { position = 2 };
        try
        {
            DemangledName name = reader.ReadFunction();
            return reader.position == mangled.Length && name.WithTemplateArguments.Length + name.ParameterTypes.Sum(static type => type.Length) <= MostLength ? name : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>The parameter types of the function type that is the only template argument of a mangled variable, or null.</summary>
    /// <param name="mangled">The name, e.g. _Z16sprint_signatureIFvPKfiEE.</param>
    /// <param name="variable">The variable's plain name: sprint_signature.</param>
    public static IReadOnlyList<string>? TryReadSignature(string mangled, string variable)
    {
        Demangler reader = new(mangled);
        try
        {
            reader.Require(reader.Take($"_Z{variable.Length}{variable}I") && mangled.Length <= MostLength);
            reader.Remember(new DemangledType(variable));
            (_, List<string> parameters) = reader.ReadFunctionParts();
            reader.Require(reader.text[reader.position..] == "E");
            return parameters is ["void"] ? [] : parameters;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>encoding: name, return type, parameters.</summary>
    private DemangledName ReadFunction()
    {
        (string qualified, string templateArguments) = ReadName();
        if (templateArguments.Length > 0)
        {
            // The list that ended last is the function's own; only of templates is the return type part of the name.
            arguments = lastArguments;
            ReadType();
        }

        List<string> parameters = [];
        while (position < text.Length && Current != 'E')
        {
            parameters.AddRange(ReadTypes().Select(static type => type.ToString()));
        }

        return new DemangledName(qualified, qualified + templateArguments, parameters is ["void"] ? [] : parameters);
    }
}
