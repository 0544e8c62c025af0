using Sprint.Engine;

namespace Sprint.Model.Configuration;

/// <summary>A value of a configuration before it has a type.</summary>
/// <param name="Origin">Where it stands, for errors: a file's name and a line, or a command line's override.</param>
internal abstract record ConfigurationNode(string Origin)
{
    /// <summary>The error "ORIGIN: reason".</summary>
    public SprintException Fault(string reason) => new($"{Origin}: {reason}");

    /// <summary>How the value is called in an error.</summary>
    public abstract string Describe();
}

/// <summary>A single value.</summary>
/// <param name="Origin">Where it stands.</param>
/// <param name="Text">Its text.</param>
/// <param name="Plain">Whether it is written without quotes, so that it may be a number, a truth value or nothing.</param>
internal sealed record ScalarNode(string Origin, string Text, bool Plain) : ConfigurationNode(Origin)
{
    /// <summary>Whether it is YAML's null.</summary>
    public bool IsNull => Plain && Text is "" or "~" or "null" or "Null" or "NULL";

    public override string Describe() => IsNull ? "empty" : Plain ? Shorten(Text) : $"the text '{Shorten(Text)}'";

    private static string Shorten(string text)
    {
        string line = text.ReplaceLineEndings(" ");
        return line.Length <= 60 ? line : line[..57] + "...";
    }
}

/// <summary>A list.</summary>
internal sealed record SequenceNode(string Origin) : ConfigurationNode(Origin)
{
    public List<ConfigurationNode> Items { get; } = [];

    public override string Describe() => "a list";
}

/// <summary>Keys with values, in the order in which they stand.</summary>
internal sealed record MappingNode(string Origin) : ConfigurationNode(Origin)
{
    public List<MappingEntry> Entries { get; } = [];

    public override string Describe() => "a group of keys";
}

/// <summary>One key of a mapping.</summary>
/// <param name="Origin">Where the key stands.</param>
/// <param name="Key">The key.</param>
/// <param name="Value">Its value.</param>
internal sealed record MappingEntry(string Origin, string Key, ConfigurationNode Value);
