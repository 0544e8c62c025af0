using System.Collections.Concurrent;
using Sprint.Engine;

namespace Sprint.Model.Data;

/// <summary>
/// A folder with one subfolder of PNG, JPEG or WebP images for each class, named after it. Images are turned upright as their EXIF note says,
/// scaled so that the short side fits, and cut square from the middle; transparent parts are laid over white. Headers and ends of all files
/// are checked when the folder is opened; images are decoded when they are first read and kept in memory up to a limit.
/// </summary>
public sealed class ImageFolderDataset : IImageDataset
{
    private readonly (string Path, int Label)[] images;
    private readonly byte[]?[] cache;
    private readonly ImageFolderOptions options;
    private readonly ConcurrentDictionary<string, BadFile> badFiles = new(StringComparer.Ordinal);
    private long cachedBytes;

    private ImageFolderDataset(ImageFolderScan scan, ImageFolderOptions options)
    {
        images = scan.Images;
        ClassNames = scan.ClassNames;
        OtherFiles = scan.Others;
        cache = new byte[]?[images.Length];
        this.options = options;
        foreach (BadFile file in scan.BadFiles)
            badFiles[file.Path] = file;
    }

    /// <inheritdoc/>
    public int Count => images.Length;

    /// <inheritdoc/>
    public int Classes => ClassNames.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public int Channels => options.Channels;

    /// <inheritdoc/>
    public int Height => options.Size;

    /// <inheritdoc/>
    public int Width => options.Size;

    /// <summary>The files left out so far: those found bad when the folder was opened, and those that failed to decode since.</summary>
    public IReadOnlyList<BadFile> BadFiles => [.. badFiles.Values.OrderBy(file => file.Path, StringComparer.Ordinal)];

    /// <summary>What lies in the class folders without the name of a PNG, JPEG or WebP file, and is left out: other files, and folders.</summary>
    public IReadOnlyList<string> OtherFiles { get; }

    /// <summary>How many bytes of decoded images are in memory.</summary>
    internal long CachedBytes => Volatile.Read(ref cachedBytes);

    /// <summary>Opens a folder and checks its files.</summary>
    /// <param name="folder">The folder of class subfolders; files in it and hidden ones are not looked at.</param>
    /// <param name="options">Size and channels of the images, and what becomes of bad files.</param>
    /// <exception cref="SprintException">
    /// The folder is missing, has no class subfolders or one without usable images, or a file is bad and <see cref="Data.BadFiles.Fail"/> was chosen.
    /// </exception>
    public static ImageFolderDataset Open(string folder, ImageFolderOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Size is < 1 or > 8192)
            throw new SprintException($"the image size is {options.Size}, but must be from 1 to 8192 pixels");
        if (options.Channels is not (1 or 3))
            throw new SprintException($"images have {options.Channels} channels by the settings, but must have 1 (grey) or 3 (colour)");
        return new ImageFolderDataset(ImageFolderScan.Run(folder, options), options);
    }

    /// <inheritdoc/>
    public int Label(int index) => images[index].Label;

    /// <summary>
    /// Reads an image. One whose data turn out to be damaged, though its header was right, is an error, or, where bad files are skipped,
    /// is replaced by the next good image of its class, so that <see cref="Count"/> and labels stay as they are, and added to <see cref="BadFiles"/>.
    /// </summary>
    /// <inheritdoc/>
    public void Read(int index, Span<float> image) => PixelScale.ToSigned(Pixels(index), image);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private byte[] Pixels(int index)
    {
        for (int step = 0; step < images.Length; step++)
        {
            int candidate = (index + step) % images.Length;
            if (images[candidate].Label != images[index].Label)
                continue;
            if (Volatile.Read(ref cache[candidate]) is { } cached)
                return cached;
            string path = images[candidate].Path;
            if (badFiles.ContainsKey(path))
                continue;
            string? fault = ImageDecoder.Decode(path, Channels, options.Size, out byte[] pixels);
            if (fault is null)
            {
                Keep(candidate, pixels);
                return pixels;
            }

            if (options.BadFiles == Data.BadFiles.Fail)
                throw new SprintException($"cannot use the image '{path}': {fault} (bad_files: skip leaves it out)");
            badFiles.TryAdd(path, new BadFile(path, fault));
        }

        throw new SprintException($"no image of the class '{ClassNames[images[index].Label]}' can be decoded, the last tried was '{images[index].Path}'");
    }

    /// <summary>Keeps what fits. Nothing is thrown out again: epochs visit every image once, so that the oldest is as good as any.</summary>
    private void Keep(int index, byte[] pixels)
    {
        if (Interlocked.Add(ref cachedBytes, pixels.Length) > options.CacheBytes || Interlocked.CompareExchange(ref cache[index], pixels, null) is not null)
            Interlocked.Add(ref cachedBytes, -pixels.Length);
    }
}
