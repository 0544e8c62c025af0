using System.Collections.Concurrent;
using System.Reflection;
using System.Text;

namespace Sprint.Model.Configuration;

/// <summary>A property of a configuration class and what it is called in a file.</summary>
/// <param name="Property">The property.</param>
/// <param name="Name">The name that is written.</param>
/// <param name="Aliases">Other names that are understood.</param>
/// <param name="Nullability">Whether it, and its list's entries, may be null.</param>
internal sealed record ConfigurationProperty(PropertyInfo Property, string Name, IReadOnlyList<string> Aliases, NullabilityInfo Nullability)
{
    public bool IsCalled(string key) => key == Name || Aliases.Contains(key);
}

/// <summary>How an entry of a list is named, in an error as in the change that it is about.</summary>
internal enum EntryNaming
{
    /// <summary><c>stages[0]</c>.</summary>
    Index,

    /// <summary><c>stage1</c>.</summary>
    Number,
}

/// <summary>Names of properties and enum members, and the nearest of them to a misspelt one.</summary>
internal static class ConfigurationNames
{
    private static readonly ConcurrentDictionary<Type, ConfigurationProperty[]> Tables = new();

    /// <summary>All properties that can be set, in the order of their declaration, a base class's first.</summary>
    public static ConfigurationProperty[] Properties(Type type) => Tables.GetOrAdd(type, static type =>
    {
        NullabilityInfoContext context = new();
        return [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanRead && property.SetMethod is { IsPublic: true } && property.GetIndexParameters().Length == 0)
            .OrderBy(property => Depth(property.DeclaringType!))
            .ThenBy(property => property.MetadataToken)
            .Select(property =>
            {
                ConfigurationKeyAttribute? key = property.GetCustomAttribute<ConfigurationKeyAttribute>();
                return new ConfigurationProperty(property, key?.Name ?? SnakeCase(property.Name), key?.Aliases ?? [], context.Create(property));
            })];
    });

    /// <summary>An enum's members: every name that is understood, the first of each member being the one written.</summary>
    public static (object Value, string[] Names)[] EnumMembers(Type type) =>
        [.. type.GetFields(BindingFlags.Public | BindingFlags.Static).OrderBy(field => field.MetadataToken).Select(field =>
        {
            ConfigurationKeyAttribute? key = field.GetCustomAttribute<ConfigurationKeyAttribute>();
            return (field.GetValue(null)!, new[] { key?.Name ?? SnakeCase(field.Name) }.Concat(key?.Aliases ?? []).ToArray());
        })];

    /// <summary>"LearningRate" as "learning_rate"; a run of capitals is one word: "QKNorm" is "qk_norm".</summary>
    public static string SnakeCase(string name)
    {
        StringBuilder result = new();
        for (int index = 0; index < name.Length; index++)
        {
            bool begins = char.IsUpper(name[index]) && index > 0
                && (!char.IsUpper(name[index - 1]) || (index + 1 < name.Length && char.IsLower(name[index + 1])));
            if (begins && name[index - 1] != '_')
                result.Append('_');
            result.Append(char.ToLowerInvariant(name[index]));
        }

        return result.ToString();
    }

    /// <summary>An entry of a list: <c>stages[0]</c> or, where the list has a plural's name, <c>stage1</c>.</summary>
    public static string Entry(string list, int index, EntryNaming naming) =>
        naming == EntryNaming.Number && list.EndsWith('s') ? $"{list[..^1]}{index + 1L}" : $"{list}[{index}]";

    /// <summary>The end of a sentence that helps with an unknown name: the nearest known one, or all of them.</summary>
    public static string Suggest(string unknown, IEnumerable<string> known)
    {
        string[] names = [.. known];
        string? nearest = names.MinBy(name => Distance(unknown, name));
        if (nearest is not null && Distance(unknown, nearest) <= Math.Max(2, unknown.Length / 3))
            return $"did you mean '{nearest}'?";
        return names.Length == 0 ? "there are none" : $"known are {string.Join(", ", names)}";
    }

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other.</summary>
    private static int Distance(string left, string right)
    {
        if (left.Length > 100)
            return int.MaxValue;
        int[,] distance = new int[left.Length + 1, right.Length + 1];
        for (int i = 0; i <= left.Length; i++)
        {
            for (int j = 0; j <= right.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    distance[i, j] = i + j;
                    continue;
                }

                int substitution = distance[i - 1, j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                distance[i, j] = Math.Min(substitution, Math.Min(distance[i - 1, j], distance[i, j - 1]) + 1);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                    distance[i, j] = Math.Min(distance[i, j], distance[i - 2, j - 2] + 1);
            }
        }

        return distance[left.Length, right.Length];
    }

    private static int Depth(Type type) => type.BaseType is null ? 0 : 1 + Depth(type.BaseType);
}
