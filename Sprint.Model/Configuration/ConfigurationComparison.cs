namespace Sprint.Model.Configuration;

/// <summary>One value in which two configurations differ.</summary>
/// <param name="Key">The key, as <c>--set</c> takes it: <c>stage1.learning_rate</c>.</param>
/// <param name="Before">The value of the first, as a file has it.</param>
/// <param name="Now">The value of the second.</param>
public sealed record ConfigurationChange(string Key, string Before, string Now);

/// <summary>Finds the values in which two configurations differ.</summary>
public static class ConfigurationComparison
{
    private const string Stages = "stages";

    /// <summary>Compares two configurations.</summary>
    /// <param name="before">The first.</param>
    /// <param name="now">The second.</param>
    /// <returns>What differs, in the order of the file; where one has more stages, their number under the key <c>stages</c>.</returns>
    public static IReadOnlyList<ConfigurationChange> Compare(TrainingConfiguration before, TrainingConfiguration now)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(now);
        Dictionary<string, string> old = ConfigurationWriter.Values(before);
        Dictionary<string, string> young = ConfigurationWriter.Values(now);
        var changes = new List<ConfigurationChange>();
        foreach ((string path, string value) in old)
        {
            if (young.TryGetValue(path, out string? other) && other != value)
            {
                changes.Add(new ConfigurationChange(Key(path), value, other));
            }
        }

        if (before.Stages.Count != now.Stages.Count)
        {
            changes.Add(new ConfigurationChange(Stages, $"{before.Stages.Count} in all", $"{now.Stages.Count} in all"));
        }

        return changes;
    }

    /// <summary><c>stages[0].steps</c> as <c>stage1.steps</c>.</summary>
    private static string Key(string path)
    {
        const string Indexed = Stages + "[";
        if (!path.StartsWith(Indexed, StringComparison.Ordinal))
        {
            return path;
        }

        int end = path.IndexOf(']', StringComparison.Ordinal);
        return $"stage{int.Parse(path[Indexed.Length..end]) + 1}{path[(end + 1)..]}";
    }
}
