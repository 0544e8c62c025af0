using Sprint.Engine;
using Sprint.Model.Checkpoints;

namespace Sprint.Model.Data;

/// <summary>
/// A folder in MNIST's layout: <c>train-images-idx3-ubyte[.gz]</c>, <c>train-labels-idx1-ubyte[.gz]</c> and the same with <c>t10k-</c>,
/// and, optionally, <c>classes.txt</c> with one class name on each line. Grey images, held in memory as bytes.
/// </summary>
public sealed class IdxDataset : IImageDataset
{
    private readonly byte[] pixels;
    private readonly byte[] labels;

    private IdxDataset(int[] dimensions, byte[] pixels, byte[] labels, string[] classNames)
    {
        Height = dimensions[1];
        Width = dimensions[2];
        this.pixels = pixels;
        this.labels = labels;
        ClassNames = classNames;
    }

    /// <inheritdoc/>
    public int Count => labels.Length;

    /// <inheritdoc/>
    public int Classes => ClassNames.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public int Channels => 1;

    /// <inheritdoc/>
    public int Height { get; }

    /// <inheritdoc/>
    public int Width { get; }

    /// <summary>Opens one split of a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="split">What the files' names begin with: <c>train</c>, or <c>t10k</c> for the test images.</param>
    /// <exception cref="SprintException">
    /// The folder or a file is missing, truncated, corrupt or hostile; images and labels do not match; a label has no class.
    /// </exception>
    public static IdxDataset Open(string folder, string split = "train")
    {
        string imagePath = Find(folder, $"{split}-images");
        string labelPath = Find(folder, $"{split}-labels");
        return Open(imagePath, labelPath, folder);
    }

    /// <summary>Whether a folder holds images in this layout.</summary>
    internal static bool Recognises(string folder, string split) => Candidates(folder, $"{split}-images").Length > 0;

    private static IdxDataset Open(string imagePath, string labelPath, string folder)
    {
        IdxFile images = IdxFile.Read(imagePath, rank: 3);
        IdxFile labels = IdxFile.Read(labelPath, rank: 1);
        int count = images.Dimensions[0];
        if (labels.Dimensions[0] != count)
            throw new SprintException($"'{imagePath}' holds {count} images, but '{labelPath}' holds {labels.Dimensions[0]} labels");
        string[] names = ClassNamesFile.Read(folder, labels.Elements.Max());
        int outside = Array.FindIndex(labels.Elements, label => label >= names.Length);
        if (outside >= 0)
            throw new SprintException($"label {outside} of '{labelPath}' is {labels.Elements[outside]}, but classes.txt names only {names.Length} classes, from 0");
        return new IdxDataset(images.Dimensions, images.Elements, labels.Elements, names);
    }

    /// <inheritdoc/>
    public int Label(int index) => labels[index];

    /// <inheritdoc/>
    public void Read(int index, Span<float> image)
    {
        int length = Height * Width;
        PixelScale.ToSigned(pixels.AsSpan(checked(index * length), length), image);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static string Find(string folder, string start)
    {
        string[] found = Candidates(folder, start);
        return found.Length switch
        {
            1 => found[0],
            0 => throw new SprintException($"the folder '{folder}' holds no file {start}-idx{(start.EndsWith("labels", StringComparison.Ordinal) ? 1 : 3)}-ubyte, plain or .gz"),
            _ => throw new SprintException($"the folder '{folder}' holds both '{Path.GetFileName(found[0])}' and '{Path.GetFileName(found[1])}': keep one of them"),
        };
    }

    private static string[] Candidates(string folder, string start)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder)
                .Where(path => Path.GetFileName(path) is string name && name.StartsWith(start, StringComparison.Ordinal) && name.Contains("idx", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)];
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read the data folder", folder, exception);
        }
    }
}
