using System.Globalization;

namespace Sprint.Engine;

/// <summary>What <see cref="GradientCheck"/> found: for each input the element that is nearest to its tolerance, or beyond it.</summary>
/// <param name="Worst">One for each input, in their order.</param>
public sealed record GradientCheckResult(IReadOnlyList<GradientDifference> Worst)
{
    /// <summary>Whether every gradient is within its tolerance; false for NaN.</summary>
    public bool Passes => Worst.All(difference => difference.Passes);

    /// <summary>A line for each input.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Worst);
}

/// <summary>One gradient beside the number that it should be.</summary>
/// <param name="Input">Which input of the operation.</param>
/// <param name="Index">Which element of the input; -1 where all elements were moved at once, along a random direction.</param>
/// <param name="Actual">What the operation's backward pass gives.</param>
/// <param name="Expected">What central differences give.</param>
/// <param name="Tolerance">How far the two may be apart.</param>
public readonly record struct GradientDifference(int Input, long Index, double Actual, double Expected, double Tolerance)
{
    /// <summary>How far the two are apart; NaN if one of them is NaN.</summary>
    public double Error => Math.Abs(Actual - Expected);

    /// <summary>Whether the error is within the tolerance; false for NaN.</summary>
    public bool Passes => Error <= Tolerance;

    /// <summary>The error in units of the tolerance: what makes one difference worse than another.</summary>
    internal double Severity => Error == 0 ? 0 : Error / Tolerance;

    /// <summary>The place, both numbers, the error and the tolerance.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"input {Input}, {(Index < 0 ? "a random direction" : $"element {Index}")}: {Actual:R} where differences give {Expected:R}, off by {Error:E2}, {Tolerance:E2} allowed{(Passes ? "" : ": FAILS")}");
}

/// <summary>How <see cref="GradientCheck"/> works.</summary>
public sealed record GradientCheckSettings
{
    /// <summary>
    /// The error allowed, relative to the largest gradient of the same input. Against a float64 reference 1e-5 is about a
    /// hundred roundings of float32; null chooses it.
    /// </summary>
    public double? Tolerance { get; init; }

    /// <summary>
    /// The largest gradient of an input counts as at least this: gradients that cancel to nothing keep the roundings of what cancels.
    /// </summary>
    public double Floor { get; init; } = 0.1;

    /// <summary>
    /// How many elements of each input are moved one by one: all of them, or where there are more a random choice with the
    /// first and the last. All elements together are moved along a random direction besides.
    /// </summary>
    public int Elements { get; init; } = 64;

    /// <summary>Chooses the upstream gradient, the elements and the directions.</summary>
    public ulong Seed { get; init; }
}
