using System.Collections;
using System.Text;
using System.Text.RegularExpressions;

namespace Sprint.Model.Configuration;

/// <summary>Writes a configuration with all its values as YAML that <see cref="ConfigurationReader"/> reads back as the same.</summary>
public static partial class ConfigurationWriter
{
    /// <summary>The whole configuration as YAML, keys in the order of their declaration.</summary>
    /// <param name="configuration">An object of the kind that <see cref="ConfigurationReader"/> makes.</param>
    public static string Write(object configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        StringBuilder text = new();
        AppendEntries(text, (MappingNode)ToNode(configuration), indent: 0, afterDash: false);
        return text.ToString();
    }

    /// <summary>Every single value and list of them by its path, such as <c>stages[0].steps</c>, as it is written.</summary>
    internal static Dictionary<string, string> Values(object configuration)
    {
        Dictionary<string, string> values = new(StringComparer.Ordinal);
        Collect("", ToNode(configuration));
        return values;

        void Collect(string path, ConfigurationNode node)
        {
            if (node is MappingNode mapping)
            {
                foreach (MappingEntry entry in mapping.Entries)
                    Collect(path.Length == 0 ? entry.Key : $"{path}.{entry.Key}", entry.Value);
            }
            else if (node is SequenceNode sequence && sequence.Items.Exists(item => item is not ScalarNode))
            {
                for (int index = 0; index < sequence.Items.Count; index++)
                    Collect($"{path}[{index}]", sequence.Items[index]);
            }
            else
            {
                values.Add(path, Flow(node));
            }
        }
    }

    /// <summary>A value as a node, every property of it included.</summary>
    internal static ConfigurationNode ToNode(object? value)
    {
        if (value is null)
            return new ScalarNode("", "null", Plain: true);
        if (ConfigurationScalars.IsScalar(value.GetType()))
            return ConfigurationScalars.Format(value);
        if (value is IEnumerable list)
        {
            SequenceNode sequence = new("");
            foreach (object? item in list)
                sequence.Items.Add(ToNode(item));
            return sequence;
        }

        MappingNode mapping = new("");
        foreach (ConfigurationProperty property in ConfigurationNames.Properties(value.GetType()))
            mapping.Entries.Add(new MappingEntry("", property.Name, ToNode(property.Property.GetValue(value))));
        return mapping;
    }

    private static void AppendEntries(StringBuilder text, MappingNode mapping, int indent, bool afterDash)
    {
        foreach (MappingEntry entry in mapping.Entries)
        {
            if (!afterDash)
                text.Append(' ', indent);
            afterDash = false;
            text.Append(entry.Key).Append(':');
            AppendValue(text, entry.Value, indent + 2);
        }
    }

    private static void AppendValue(StringBuilder text, ConfigurationNode node, int indent)
    {
        if (node is MappingNode { Entries.Count: > 0 } mapping)
        {
            text.Append('\n');
            AppendEntries(text, mapping, indent, afterDash: false);
        }
        else if (node is SequenceNode sequence && sequence.Items.Exists(item => item is not ScalarNode))
        {
            text.Append('\n');
            foreach (ConfigurationNode item in sequence.Items)
            {
                text.Append(' ', indent).Append('-');
                if (item is MappingNode { Entries.Count: > 0 } entries)
                    AppendEntries(text.Append(' '), entries, indent + 2, afterDash: true);
                else
                    AppendValue(text, item, indent + 2);
            }
        }
        else
        {
            text.Append(' ').Append(Flow(node)).Append('\n');
        }
    }

    private static string Flow(ConfigurationNode node) => node switch
    {
        MappingNode => "{}",
        SequenceNode sequence => $"[{string.Join(", ", sequence.Items.Select(Flow))}]",
        ScalarNode { Plain: false } scalar when !Simple().IsMatch(scalar.Text) || Reserved().IsMatch(scalar.Text) => Quote(scalar.Text),
        _ => ((ScalarNode)node).Text,
    };

    private static string Quote(string text)
    {
        StringBuilder quoted = new("\"");
        foreach (char letter in text)
        {
            if (letter is '"' or '\\')
                quoted.Append('\\').Append(letter);
            else if (char.IsControl(letter) || letter is '\u2028' or '\u2029' or '\uFEFF' or > '\uFFFD')
                quoted.Append($"\\u{(int)letter:X4}");
            else
                quoted.Append(letter);
        }

        return quoted.Append('"').ToString();
    }

    [GeneratedRegex(@"^[A-Za-z_./]([A-Za-z0-9_./ -]*[A-Za-z0-9_./-])?\z")]
    private static partial Regex Simple();

    [GeneratedRegex(@"^(true|false|null|yes|no|on|off|y|n|\.nan|\.inf)\z", RegexOptions.IgnoreCase)]
    private static partial Regex Reserved();
}
