using System.Text.Json.Serialization;

namespace Sprint.Bench.Results;

/// <summary>In which direction a figure is better.</summary>
internal enum Better
{
    /// <summary>Less is better: times, bytes.</summary>
    Lower,

    /// <summary>More is better: rates.</summary>
    Higher,

    /// <summary>A count that does not vary from run to run: any change is worth telling.</summary>
    Same,
}

/// <summary>One figure of a run, with what is needed to tell a change from noise.</summary>
/// <param name="Name">What it is, the same from run to run: <c>step drop 0.75 time</c>.</param>
/// <param name="Unit">Its unit: <c>s</c>, <c>FLOP</c>, <c>B</c>.</param>
/// <param name="Better">In which direction it is better.</param>
/// <param name="Value">The figure; the median of the samples where there are any.</param>
/// <param name="Samples">What was measured, in the order of measuring; none for a count.</param>
internal sealed record Measurement(string Name, string Unit, Better Better, double Value, IReadOnlyList<double>? Samples = null)
{
    /// <summary>The spread of the samples; none for a count.</summary>
    [JsonIgnore]
    public Spread? Spread => Samples is { Count: > 0 } ? Results.Spread.Of(Samples) : null;

    /// <summary>A count.</summary>
    public static Measurement Count(string name, string unit, double value) => new(name, unit, Better.Same, value);

    /// <summary>Something measured several times: its median.</summary>
    /// <param name="name">What it is.</param>
    /// <param name="unit">Its unit.</param>
    /// <param name="better">In which direction it is better.</param>
    /// <param name="samples">At least one.</param>
    public static Measurement Of(string name, string unit, Better better, IReadOnlyList<double> samples) =>
        new(name, unit, better, Results.Spread.Of(samples).Median, samples);
}
