using System.Text.RegularExpressions;

namespace Sprint.Engine.Cuda;

/// <summary>
/// The name of a kernel as the compiled image has it, and as its author wrote it. Compilers mangle the names of C++ kernels by the Itanium C++ ABI,
/// section 5.1; an extern "C" kernel keeps its plain name.
/// </summary>
public sealed partial record KernelName
{
    private const int MostShown = 50;

    private KernelName(string mangled, DemangledName? parts)
    {
        Mangled = mangled;
        Qualified = parts?.Qualified ?? mangled;
        WithTemplateArguments = parts?.WithTemplateArguments ?? mangled;
        ParameterTypes = parts?.ParameterTypes;
    }

    /// <summary>The entry point's exact name, e.g. _ZN4mine5scaleIfEEvPT_i.</summary>
    public string Mangled { get; }

    /// <summary>The name with its namespaces and classes, without template arguments: mine::scale.</summary>
    public string Qualified { get; }

    /// <summary>The name with the template arguments of the kernel: mine::scale&lt;float&gt;.</summary>
    public string WithTemplateArguments { get; }

    /// <summary>The C++ types of the parameters, or null where the name does not tell: extern "C", or mangled otherwise.</summary>
    public IReadOnlyList<string>? ParameterTypes { get; }

    /// <summary>The name without namespaces and classes: scale.</summary>
    public string Plain => Qualified[(LastSeparator(Qualified) + 1)..];

    /// <summary>The whole declaration: mine::scale&lt;float&gt;(float*, int); for an extern "C" kernel its name.</summary>
    public string Signature => ParameterTypes is null ? WithTemplateArguments : $"{WithTemplateArguments}({string.Join(", ", ParameterTypes)})";

    /// <summary>Reads a name. What is not mangled, or mangled in a way that is not understood, stays as it is.</summary>
    /// <param name="mangled">The entry point's exact name.</param>
    public static KernelName Parse(string mangled)
    {
        ArgumentNullException.ThrowIfNull(mangled);
        return new KernelName(mangled, Demangler.TryRead(mangled));
    }

    /// <summary>
    /// Finds the one kernel that a user means: by its exact name, else by its signature, its name with template arguments, its qualified name, or its
    /// plain name, whichever of these names any kernel first.
    /// </summary>
    /// <param name="entryPoints">The entry points' exact names.</param>
    /// <param name="wanted">What the user wrote.</param>
    /// <param name="origin">Where the entry points are, for errors.</param>
    /// <exception cref="SprintException">No kernel or several answer to the name; the sentence lists what there is.</exception>
    public static KernelName Find(IEnumerable<string> entryPoints, string wanted, string origin)
    {
        ArgumentNullException.ThrowIfNull(entryPoints);
        ArgumentNullException.ThrowIfNull(wanted);
        KernelName[] kernels = [.. entryPoints.Distinct().Select(Parse)];
        if (Array.Find(kernels, kernel => kernel.Mangled == wanted) is { } exact)
        {
            return exact;
        }

        string normal = Normalize(wanted);
        foreach (Func<KernelName, string> form in (Func<KernelName, string>[])
            [static kernel => kernel.Signature, static kernel => kernel.WithTemplateArguments, static kernel => kernel.Qualified, PlainWithTemplateArguments, static kernel => kernel.Plain])
        {
            KernelName[] found = [.. kernels.Where(kernel => Normalize(form(kernel)) == normal)];
            if (found.Length == 1)
            {
                return found[0];
            }

            if (found.Length > 1)
            {
                throw new SprintException($"'{wanted}' names {found.Length} kernels of {origin}: write one of {List(found)}, or its exact name: {string.Join(", ", found.Select(static kernel => kernel.Mangled))}");
            }
        }

        throw new SprintException(kernels.Length == 0
            ? $"{origin} has no kernel: declare one __global__, and instantiate it where it is a template"
            : $"{origin} has no kernel '{wanted}': it has {List(kernels)}");
    }

    /// <summary>Whether a text is the exact name, or a part of the declaration, where spaces do not count.</summary>
    /// <param name="part">The text; an empty one is part of every name.</param>
    public bool Contains(string part)
    {
        ArgumentNullException.ThrowIfNull(part);
        return Mangled == part || Normalize(Signature).Contains(Normalize(part), StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public override string ToString() => Signature;

    /// <summary>What a file has, for errors; of many kernels the first.</summary>
    internal static string List(IEnumerable<KernelName> kernels)
    {
        string[] names = [.. kernels.Select(static kernel => kernel.Signature).Order(StringComparer.Ordinal)];
        string shown = string.Join("; ", names.Take(MostShown));
        return names.Length <= MostShown ? shown : $"{shown}; and {names.Length - MostShown} more";
    }

    private static string PlainWithTemplateArguments(KernelName kernel) => kernel.Plain + kernel.WithTemplateArguments[Math.Min(kernel.Qualified.Length, kernel.WithTemplateArguments.Length)..];


    // 8, 8u and 8ul are the same argument to a reader, and so are more spaces or fewer.
    private static string Normalize(string name) => NumberSuffix().Replace(Space().Replace(name, ""), "");

    private static int LastSeparator(string qualified)
    {
        int depth = 0;
        for (int i = qualified.Length - 1; i > 0; i--)
        {
            depth += qualified[i] is '>' or ')' or '}' ? 1 : qualified[i] is '<' or '(' or '{' ? -1 : 0;
            if (depth == 0 && qualified[i] == ':')
            {
                return i;
            }
        }

        return -1;
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [GeneratedRegex(@"(?<=[<,]-?\d+)[uUlL]+(?=[,>])")]
    private static partial Regex NumberSuffix();
}
