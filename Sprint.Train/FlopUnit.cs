using System.Globalization;

namespace Sprint.Train;

/// <summary>A unit in which FLOPs are told.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Flops">How many FLOPs it is.</param>
internal readonly record struct FlopUnit(string Name, double Flops)
{
    private static readonly FlopUnit[] All = [new("TFLOP", 1e12), new("GFLOP", 1e9), new("MFLOP", 1e6)];

    /// <summary>The greatest unit of which there is one at least, so that what is small is not rounded away; else the smallest.</summary>
    internal static FlopUnit Of(double flops) => All.FirstOrDefault(unit => flops >= unit.Flops, All[^1]);

    /// <summary>FLOPs in this unit.</summary>
    internal string Count(double flops) => (flops / Flops).ToString("F2", CultureInfo.InvariantCulture);
}
