using Sprint.Engine;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Sprint.Model.Configuration;

/// <summary>
/// Reads YAML into nodes. Nothing in the text is trusted: its length and its nesting are limited, an alias refers to the node itself
/// rather than to a copy, so that a bomb of aliases takes no room, and tags, which could name types, are refused.
/// </summary>
internal sealed class ConfigurationParser
{
    /// <summary>The longest text in characters.</summary>
    public const int MaximumLength = 1 << 20;

    private const int MaximumDepth = 32;
    private readonly Parser parser;
    private readonly string source;
    private readonly bool withLines;
    private readonly Dictionary<string, ConfigurationNode> anchors = new(StringComparer.Ordinal);

    private ConfigurationParser(string text, string source, bool withLines)
    {
        parser = new Parser(new StringReader(text));
        this.source = source;
        this.withLines = withLines;
    }

    /// <summary>Parses one document.</summary>
    /// <param name="text">The YAML.</param>
    /// <param name="source">What errors call it.</param>
    /// <param name="withLines">Whether errors give line numbers.</param>
    /// <returns>The root, or null for an empty document.</returns>
    /// <exception cref="SprintException">The text is not valid YAML, too long, too deep, more than one document, or uses a tag.</exception>
    public static ConfigurationNode? Parse(string text, string source, bool withLines)
    {
        if (text.Length > MaximumLength)
            throw new SprintException($"{source}: a configuration has at most {MaximumLength} characters, this one has {text.Length}");
        ConfigurationParser parser = new(text, source, withLines);
        try
        {
            return parser.ParseDocument();
        }
        catch (YamlException exception)
        {
            string reason = (exception.InnerException ?? exception).Message.ReplaceLineEndings(" ").TrimEnd('.');
            throw new SprintException($"{parser.Origin(exception.Start)}: not valid YAML: {reason}", exception);
        }
    }

    private ConfigurationNode? ParseDocument()
    {
        parser.Consume<StreamStart>();
        if (parser.TryConsume<StreamEnd>(out _))
            return null;
        parser.Consume<DocumentStart>();
        ConfigurationNode root = ParseNode(0);
        parser.Consume<DocumentEnd>();
        if (!parser.TryConsume<StreamEnd>(out _))
            throw new SprintException($"{Origin(parser.Current!.Start)}: a second document begins where a configuration is one document");
        return root is ScalarNode { IsNull: true } ? null : root;
    }

    private ConfigurationNode ParseNode(int depth)
    {
        if (depth > MaximumDepth)
            throw new SprintException($"{Origin(parser.Current!.Start)}: nested deeper than {MaximumDepth} levels");
        ParsingEvent start = parser.Consume<ParsingEvent>();
        string origin = Origin(start.Start);
        if (start is AnchorAlias alias)
        {
            return anchors.TryGetValue(alias.Value.Value, out ConfigurationNode? target)
                ? target
                : throw new SprintException($"{origin}: the alias '*{alias.Value.Value}' has no anchor before it");
        }

        if (start is NodeEvent { Tag.IsEmpty: false } tagged)
            throw new SprintException($"{origin}: the tag '{tagged.Tag.Value}' is not supported");
        ConfigurationNode node = start switch
        {
            Scalar scalar => new ScalarNode(origin, scalar.Value, scalar.Style == ScalarStyle.Plain),
            SequenceStart => ParseSequence(origin, depth),
            MappingStart => ParseMapping(origin, depth),
            _ => throw new SprintException($"{origin}: a value is missing"),
        };
        if (start is NodeEvent { Anchor.IsEmpty: false } anchored)
            anchors[anchored.Anchor.Value] = node;
        return node;
    }

    private SequenceNode ParseSequence(string origin, int depth)
    {
        SequenceNode sequence = new(origin);
        while (!parser.TryConsume<SequenceEnd>(out _))
            sequence.Items.Add(ParseNode(depth + 1));
        return sequence;
    }

    private MappingNode ParseMapping(string origin, int depth)
    {
        MappingNode mapping = new(origin);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (ParseNode(depth + 1) is not ScalarNode key)
                throw new SprintException($"{origin}: a key must be a single word");
            mapping.Entries.Add(new MappingEntry(key.Origin, key.Text, ParseNode(depth + 1)));
        }

        return mapping;
    }

    private string Origin(Mark mark) => withLines ? $"{source}, line {mark.Line}" : source;
}
