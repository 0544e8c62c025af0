using System.Globalization;
using System.Text.RegularExpressions;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations;

/// <summary>Which groups give which drop ratios, and what is said where none does.</summary>
[TestFixture]
public sealed class DropPatternTests
{
    [TestCase(0.5, 2, 2, 128)]
    [TestCase(0.625, 4, 6, 96)]
    [TestCase(0.75, 2, 1, 64)]
    [TestCase(0.875, 4, 2, 32)]
    [TestCase(0.25, 2, 3, 192)]
    [TestCase(0.9375, 4, 1, 16)]
    public void Structured_ratios_take_the_smallest_group(double ratio, int side, int kept, int tokens)
    {
        DropPattern pattern = DropPattern.Structured(16, 16, ratio);
        Assert.That(
            (pattern.Kind, pattern.GroupSize, pattern.KeptPerGroup, pattern.KeptTokens, pattern.Tokens),
            Is.EqualTo((DropKind.Structured, side, kept, tokens, 256)));
    }

    [TestCase(9, 6, 8.0 / 9, 3, 6)]
    [TestCase(5, 5, 0.4, 5, 15)]
    [TestCase(12, 20, 0.75, 2, 60)]
    public void Grids_need_not_be_square_nor_powers_of_two(int height, int width, double ratio, int side, int tokens)
    {
        DropPattern pattern = DropPattern.Structured(height, width, ratio);
        Assert.That((pattern.GroupSize, pattern.KeptTokens), Is.EqualTo((side, tokens)));
    }

    [Test]
    public void Ratio_zero_drops_nothing()
    {
        Assert.That(DropPattern.Structured(7, 7, 0), Is.EqualTo(DropPattern.None(7, 7)));
        Assert.That(DropPattern.Random(7, 7, 0), Is.EqualTo(DropPattern.None(7, 7)));
        Assert.That(DropPattern.None(7, 7).KeptTokens, Is.EqualTo(49));
    }

    [TestCase(8, 0.75, 16)]
    [TestCase(8, 0.9, 6)]
    [TestCase(7, 0.3, 34)]
    public void Random_patterns_keep_the_floor(int side, double ratio, int kept) =>
        Assert.That(DropPattern.Random(side, side, ratio).KeptTokens, Is.EqualTo(kept));

    [TestCase(1.0)]
    [TestCase(-0.1)]
    [TestCase(double.NaN)]
    [TestCase(double.PositiveInfinity)]
    public void A_ratio_out_of_range_is_refused(double ratio)
    {
        string message = $"drop ratio {ratio.ToString("0.######", CultureInfo.InvariantCulture)} must be at least 0 and below 1";
        Assert.That(() => DropPattern.Structured(8, 8, ratio), Throws.TypeOf<SprintException>().With.Message.EqualTo(message));
        Assert.That(() => DropPattern.Random(8, 8, ratio), Throws.TypeOf<SprintException>().With.Message.EqualTo(message));
    }

    [TestCase(8, 8, 0.7, "0.6875, 0.703125, 0.71875")]
    [TestCase(6, 6, 0.8, "0.777778, 0.805556, 0.833333")]
    [TestCase(2, 4, 0.9, "0.25, 0.5, 0.75")]
    public void A_ratio_that_no_group_gives_is_refused_with_the_nearest(int height, int width, double ratio, string nearest) => Assert.That(
        () => DropPattern.Structured(height, width, ratio),
        Throws.TypeOf<SprintException>().With.Message.EqualTo(
            $"drop ratio {ratio} cannot be had by structured dropping on a {height}x{width} token grid: "
            + $"the nearest that a group gives are {nearest}, or mask_type: random takes any ratio"));

    [Test]
    public void A_grid_that_no_group_divides_is_said_so() => Assert.That(
        () => DropPattern.Structured(17, 17, 0.75),
        Throws.TypeOf<SprintException>().With.Message.Contains("no group of 2x2 to 16x16 tokens divides this grid"));

    [Test]
    public void Every_ratio_that_a_message_proposes_is_accepted([Range(2, 16)] int side, [Values(0.0041, 0.333, 0.7001, 0.999)] double ratio)
    {
        string message = Assert.Throws<SprintException>(() => DropPattern.Structured(side, side, ratio))!.Message;
        string proposals = message[message.IndexOf(':', StringComparison.Ordinal)..];
        double[] ratios = [.. Regex.Matches(proposals, @"0\.\d+").Select(match => double.Parse(match.Value, CultureInfo.InvariantCulture))];
        Assert.That(ratios, Is.Not.Empty);
        foreach (double proposed in ratios)
            Assert.That(() => DropPattern.Structured(side, side, proposed), Throws.Nothing, $"{proposed}");
    }

    [Test]
    public void The_largest_random_ratio_that_a_message_proposes_keeps_one_token([Range(2, 40)] int side)
    {
        string message = Assert.Throws<SprintException>(() => DropPattern.Random(side, side, 0.9999))!.Message;
        Assert.That(message, Does.StartWith($"drop ratio 0.9999 keeps none of {side * side} tokens: lower it to at most "));
        double proposed = double.Parse(message[message.LastIndexOf(' ')..], CultureInfo.InvariantCulture);
        Assert.That(DropPattern.Random(side, side, proposed).KeptTokens, Is.EqualTo(1));
    }
}
