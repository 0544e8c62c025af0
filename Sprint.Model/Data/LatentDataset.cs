using Sprint.Engine;

namespace Sprint.Model.Data;

/// <summary>Fills a span with independent standard normal numbers for one read of one sample; called from the thread that reads.</summary>
/// <param name="index">The sample.</param>
/// <param name="normal">Receives C*H*W numbers.</param>
public delegate void LatentNoise(int index, Span<float> normal);

/// <summary>
/// Moments of a variational autoencoder, prepared beforehand, in the layout of the SPRINT reference: <c>dataset.json</c> with the labels and one
/// <c>.npy</c> of shape (2C, h, w) for each image, the mean in the first C channels, the standard deviation in the last C.
/// A read gives scale * (mean + deviation * noise).
/// </summary>
public sealed class LatentDataset : IImageDataset
{
    /// <summary>The factor that brings the latents of the usual autoencoder to about unit variance.</summary>
    public const float DefaultScale = 0.18215f;

    private readonly string folder;
    private readonly (string File, int Label)[] samples;
    private readonly int[] shape;
    private readonly LatentNoise? noise;
    private readonly float scale;

    private LatentDataset(string folder, (string File, int Label)[] samples, int[] shape, LatentNoise? noise, float scale)
    {
        this.folder = folder;
        this.samples = samples;
        this.shape = shape;
        this.noise = noise;
        this.scale = scale;
        ClassNames = ClassNamesFile.Read(folder, samples.Max(sample => sample.Label));
    }

    /// <inheritdoc/>
    public int Count => samples.Length;

    /// <inheritdoc/>
    public int Classes => ClassNames.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public int Channels => shape[0] / 2;

    /// <inheritdoc/>
    public int Height => shape[1];

    /// <inheritdoc/>
    public int Width => shape[2];

    /// <summary>Opens a folder and checks that every file is there and of the first one's size.</summary>
    /// <param name="folder">The folder of <c>dataset.json</c>.</param>
    /// <param name="noise">Draws the noise of each read; without it a read gives the mean.</param>
    /// <param name="scale">What the latents are multiplied by.</param>
    /// <exception cref="SprintException">The folder, its index or a file is missing, corrupt, or of another shape.</exception>
    public static LatentDataset Open(string folder, LatentNoise? noise = null, float scale = DefaultScale)
    {
        (string File, int Label)[] samples = LatentIndex.Read(folder);
        string first = Path.Combine(folder, samples[0].File);
        int[] shape = NpyFile.ReadShape(first);
        if (shape.Length != 3 || shape[0] % 2 != 0 || shape.Contains(0))
            throw new SprintException($"'{first}' has shape ({string.Join(", ", shape)}), where (2C, h, w) is wanted, mean and standard deviation");
        long length = new FileInfo(first).Length;
        foreach ((string file, _) in samples)
        {
            FileInfo info = new(Path.Combine(folder, file));
            if (!info.Exists)
                throw new SprintException($"'{info.FullName}', which {LatentIndex.Name} names, does not exist");
            if (info.Length != length)
                throw new SprintException($"'{info.FullName}' has {info.Length} bytes, but '{first}' has {length}: all must have one shape");
        }

        LatentDataset dataset = new(folder, samples, shape, noise, scale);
        int outside = Array.FindIndex(samples, sample => sample.Label >= dataset.Classes);
        return outside < 0 ? dataset
            : throw new SprintException($"the label of '{samples[outside].File}' is {samples[outside].Label}, but classes.txt names only {dataset.Classes} classes, from 0");
    }

    /// <inheritdoc/>
    public int Label(int index) => samples[index].Label;

    /// <summary>Reads a sample's moments as they are stored.</summary>
    /// <param name="index">The sample.</param>
    /// <param name="moments">Receives 2C*h*w values: means, then standard deviations.</param>
    /// <exception cref="SprintException">The file can no longer be read, or its header is not the first one's.</exception>
    public void ReadMoments(int index, Span<float> moments) => NpyFile.Read(Path.Combine(folder, samples[index].File), shape, moments);

    /// <summary>Reads a sample with given noise.</summary>
    /// <param name="index">The sample.</param>
    /// <param name="normal">C*h*w standard normal numbers.</param>
    /// <param name="latent">Receives scale * (mean + deviation * normal), C*h*w values.</param>
    public void Read(int index, ReadOnlySpan<float> normal, Span<float> latent)
    {
        int length = Channels * Height * Width;
        float[] moments = new float[2 * length];
        ReadMoments(index, moments);
        for (int element = 0; element < length; element++)
            latent[element] = scale * (moments[element] + (moments[length + element] * normal[element]));
    }

    /// <inheritdoc/>
    public void Read(int index, Span<float> image)
    {
        float[] normal = new float[Channels * Height * Width];
        noise?.Invoke(index, normal);
        Read(index, normal, image);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
