using System.Text.Json;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Golden;

/// <summary>The reference's draws of kept tokens: the same ids from the same uniforms.</summary>
[TestFixture]
public sealed class MaskDrawTests
{
    private static readonly string[] Draws = ["structured_0.5", "structured_0.625", "structured_0.75", "structured_0.875", "random_0.75"];

    [Test]
    public void The_uniforms_give_the_ids_of_the_reference([ValueSource(nameof(Draws))] string name)
    {
        JsonElement recorded = Recorded(name);
        DropPattern pattern = Pattern(recorded);
        Assert.That(pattern.KeptTokens, Is.EqualTo(recorded.GetProperty("tokens_kept").GetInt32()));
        if (pattern.Kind == DropKind.Structured)
        {
            Assert.That(pattern.GroupSize, Is.EqualTo(recorded.GetProperty("group_size").GetInt32()));
            Assert.That(pattern.KeptPerGroup, Is.EqualTo(recorded.GetProperty("selection_per_group").GetInt32()));
        }

        JsonElement[] draws = [.. recorded.GetProperty("draws").EnumerateArray()];
        Assert.That(draws, Has.Length.EqualTo(3));

        // All draws as one batch: each sample has its own.
        using var device = new CpuDevice(threads: 2) { PoisonsMemory = true };
        float[] uniforms = [.. draws.SelectMany(draw => draw.GetProperty("uniforms").EnumerateArray().Select(value => value.GetSingle()))];
        using Tensor tensor = device.From(TokenDrop.UniformsShape(pattern, draws.Length), uniforms);
        using Tensor ids = TokenDrop.Select(tensor, pattern);
        var actual = new int[ids.Count];
        ids.CopyTo<int>(actual);
        Assert.That(actual, Is.EqualTo(draws.SelectMany(draw => Integers(draw, "ids_keep"))));
    }

    [Test]
    public void Kept_ids_and_their_places_are_inverse_to_each_other([ValueSource(nameof(Draws))] string name)
    {
        JsonElement recorded = Recorded(name);
        foreach (JsonElement draw in recorded.GetProperty("draws").EnumerateArray())
        {
            int[] kept = Integers(draw, "ids_keep");
            using var device = new CpuDevice(threads: 1);
            using Tensor ids = device.From(new Shape(1, kept.Length), kept);
            using Tensor rows = TokenDrop.Locate(device, 1, 64, ids, default);
            var actual = new int[64];
            rows.CopyTo<int>(actual);

            // The reference restores from kept and removed rows together: what it takes from a removed row is a mask token.
            Assert.That(actual, Is.EqualTo(Integers(draw, "ids_restore").Select(row => row < kept.Length ? row : -1)));
            Assert.That(actual.Select(row => row < 0 ? 1 : 0), Is.EqualTo(Integers(draw, "mask")));
        }
    }

    private static JsonElement Recorded(string name) =>
        JsonDocument.Parse(File.ReadAllBytes(GoldenFile.PathOf("mask_stats.json"))).RootElement.GetProperty(name);

    private static DropPattern Pattern(JsonElement recorded)
    {
        double ratio = recorded.GetProperty("mask_ratio").GetDouble();
        return recorded.GetProperty("mask_type").GetString() == "random" ? DropPattern.Random(8, 8, ratio) : DropPattern.Structured(8, 8, ratio);
    }

    private static int[] Integers(JsonElement draw, string name) => [.. draw.GetProperty(name).EnumerateArray().Select(value => value.GetInt32())];
}
