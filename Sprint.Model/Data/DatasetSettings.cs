namespace Sprint.Model.Data;
/// <summary>Placeholder.</summary>
public sealed record DatasetSettings
{
    /// <summary>Folder.</summary>
    public string Path { get; init; } = "data/fashion-mnist-16";
}
