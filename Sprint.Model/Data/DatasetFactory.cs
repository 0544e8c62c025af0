using System.ComponentModel.DataAnnotations;
using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Model.Data;

/// <summary>How a folder of data is laid out.</summary>
public enum DatasetFormat
{
    /// <summary>As the folder's contents show.</summary>
    Auto,

    /// <summary>IDX files; see <see cref="IdxDataset"/>.</summary>
    Idx,

    /// <summary>Class subfolders of image files; see <see cref="ImageFolderDataset"/>.</summary>
    Images,

    /// <summary>Prepared latents; see <see cref="LatentDataset"/>.</summary>
    Latents,
}

/// <summary>Which data to train on.</summary>
public sealed record DatasetSettings
{
    /// <summary>The folder.</summary>
    public string Path { get; init; } = "data/fashion-mnist-16";

    /// <summary>How the folder is laid out.</summary>
    public DatasetFormat Format { get; init; }

    /// <summary>What the names of IDX files begin with: <c>train</c>, or <c>t10k</c> for the test images.</summary>
    public string Split { get; init; } = "train";

    /// <summary>The side of the images in pixels: needed for image files, else, where given, checked.</summary>
    [Range(1, 8192)]
    public int? ImageSize { get; init; }

    /// <summary>The channels: 3 (the default) or 1 for image files, else, where given, checked.</summary>
    [Range(1, 1024)]
    public int? Channels { get; init; }

    /// <summary>What becomes of image files that cannot be decoded.</summary>
    public BadFiles BadFiles { get; init; }

    /// <summary>
    /// Another network's features of the images, for a model that is aligned with them: a NumPy file (images, tokens, features) of float32 or float16; see
    /// <see cref="FeatureFile"/>.
    /// </summary>
    public string? Features { get; init; }
}

/// <summary>Opens data by its settings.</summary>
public static class DatasetFactory
{
    /// <summary>Opens a folder.</summary>
    /// <param name="settings">Which folder, and how.</param>
    /// <param name="noise">The noise of latents; see <see cref="LatentDataset"/>.</param>
    /// <param name="progress">Called now and then while image files are checked, with how many of how many are done.</param>
    /// <exception cref="SprintException">The folder is missing, of no known layout, or not as the settings say; or its data are not right.</exception>
    public static IImageDataset Open(DatasetSettings settings, LatentNoise? noise = null, Action<int, int>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (!Directory.Exists(settings.Path))
            throw new SprintException($"the data folder '{settings.Path}' does not exist (looked for it at '{Path.GetFullPath(settings.Path)}')");
        DatasetFormat format = settings.Format == DatasetFormat.Auto ? Detect(settings) : settings.Format;
        IImageDataset dataset = format switch
        {
            DatasetFormat.Idx => IdxDataset.Open(settings.Path, settings.Split),
            DatasetFormat.Latents => LatentDataset.Open(settings.Path, noise),
            _ => ImageFolderDataset.Open(settings.Path, new ImageFolderOptions
            {
                Size = settings.ImageSize ?? throw new SprintException($"the folder '{settings.Path}' holds image files of any size: image_size must say to which they are scaled"),
                Channels = settings.Channels ?? 3,
                BadFiles = settings.BadFiles,
                Progress = progress,
            }),
        };
        if ((settings.ImageSize ?? dataset.Height) != dataset.Height || (settings.ImageSize ?? dataset.Width) != dataset.Width)
            throw Mismatch(dataset, $"are {dataset.Height} x {dataset.Width} pixels, but image_size is {settings.ImageSize}", settings);
        if ((settings.Channels ?? dataset.Channels) != dataset.Channels)
            throw Mismatch(dataset, $"have {dataset.Channels} channels, but channels is {settings.Channels}", settings);
        return dataset;
    }

    private static DatasetFormat Detect(DatasetSettings settings)
    {
        try
        {
            if (File.Exists(Path.Combine(settings.Path, LatentIndex.Name)))
                return DatasetFormat.Latents;
            if (IdxDataset.Recognises(settings.Path, settings.Split))
                return DatasetFormat.Idx;
            if (Directory.EnumerateDirectories(settings.Path).Any())
                return DatasetFormat.Images;
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read the data folder", settings.Path, exception);
        }

        throw new SprintException($"the data folder '{settings.Path}' holds neither {settings.Split}-images-idx3-ubyte files, nor class subfolders of images, nor {LatentIndex.Name}");
    }

    private static SprintException Mismatch(IImageDataset dataset, string difference, DatasetSettings settings)
    {
        dataset.Dispose();
        return new SprintException($"the images of '{settings.Path}' {difference}");
    }
}
