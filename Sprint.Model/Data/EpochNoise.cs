using Sprint.Engine.Operations;

namespace Sprint.Model.Data;

/// <summary>
/// The noise of latents as a function of seed, epoch and sample: each epoch sees another draw of an image, and a resumed run
/// the same one.
/// </summary>
/// <param name="seed">Of the run.</param>
public sealed class EpochNoise(ulong seed)
{
    /// <summary>The epoch that samples are read for.</summary>
    public long Epoch { get; set; }

    /// <summary>Fills a span with standard normal numbers; a <see cref="LatentNoise"/>.</summary>
    /// <param name="index">The sample.</param>
    /// <param name="normal">To overwrite.</param>
    public void Fill(int index, Span<float> normal)
    {
        var random = new HostRandom(new RandomStream(seed, RandomPurpose.Augmentation.Stream((ulong)Epoch), (ulong)index << 32));
        foreach (ref float value in normal)
        {
            value = random.Normal();
        }
    }
}
