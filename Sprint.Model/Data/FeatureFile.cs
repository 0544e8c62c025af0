using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Sprint.Engine;
using Sprint.Model.Checkpoints;
using Sprint.Model.Configuration;

namespace Sprint.Model.Data;

/// <summary>
/// Another network's features of the images of a data set, computed beforehand: a NumPy file (images, tokens, F) of float32 or float16 in C order. Image i is the
/// data's image i, in the order of the data: that of IDX files and of <c>dataset.json</c>, and of a folder of images by class and file name in ordinal
/// order. Token n is the model's: row by row of its grid. Only what a batch needs is read, so the file may be larger than memory.
/// </summary>
public sealed class FeatureFile : IDisposable
{
    private const int FingerprintImages = 64;

    private readonly string path;
    private readonly NpyHeader header;
    private readonly SafeFileHandle handle;

    private FeatureFile(string path, NpyHeader header, SafeFileHandle handle)
    {
        this.path = path;
        this.header = header;
        this.handle = handle;
    }

    /// <summary>How many images there are.</summary>
    public int Images => header.Shape[0];

    /// <summary>Tokens of an image.</summary>
    public int Tokens => header.Shape[1];

    /// <summary>Features of a token: F.</summary>
    public int Width => header.Shape[2];

    /// <summary>Tells features from others by those of up to 64 images, spread evenly from the first to the last.</summary>
    public string Fingerprint
    {
        get
        {
            using var hash = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
            byte[] bytes = new byte[ImageBytes];
            int samples = Math.Min(Images, FingerprintImages);
            for (int i = 0; i < samples; i++)
            {
                Fill((int)((Images - 1L) * i / Math.Max(1, samples - 1)), bytes);
                hash.AppendData(bytes);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
        }
    }

    private long ImageBytes => (long)Tokens * Width * header.ElementBytes;

    /// <summary>Opens a file and checks its header against its length.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="SprintException">It cannot be read, or is no such file.</exception>
    public static FeatureFile Open(string path)
    {
        NpyHeader header = NpyFile.ReadHeader(path);
        if (header.Shape.Length != 3 || header.Shape.Contains(0))
            throw new SprintException($"'{path}' has shape ({string.Join(", ", header.Shape)}), where (images, tokens, features) is wanted");
        if ((long)header.Shape[1] * header.Shape[2] > Array.MaxLength / sizeof(float))
            throw new SprintException($"'{path}' has {header.Shape[1]} x {header.Shape[2]} features of an image, more than one array holds");
        try
        {
            return new FeatureFile(path, header, File.OpenHandle(path, options: FileOptions.RandomAccess));
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read", path, exception);
        }
    }

    /// <summary>Reads the features of some images, on several threads.</summary>
    /// <param name="images">The images.</param>
    /// <param name="features">Receives (images, tokens, F).</param>
    /// <exception cref="SprintException">The file can no longer be read, or holds what is no number.</exception>
    public void Read(int[] images, float[] features)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(features);
        int length = Tokens * Width;
        if (features.Length != (long)images.Length * length)
            throw new ArgumentException($"{images.Length} images of {Tokens} x {Width} features do not fit {features.Length} numbers", nameof(features));
        try
        {
            Parallel.For(0, images.Length, i => Read(images[i], features.AsSpan(i * length, length)));
        }
        catch (AggregateException exception) when (exception.InnerException is { } first)
        {
            throw first is SprintException ? new SprintException(first.Message, first) : first;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    /// <summary>Checks that features are named where the model is aligned with them, and only there.</summary>
    /// <param name="configuration">The run's configuration, of which nothing else need be right yet.</param>
    /// <exception cref="SprintException">They are missing, or one too many; the sentence says what would be right.</exception>
    public static void RequireNamed(TrainingConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        Require(configuration.Data.Features is not null, configuration.Model);
    }

    /// <summary>Checks that there are features where the model is aligned with them, and none elsewhere, and that they are those of model and data.</summary>
    /// <exception cref="SprintException">They do not fit; the sentence says what would.</exception>
    internal static void Check(FeatureFile? file, TrainingConfiguration configuration, int images)
    {
        ModelConfiguration model = configuration.Model;
        Require(file is not null, model);
        if (file is null)
            return;
        if (configuration.Data.BadFiles == BadFiles.Skip)
            throw new SprintException("data.bad_files: skip puts other images in the place of bad ones, whose features data.features cannot tell: set data.bad_files to fail");
        if (file.Images != images)
            throw new SprintException($"'{file.path}' has features of {file.Images} images, but the data have {images}: there must be as many, in the same order");
        if (file.Tokens != model.Tokens)
            throw new SprintException($"'{file.path}' has features of {file.Tokens} tokens an image, but the model has {model.Tokens} ({model.GridSide} x {model.GridSide}): compute them on a grid of that size");
        if (file.Width != model.DimProjection)
            throw new SprintException($"'{file.path}' has {file.Width} features a token, but model.dim_projection is {model.DimProjection}: name features of that width, or begin a run with model.dim_projection {file.Width}");
        foreach (StageConfiguration stage in configuration.Stages)
        {
            long values = (long)stage.BatchSize * file.Tokens * file.Width;
            if (values > Array.MaxLength)
                throw new SprintException($"batch_size {stage.BatchSize} with {file.Tokens} x {file.Width} features of an image is more than one array holds: lower batch_size");
        }
    }

    private static void Require(bool named, ModelConfiguration model)
    {
        if (model.RepresentationAlign != named)
        {
            throw new SprintException(
                named
                    ? "data.features names features, but nothing is aligned with them: set model.representation_align to true, or leave data.features out"
                    : "model.representation_align is true, but there are no features to align with: name their NumPy file with data.features, or set model.representation_align to false");
        }
    }

    private void Read(int image, Span<float> features)
    {
        // What is read stands at the end of its place, from where it is widened to the beginning on: no step allocates for it.
        Span<byte> stored = MemoryMarshal.AsBytes(features)[^(int)ImageBytes..];
        Fill(image, stored);
        header.Widen(stored, features);
        foreach (float value in features)
        {
            if (!float.IsFinite(value))
                throw new SprintException(string.Create(CultureInfo.InvariantCulture, $"'{path}' holds {value} among the features of image {image}: they must be finite numbers"));
        }
    }

    private void Fill(int image, Span<byte> bytes)
    {
        try
        {
            int got = 0;
            while (got < bytes.Length)
            {
                int read = RandomAccess.Read(handle, bytes[got..], header.DataStart + (image * ImageBytes) + got);
                if (read == 0)
                    throw new SprintException($"'{path}' ends before the features of image {image}: it has become shorter");
                got += read;
            }
        }
        catch (Exception exception) when (FileFault.IsFileFault(exception))
        {
            throw FileFault.Describe("read", path, exception);
        }
    }
}
