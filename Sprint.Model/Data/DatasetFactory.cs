namespace Sprint.Model.Data;
/// <summary>Placeholder.</summary>
public static class DatasetFactory
{
    /// <summary>Opens.</summary>
    public static IImageDataset Open(DatasetSettings settings) => IdxDataset.Open(settings.Path);
}
