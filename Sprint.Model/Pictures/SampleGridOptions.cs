namespace Sprint.Model.Pictures;

/// <summary>How a grid of samples looks.</summary>
public sealed record SampleGridOptions
{
    /// <summary>Images in a row; 0 for as many as make the grid about square.</summary>
    public int Columns { get; init; }

    /// <summary>How many pixels wide and high each image's pixel is drawn; 0 for as many as make an image at least 64 pixels high.</summary>
    public int Scale { get; init; }

    /// <summary>Names left of the rows, such as those of the classes; none for an empty list.</summary>
    public IReadOnlyList<string> RowLabels { get; init; } = [];

    /// <summary>A line above the grid, or null.</summary>
    public string? Title { get; init; }

    /// <summary>Pixels between images.</summary>
    public int Spacing { get; init; } = 6;

    /// <summary>Whether text may use the machine's fonts; without, it is drawn in strokes that look the same everywhere.</summary>
    public bool SystemFonts { get; init; } = true;
}
