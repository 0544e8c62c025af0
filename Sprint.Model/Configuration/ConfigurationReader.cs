using System.Text;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Model.Configuration;

/// <summary>
/// Reads configuration classes from YAML, strictly: keys are the properties' names in snake case, or as <see cref="ConfigurationKeyAttribute"/> says;
/// an unknown key is an error that names the nearest known one; what is left out keeps its property's initial value;
/// <c>[Range]</c> and <c>[MinLength]</c> of System.ComponentModel.DataAnnotations are checked. Every error names file, line, key, value and what is right.
/// </summary>
public static class ConfigurationReader
{
    /// <summary>Reads a file.</summary>
    /// <typeparam name="T">A class with a parameterless constructor; its initialisers are the defaults.</typeparam>
    /// <param name="path">The YAML file.</param>
    /// <param name="overrides">Changes as <c>KEY=VALUE</c>: <c>model.hidden_size=64</c>, <c>stages[0].steps=100</c> or <c>stage1.steps=100</c>.</param>
    /// <exception cref="SprintException">The file cannot be read, or it or an override is not right.</exception>
    public static T Read<T>(string path, IEnumerable<string>? overrides = null)
        where T : class, new()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return Parse<T>(ReadText(path), path, overrides);
    }

    /// <summary>Reads YAML from a text.</summary>
    /// <typeparam name="T">A class with a parameterless constructor; its initialisers are the defaults.</typeparam>
    /// <param name="yaml">The text; an empty one gives the defaults.</param>
    /// <param name="source">What errors call the text.</param>
    /// <param name="overrides">As for <see cref="Read"/>.</param>
    /// <exception cref="SprintException">The text or an override is not right.</exception>
    public static T Parse<T>(string yaml, string source, IEnumerable<string>? overrides = null)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(yaml);
        ConfigurationNode? root = ConfigurationParser.Parse(yaml, source, withLines: true);
        T configuration = root is null ? new T() : (T)new ConfigurationBinder().Bind(typeof(T), root);
        foreach (string change in overrides ?? [])
        {
            // An override changes the complete configuration, so that it may name what the file leaves to the defaults.
            MappingNode complete = (MappingNode)ConfigurationWriter.ToNode(configuration);
            EntryNaming naming = ConfigurationOverride.Apply(complete, typeof(T), change);
            configuration = (T)new ConfigurationBinder(naming).Bind(typeof(T), complete);
        }

        return configuration;
    }

    private static string ReadText(string path)
    {
        try
        {
            FileInfo file = new(path);
            if (file.Exists && file.Length > ConfigurationParser.MaximumLength)
                throw new SprintException($"{path}: a configuration has at most {ConfigurationParser.MaximumLength} bytes, this file has {file.Length}");
            return File.ReadAllText(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
        }
        catch (DecoderFallbackException exception)
        {
            throw new SprintException($"{path}: the file is not text in UTF-8", exception);
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read the configuration", path, exception);
        }
    }
}
