using System.Text.RegularExpressions;
using Sprint.Engine;

namespace Sprint.Model.Configuration;

/// <summary>
/// One change from the command line, <c>PATH=VALUE</c>: <c>model.hidden_size=64</c>, <c>stages[0].steps=100</c>, or, the same, <c>stage1.steps=100</c>.
/// </summary>
internal static partial class ConfigurationOverride
{
    /// <summary>Changes a tree that holds every value of a configuration.</summary>
    /// <returns>How the change names entries of lists, for what else may be wrong with it.</returns>
    /// <exception cref="SprintException">The path does not lead to a value.</exception>
    public static EntryNaming Apply(MappingNode root, Type rootType, string text)
    {
        string origin = $"--set {text}";
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
            throw new SprintException($"{origin}: an override is KEY=VALUE, such as stage1.steps=100");
        string value = text[(equals + 1)..].Trim();
        string[] segments = text[..equals].Trim().Split('.');
        MappingNode mapping = root;
        Type type = rootType;
        string path = "";
        EntryNaming naming = EntryNaming.Index;
        for (int depth = 0; ; depth++)
        {
            (ConfigurationProperty property, List<int> indices, EntryNaming own) = Locate(type, segments[depth], origin, path);
            naming = own == EntryNaming.Number ? own : naming;
            path = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
            bool last = depth == segments.Length - 1;
            int entry = mapping.Entries.FindIndex(entry => entry.Key == property.Name);
            (ConfigurationNode node, type) = (mapping.Entries[entry].Value, property.Property.PropertyType);
            Action<ConfigurationNode> replace = node => mapping.Entries[entry] = new MappingEntry(origin, property.Name, node);
            foreach (int index in indices)
            {
                SequenceNode sequence = node as SequenceNode ?? throw new SprintException($"{origin}: {path} is not a list");
                string item = ConfigurationNames.Entry(path, index, naming);
                if (index >= sequence.Items.Count)
                    throw new SprintException($"{origin}: {path} has {sequence.Items.Count} entries, there is no {item}");
                (node, type) = (sequence.Items[index], ConfigurationBinder.ElementType(type)!);
                replace = node => sequence.Items[index] = node;
                path = item;
            }

            type = Nullable.GetUnderlyingType(type) ?? type;
            if (last)
            {
                replace(ParseValue(value, type, origin));
                return naming;
            }

            if (ConfigurationScalars.IsScalar(type) || ConfigurationBinder.ElementType(type) is not null)
                throw new SprintException($"{origin}: {path} has no keys below it");
            if (node is not MappingNode)
                replace(node = ConfigurationWriter.ToNode(Activator.CreateInstance(type)));
            mapping = (MappingNode)node;
        }
    }

    private static (ConfigurationProperty Property, List<int> Indices, EntryNaming Naming) Locate(Type type, string segment, string origin, string path)
    {
        Match match = Segment().Match(segment);
        if (!match.Success)
            throw new SprintException($"{origin}: '{segment}' is not a key: keys look like hidden_size, stages[0] or stage1");
        string name = match.Groups["name"].Value;
        List<int> indices = [.. match.Groups["index"].Captures.Select(capture => int.TryParse(capture.Value, out int index) ? index : int.MaxValue)];
        ConfigurationProperty[] properties = ConfigurationNames.Properties(type);
        ConfigurationProperty? found = Array.Find(properties, property => property.IsCalled(name));
        EntryNaming naming = EntryNaming.Index;
        if (found is null && NumberedEntry().Match(name) is { Success: true } numbered && int.TryParse(numbered.Groups["number"].Value, out int number))
        {
            found = Array.Find(properties, property => property.IsCalled(numbered.Groups["name"].Value + "s"));
            indices.Insert(0, number - 1);
            naming = EntryNaming.Number;
        }

        if (found is not null)
            return (found, indices, naming);
        string place = path.Length == 0 ? "" : $" in {path}";
        throw new SprintException($"{origin}: unknown key '{name}'{place}: {ConfigurationNames.Suggest(name, properties.Select(property => property.Name))}");
    }

    /// <summary>A text is taken as it stands, so that paths need no quotes; anything else is YAML, so that lists are possible.</summary>
    private static ConfigurationNode ParseValue(string value, Type type, string origin) => type == typeof(string)
        ? new ScalarNode(origin, value, Plain: true)
        : ConfigurationParser.Parse(value, origin, withLines: false) ?? new ScalarNode(origin, "", Plain: true);

    [GeneratedRegex(@"^(?<name>[A-Za-z_][A-Za-z0-9_-]*)(\[(?<index>\d+)\])*$")]
    private static partial Regex Segment();

    [GeneratedRegex(@"^(?<name>.*[^\d])(?<number>[1-9]\d*)$")]
    private static partial Regex NumberedEntry();
}
