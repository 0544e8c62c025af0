using System.Reflection;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using Sprint.Model.Configuration;

namespace Sprint.Tests.Model.Configuration;

/// <summary>A run's resolved configuration loads to the same one, under the engine's names and under the reference's.</summary>
[TestFixture]
public sealed class ResolvedConfigurationTests
{
    private const string Letters = "ab/.-_ :#\"'\\[]{}&*!|>%@`,?~0\n\t\u00e9\u56fe";

    [FsCheck.NUnit.Property(MaxTest = 300)]
    public Property Any_configuration_is_read_back_the_same(int seed)
    {
        var configuration = (TrainingConfiguration)Any(typeof(TrainingConfiguration), new Random(seed));
        TrainingConfiguration again = ConfigurationReader.Parse<TrainingConfiguration>(ConfigurationWriter.Write(configuration), "resolved");
        return Same(again, configuration).ToProperty();
    }

    [FsCheck.NUnit.Property(MaxTest = 300)]
    public Property The_reference_s_names_for_the_same_values_give_the_same(int seed)
    {
        var random = new Random(seed);
        var configuration = (TrainingConfiguration)Any(typeof(TrainingConfiguration), random);
        var node = (MappingNode)ConfigurationWriter.ToNode(configuration);
        Rename(node, typeof(TrainingConfiguration), random);
        var again = (TrainingConfiguration)new ConfigurationBinder().Bind(typeof(TrainingConfiguration), node);
        return Same(again, configuration).ToProperty();
    }

    [Test]
    public void A_change_of_any_value_is_a_difference()
    {
        TrainingConfiguration configuration = new();
        foreach (string change in new[] { "seed=1", "model.rope_theta=100", "data.split=t10k", "loss.weighting=uniform", "stage1.adam_epsilon=0.5", "samples.every=3", "checkpoints.keep=3" })
        {
            TrainingConfiguration changed = ConfigurationReader.Parse<TrainingConfiguration>("", "test", [change]);
            Assert.That(Same(changed, configuration), Is.False, change);
            Assert.That(ConfigurationComparison.Compare(configuration, changed).Select(difference => $"{difference.Key}={difference.Now}"), Is.EqualTo(new[] { change }));
        }
    }

    private static bool Same(TrainingConfiguration left, TrainingConfiguration right) =>
        left with { Stages = right.Stages } == right && left.Stages.SequenceEqual(right.Stages);

    /// <summary>Any value that a file may have, within the ranges that the properties say.</summary>
    private static object Any(Type type, Random random)
    {
        object result = Activator.CreateInstance(type)!;
        foreach (ConfigurationProperty property in ConfigurationNames.Properties(type))
        {
            Type wanted = property.Property.PropertyType;
            Type bare = Nullable.GetUnderlyingType(wanted) ?? wanted;
            bool mayBeNull = property.Nullability.WriteState == NullabilityState.Nullable;
            object? value = mayBeNull && random.Next(3) == 0 ? null
                : ConfigurationBinder.ElementType(bare) is { } element && bare != typeof(string) ? List(element, random)
                : ConfigurationScalars.IsScalar(bare) ? Scalar(bare, property.Property.GetCustomAttribute<System.ComponentModel.DataAnnotations.RangeAttribute>(), random)
                : Any(bare, random);
            property.Property.SetValue(result, value);
        }

        return result;
    }

    private static Array List(Type element, Random random)
    {
        var items = Array.CreateInstance(element, random.Next(1, 4));
        for (int i = 0; i < items.Length; i++)
        {
            items.SetValue(Any(element, random), i);
        }

        return items;
    }

    private static object Scalar(Type type, System.ComponentModel.DataAnnotations.RangeAttribute? range, Random random)
    {
        double least = range is null ? -1e6 : Convert.ToDouble(range.Minimum);
        double most = range is null ? 1e6 : Math.Min(Convert.ToDouble(range.Maximum), 1e15);
        double share = random.Next(5) switch { 0 => 0, 1 => 1, 2 => random.NextDouble() * 1e-9, _ => random.NextDouble() };
        double number = least + (share * (most - least));
        return type switch
        {
            _ when type.IsEnum => Enum.GetValues(type).GetValue(random.Next(Enum.GetValues(type).Length))!,
            _ when type == typeof(bool) => random.Next(2) == 0,
            _ when type == typeof(int) => (int)number,
            _ when type == typeof(long) => (long)number,
            _ when type == typeof(double) => number,
            _ => new string([.. Enumerable.Range(0, random.Next(9)).Select(_ => Letters[random.Next(Letters.Length)])]),
        };
    }

    /// <summary>Gives keys another of their names, at random.</summary>
    private static void Rename(ConfigurationNode node, Type type, Random random)
    {
        Type bare = Nullable.GetUnderlyingType(type) ?? type;
        if (node is SequenceNode sequence && ConfigurationBinder.ElementType(bare) is { } element)
        {
            sequence.Items.ForEach(item => Rename(item, element, random));
        }
        else if (node is MappingNode mapping)
        {
            ConfigurationProperty[] properties = ConfigurationNames.Properties(bare);
            for (int i = 0; i < mapping.Entries.Count; i++)
            {
                MappingEntry entry = mapping.Entries[i];
                ConfigurationProperty property = properties.Single(property => property.Name == entry.Key);
                string[] names = [property.Name, .. property.Aliases];
                mapping.Entries[i] = entry with { Key = names[random.Next(names.Length)] };
                Rename(entry.Value, property.Property.PropertyType, random);
            }
        }
    }
}
