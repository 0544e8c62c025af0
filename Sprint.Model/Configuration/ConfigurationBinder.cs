using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Sprint.Engine;

namespace Sprint.Model.Configuration;

/// <summary>
/// Turns nodes into configuration objects: public settable properties by name, nested classes, lists, enums and single values.
/// What a file does not mention keeps the value of the property's initialiser.
/// </summary>
/// <param name="naming">How errors name entries of lists.</param>
internal sealed class ConfigurationBinder(EntryNaming naming = EntryNaming.Index)
{
    /// <summary>How many values one configuration may have, counted where aliases repeat them.</summary>
    private const int MaximumValues = 100_000;

    private int values;

    /// <summary>Makes an object of a type from a node.</summary>
    /// <exception cref="SprintException">An unknown or repeated key, a wrong type or a value out of range.</exception>
    public object Bind(Type type, ConfigurationNode node) => BindObject(type, node, path: "", defaults: null);

    private object BindObject(Type type, ConfigurationNode node, string path, object? defaults)
    {
        if (node is not MappingNode mapping)
            throw node.Fault($"{(path.Length == 0 ? "the configuration" : path)} is {node.Describe()}, but must be a group of keys");
        ConfigurationProperty[] properties = ConfigurationNames.Properties(type);
        object result = Activator.CreateInstance(type)!;
        if (defaults is not null)
        {
            foreach (ConfigurationProperty property in properties)
                property.Property.SetValue(result, property.Property.GetValue(defaults));
        }

        HashSet<ConfigurationProperty> seen = [];
        foreach (MappingEntry entry in mapping.Entries)
        {
            ConfigurationProperty property = Array.Find(properties, property => property.IsCalled(entry.Key)) ?? throw Unknown(entry, path, properties);
            if (!seen.Add(property))
                throw new SprintException($"{entry.Origin}: {Join(path, property.Name)} is given twice{(entry.Key == property.Name ? "" : $", here as '{entry.Key}'")}");
            string name = Join(path, property.Name);
            object? value = BindValue(property.Property.PropertyType, property.Nullability, entry.Value, name, property.Property.GetValue(result));
            Check(property.Property, entry.Value, name, value);
            property.Property.SetValue(result, value);
        }

        return result;
    }

    private object? BindValue(Type type, NullabilityInfo nullability, ConfigurationNode node, string path, object? defaults)
    {
        if (++values > MaximumValues)
            throw node.Fault($"the configuration has more than {MaximumValues} values");
        Type bare = Nullable.GetUnderlyingType(type) ?? type;
        if (node is ScalarNode { IsNull: true } && nullability.WriteState != NullabilityState.NotNull)
            return null;
        if (ConfigurationScalars.IsScalar(bare))
        {
            return node is ScalarNode scalar
                ? ConfigurationScalars.Parse(bare, scalar, path)
                : throw node.Fault($"{path} is {node.Describe()}, but must be a single value");
        }

        return ElementType(bare) is Type element
            ? BindList(bare, element, nullability, node, path)
            : BindObject(bare, node, path, defaults);
    }

    private object BindList(Type type, Type element, NullabilityInfo nullability, ConfigurationNode node, string path)
    {
        if (node is not SequenceNode sequence)
            throw node.Fault($"{path} is {node.Describe()}, but must be a list");
        NullabilityInfo elementNullability = nullability.ElementType ?? nullability.GenericTypeArguments[0];
        Array items = Array.CreateInstance(element, sequence.Items.Count);
        for (int index = 0; index < items.Length; index++)
            items.SetValue(BindValue(element, elementNullability, sequence.Items[index], ConfigurationNames.Entry(path, index, naming), defaults: null), index);
        return type.IsArray || type.IsInterface ? items : Activator.CreateInstance(type, items)!;
    }

    /// <summary>The type of a list's entries: arrays, <c>List</c> and the interfaces that an array or a list has; null for what is no list.</summary>
    public static Type? ElementType(Type type)
    {
        if (type.IsArray)
            return type.GetElementType();
        bool list = type.IsGenericType && type.GetGenericArguments().Length == 1 && type.IsAssignableTo(typeof(IEnumerable));
        return list ? type.GetGenericArguments()[0] : null;
    }

    private void Check(PropertyInfo property, ConfigurationNode node, string path, object? value)
    {
        if (property.GetCustomAttribute<MinLengthAttribute>() is { } least && value is not null)
        {
            int length = value is string text ? text.Length : ((IEnumerable)value).Cast<object>().Count();
            if (length < least.Length)
                throw node.Fault($"{path} has {length} {(value is string ? "characters" : "entries")}, but must have at least {least.Length}");
        }

        if (property.GetCustomAttribute<RangeAttribute>() is not { } range)
            return;
        if (value is IEnumerable list and not string)
        {
            int index = 0;
            foreach (object item in list)
                CheckRange(range, node is SequenceNode sequence ? sequence.Items[index] : node, ConfigurationNames.Entry(path, index++, naming), item);
        }
        else if (value is not null)
        {
            CheckRange(range, node, path, value);
        }
    }

    private static void CheckRange(RangeAttribute range, ConfigurationNode node, string path, object value)
    {
        double number = Convert.ToDouble(value);
        double least = Convert.ToDouble(range.Minimum);
        double most = Convert.ToDouble(range.Maximum);
        bool inside = (range.MinimumIsExclusive ? number > least : number >= least) && (range.MaximumIsExclusive ? number < most : number <= most);
        if (inside)
            return;
        string lower = range.MinimumIsExclusive ? $"greater than {least}" : $"at least {least}";
        string upper = range.MaximumIsExclusive ? $"less than {most}" : $"at most {most}";
        bool unboundedBelow = least is double.MinValue or double.NegativeInfinity or int.MinValue;
        bool unboundedAbove = most is double.MaxValue or double.PositiveInfinity or int.MaxValue or long.MaxValue;
        throw node.Fault($"{path} is {node.Describe()}, but must be {(unboundedAbove ? lower : unboundedBelow ? upper : $"{lower} and {upper}")}");
    }

    private static SprintException Unknown(MappingEntry entry, string path, ConfigurationProperty[] properties)
    {
        string place = path.Length == 0 ? "" : $" in {path}";
        return new SprintException($"{entry.Origin}: unknown key '{entry.Key}'{place}: {ConfigurationNames.Suggest(entry.Key, properties.Select(property => property.Name))}");
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
