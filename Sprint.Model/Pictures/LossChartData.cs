namespace Sprint.Model.Pictures;

/// <summary>One line of a loss chart.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Steps">Where the values stand on the axis of steps, rising.</param>
/// <param name="Values">The values, as many as steps; those that are not finite are left out, a gap stays.</param>
public sealed record LossSeries(string Name, IReadOnlyList<double> Steps, IReadOnlyList<double> Values);

/// <summary>A stage of training, marked in a loss chart.</summary>
/// <param name="Name">Its name.</param>
/// <param name="FirstStep">Where it begins.</param>
public sealed record LossStage(string Name, double FirstStep);

/// <summary>How a loss chart looks.</summary>
public sealed record LossChartOptions
{
    /// <summary>A line above the chart.</summary>
    public string Title { get; init; } = "Training loss";

    /// <summary>What the values are.</summary>
    public string ValueName { get; init; } = "loss";

    /// <summary>Whether the values' axis is logarithmic; values of 0 and below are then left out.</summary>
    public bool Logarithmic { get; init; } = true;

    /// <summary>How far the smoothed line looks to both sides, as a share of a series' points.</summary>
    public double Smoothing { get; init; } = 0.02;

    /// <summary>Width in pixels.</summary>
    public int Width { get; init; } = 1200;

    /// <summary>Height in pixels.</summary>
    public int Height { get; init; } = 640;

    /// <summary>Whether text may use the machine's fonts; without, it is drawn in strokes that look the same everywhere.</summary>
    public bool SystemFonts { get; init; } = true;
}
