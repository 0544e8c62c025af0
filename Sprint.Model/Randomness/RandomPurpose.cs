namespace Sprint.Model;

/// <summary>What random numbers are drawn for: each purpose has streams of its own, one for each step.</summary>
public enum RandomPurpose
{
    /// <summary>Initial values of parameters.</summary>
    Initialisation,

    /// <summary>The order of the data in an epoch.</summary>
    Shuffle,

    /// <summary>Changes to training images.</summary>
    Augmentation,

    /// <summary>Noise of training samples.</summary>
    Noise,

    /// <summary>Times of training samples.</summary>
    Times,

    /// <summary>Which labels become the null class.</summary>
    LabelDrop,

    /// <summary>Which tokens are kept.</summary>
    TokenDrop,

    /// <summary>Which samples lose their sparse path.</summary>
    PathDrop,

    /// <summary>Initial noise of samples.</summary>
    Latents,

    /// <summary>Noise added while sampling.</summary>
    Diffusion,
}

/// <summary>Streams of <see cref="RandomPurpose"/>s.</summary>
public static class RandomPurposes
{
    /// <summary>The stream of a purpose at a step.</summary>
    /// <param name="purpose">The purpose.</param>
    /// <param name="step">The step, or another number that tells draws of one purpose apart.</param>
    public static ulong Stream(this RandomPurpose purpose, ulong step) => (step << 8) | (ulong)purpose;
}
