namespace Sprint.Model.Configuration;

/// <summary>
/// Names under which a property or an enum member appears in a configuration file besides, or instead of, its own name in snake case.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class ConfigurationKeyAttribute : Attribute
{
    /// <summary>Adds names.</summary>
    /// <param name="aliases">Other names that are understood, such as those of another program's files.</param>
    public ConfigurationKeyAttribute(params string[] aliases) => Aliases = aliases;

    /// <summary>Other names that are understood.</summary>
    public IReadOnlyList<string> Aliases { get; }

    /// <summary>The name that is written and understood in place of the snake-case one.</summary>
    public string? Name { get; init; }
}
