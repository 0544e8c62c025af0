using System.Text;
using System.Text.RegularExpressions;

namespace Sprint.Engine.Cuda;

/// <content>What the file's text tells without a compiler.</content>
public sealed partial class CudaFile
{
    /// <summary>The parameters of an extern "C" kernel as the source declares them (its name does not tell), e.g. const float* x, int n; or null.</summary>
    /// <param name="kernel">The kernel.</param>
    public string? FindDeclaration(KernelName kernel)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        if (IsPtx || kernel.ParameterTypes is not null)
        {
            return null;
        }

        Match declaration = Regex.Match(
            WithoutComments(Text), $@"__global__[^;{{}}]*\b{Regex.Escape(kernel.Plain)}\s*\((?<list>([^(){{}};]|\([^(){{}};]*\))*)\)", RegexOptions.NonBacktracking);
        return declaration.Success ? Regex.Replace(declaration.Groups["list"].Value, @"\s+", " ").Trim() : null;
    }

    private static List<string> EntryPointsOf(string ptx) =>
        [.. EntryPoint().Matches(WithoutComments(ptx)).Select(static match => match.Groups["name"].Value).Distinct()];

    private static string WithoutComments(string text)
    {
        StringBuilder code = new(text.Length);
        for (int i = 0; i < text.Length;)
        {
            int next = text.IndexOf('/', i);
            next = next < 0 || next + 1 == text.Length ? text.Length : next;
            code.Append(text, i, next - i);
            int end = next == text.Length ? next
                : text[next + 1] == '/' ? text.IndexOf('\n', next)
                : text[next + 1] == '*' ? text.IndexOf("*/", next + 2, StringComparison.Ordinal) is >= 0 and int close ? close + 2 : -1
                : next + 1;
            code.Append(end == next + 1 ? '/' : ' ');
            i = end < 0 ? text.Length : end;
        }

        return code.ToString();
    }

    /// <summary>The templates of kernels that a user may mean by a name without arguments; all of them for an empty one.</summary>
    private KernelTemplate[] TemplatesOf(string name) =>
        IsPtx ? [] : [.. KernelTemplate.FindAll(WithoutComments(Text)).Where(template => name.Length == 0 || template.Answers(name))];

    [GeneratedRegex(@"__global__[^;{}]*?\b(?<name>[A-Za-z_]\w*)\s*\(([^(){};]|\([^(){};]*\))*\)\s*\{", RegexOptions.NonBacktracking)]
    private static partial Regex KernelDeclaration();

    [GeneratedRegex(@"\.entry\s+(?<name>[\w$%]+)")]
    private static partial Regex EntryPoint();
}
