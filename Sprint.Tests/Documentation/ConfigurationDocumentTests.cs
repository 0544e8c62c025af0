using NUnit.Framework;
using Sprint.Model.Configuration;
using Sprint.Tests.Model.Data;

namespace Sprint.Tests.Documentation;

[TestFixture]
internal sealed class ConfigurationDocumentTests
{
    [TestCase("model")]
    [TestCase("data")]
    [TestCase("loss")]
    [TestCase("stages")]
    [TestCase("samples")]
    [TestCase("checkpoints")]
    public void Every_key_of_a_section_is_there_with_its_default_and_its_other_name_and_no_other(string section)
    {
        TrainingConfiguration defaults = new();
        object values = section switch
        {
            "model" => defaults.Model,
            "data" => defaults.Data,
            "loss" => defaults.Loss,
            "stages" => defaults.Stages[0],
            "samples" => defaults.Samples,
            _ => defaults.Checkpoints,
        };
        string[] document = File.ReadAllLines(RepositoryFolder.Find("docs/configuration.md"));
        string[] rows = [.. document.SkipWhile(line => line != $"## {section}").Skip(1).TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal)).Where(line => line.StartsWith("| `", StringComparison.Ordinal))];
        string[] expected = [.. ConfigurationNames.Properties(values.GetType()).Select(property =>
        {
            string value = ((ScalarNode)ConfigurationWriter.ToNode(property.Property.GetValue(values))).Text;
            string other = string.Concat(property.Aliases.Select(alias => $"`{alias}`"));
            return $"| `{property.Name}` | `{(value.Length == 0 ? "\"\"" : value)}` | {other} | ";
        })];
        Assert.That(rows, Has.Length.EqualTo(expected.Length));
        for (int i = 0; i < rows.Length; i++)
        {
            Assert.That(rows[i], Does.StartWith(expected[i]));
        }
    }
}
