using System.Text.RegularExpressions;

namespace Sprint.Engine.Cuda;

/// <summary>A template of a kernel, as a source declares it.</summary>
/// <param name="Qualified">Its name with the namespaces around it: mine::scale.</param>
/// <param name="Parameters">Its template parameters, e.g. class T, int N = 4.</param>
internal sealed partial record KernelTemplate(string Qualified, IReadOnlyList<string> Parameters)
{
    private const int MostHeadCharacters = 4096;

    /// <summary>What users see: mine::scale&lt;class T, int N = 4&gt;.</summary>
    public string Declaration => $"{Qualified}<{string.Join(", ", Parameters)}>";

    /// <summary>An instantiation, as far as one can be guessed: mine::scale&lt;float, 4&gt;.</summary>
    public string Example => $"{Qualified}<{string.Join(", ", Parameters.Where(static parameter => !parameter.Contains('=', StringComparison.Ordinal)).Select(ExampleOf))}>";

    /// <summary>Finds the templates of kernels in a source; one that only macros show to be a kernel's is not found.</summary>
    /// <param name="code">The source without its comments.</param>
    public static IReadOnlyList<KernelTemplate> FindAll(string code)
    {
        List<KernelTemplate> found = [];
        List<string> scopes = [];
        int next = 0;
        for (Match match = Landmark().Match(code); match.Success; match = Landmark().Match(code, next))
        {
            next = match.Index + match.Length;
            switch (match.Value[0])
            {
                case '{':
                    scopes.Add("");
                    break;
                case '}' when scopes.Count > 0:
                    scopes.RemoveAt(scopes.Count - 1);
                    break;
                case 'n':
                    scopes.Add(match.Groups["space"].Value);
                    break;
                case 't' when ParametersAt(code, ref next) is { } parameters && Head().Match(code, next, Math.Min(code.Length - next, MostHeadCharacters)) is { Success: true } head:
                    found.Add(new KernelTemplate(string.Concat(scopes.Where(static scope => scope.Length > 0).Select(static scope => scope + "::")) + head.Groups["name"].Value, parameters));
                    break;
            }
        }

        return found;
    }

    /// <summary>Whether a user may mean this one by a name without arguments: scale or mine::scale.</summary>
    /// <param name="name">The name.</param>
    public bool Answers(string name) => Qualified == name || Qualified.EndsWith("::" + name, StringComparison.Ordinal);

    /// <summary>
    /// What C++ takes for a kernel by its name and the types of its parameters: (void(*)(float*, int))scale&lt;float&gt; for scale&lt;float&gt;(float*, int). A name without them
    /// stays as it is.
    /// </summary>
    /// <param name="kernel">The kernel as a user wrote it.</param>
    public static string ExpressionOf(string kernel)
    {
        string text = kernel.Trim();
        int depth = 0;
        for (int i = text.Length - 1; i > 0 && text[^1] == ')'; i--)
        {
            depth += text[i] switch { ')' => 1, '(' => -1, _ => 0 };
            if (depth == 0)
            {
                return $"(void(*){text[i..]}){text[..i]}";
            }
        }

        return kernel;
    }

    private static string ExampleOf(string parameter) => Kind().Match(parameter).Groups["kind"].Value switch
    {
        "class" or "typename" => "float",
        "bool" => "true",
        "" => LastWord().Match(parameter).Value,
        _ => "4",
    };

    private static List<string>? ParametersAt(string code, ref int next)
    {
        List<string> parameters = [];
        (int angles, int others, int begin) = (0, 0, next);
        for (; next < code.Length && code[next] is not (';' or '{'); next++)
        {
            char letter = code[next];
            others += letter is '(' or '[' ? 1 : letter is ')' or ']' ? -1 : 0;
            if (others != 0)
            {
                continue;
            }

            if ((letter == ',' || letter == '>') && angles == 0)
            {
                parameters.Add(Blanks().Replace(code[begin..next], " ").Trim());
                begin = next + 1;
                if (letter == '>')
                {
                    next++;
                    return parameters;
                }
            }

            angles += letter switch { '<' => 1, '>' => -1, _ => 0 };
        }

        return null;
    }

    [GeneratedRegex(@"\bnamespace(\s+(?<space>\w[\w:]*))?\s*\{|\btemplate\s*<|[{}]")]
    private static partial Regex Landmark();

    [GeneratedRegex(@"^[^;{}]*\b__global__\b[^;{}]*?\b(?<name>[A-Za-z_]\w*)\s*\(([^(){};]|\([^(){};]*\))*\)\s*[{;]", RegexOptions.NonBacktracking)]
    private static partial Regex Head();

    [GeneratedRegex(@"^(const )?(?<kind>class|typename|bool|auto|int|unsigned|signed|long|short|char|u?int\d+_t|(std::)?size_t)\b")]
    private static partial Regex Kind();

    [GeneratedRegex(@"\w+$")]
    private static partial Regex LastWord();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
