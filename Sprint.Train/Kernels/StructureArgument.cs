using Sprint.Engine;

namespace Sprint.Train;

/// <summary>A structure by value, laid out as C++ does: each member at the next multiple of its alignment, the size a multiple of the greatest.</summary>
/// <param name="Text">What the user wrote.</param>
/// <param name="Members">The members in order, structures again among them.</param>
internal sealed record StructureArgument(string Text, IReadOnlyList<KernelArgument> Members) : KernelArgument(Text)
{
    private const string Opening = "struct:{";
    private const int MostLevels = 16;
    private const string Grammar = "write struct:{ARG,ARG,...}, each member as an argument of its own: struct:{f32[1024]=ones,i32:7}";

    /// <summary>Where each member begins, in bytes.</summary>
    internal IReadOnlyList<int> Offsets { get; } = Layout(Members);

    internal override int Alignment => Members.Max(static member => member.Alignment);

    internal override int Size => Aligned(Offsets[^1] + Members[^1].Size, Alignment);

    internal static bool IsMeant(string text) => text.StartsWith("struct:", StringComparison.Ordinal);

    /// <summary>Reads a structure.</summary>
    /// <exception cref="SprintException">It, or a member, is no argument.</exception>
    internal static StructureArgument Read(string text)
    {
        if (!text.StartsWith(Opening, StringComparison.Ordinal) || !text.EndsWith('}'))
        {
            throw Refuse(text, $"is no structure: {Grammar}");
        }

        return new StructureArgument(text, [.. Split(text, text[Opening.Length..^1]).Select(member => Member(text, member))]);
    }

    private static KernelArgument Member(string text, string member)
    {
        if (member.Length == 0)
        {
            throw Refuse(text, $"has an empty member: {Grammar}");
        }

        try
        {
            return Parse(member);
        }
        catch (SprintException fault) when (fault.Message.StartsWith($"{Option} '{member}'", StringComparison.Ordinal))
        {
            throw new SprintException($"{Option} '{text}': its member{fault.Message[Option.Length..]}", fault);
        }
    }

    /// <summary>The members' texts: commas within a shape or a structure part none.</summary>
    private static List<string> Split(string text, string members)
    {
        var parts = new List<string>();
        (int depth, int begin) = (0, 0);
        for (int i = 0; i < members.Length; i++)
        {
            depth += members[i] switch { '[' or '{' => 1, ']' or '}' => -1, _ => 0 };
            if (depth is < 0 or > MostLevels)
            {
                break;
            }

            if (members[i] == ',' && depth == 0)
            {
                parts.Add(members[begin..i].Trim());
                begin = i + 1;
            }
        }

        parts.Add(members[begin..].Trim());
        return depth == 0 ? parts
            : throw Refuse(text, depth > MostLevels ? $"has more than {MostLevels} structures within each other" : $"has brackets that do not match: {Grammar}");
    }

    private static int[] Layout(IReadOnlyList<KernelArgument> members)
    {
        var offsets = new int[members.Count];
        int end = 0;
        for (int i = 0; i < offsets.Length; i++)
        {
            offsets[i] = Aligned(end, members[i].Alignment);
            end = offsets[i] + members[i].Size;
        }

        return offsets;
    }

    private static int Aligned(int offset, int alignment) => (offset + alignment - 1) / alignment * alignment;
}
