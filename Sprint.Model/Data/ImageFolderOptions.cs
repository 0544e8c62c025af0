namespace Sprint.Model.Data;

/// <summary>What becomes of an image file that cannot be decoded.</summary>
public enum BadFiles
{
    /// <summary>It ends the run with an error that names it.</summary>
    Fail,

    /// <summary>It is left out, named and counted.</summary>
    Skip,
}

/// <summary>How a folder of images is read.</summary>
public sealed record ImageFolderOptions
{
    /// <summary>The side of the square images in pixels.</summary>
    public required int Size { get; init; }

    /// <summary>3 for red, green and blue; 1 for grey.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>What becomes of files that cannot be decoded.</summary>
    public BadFiles BadFiles { get; init; } = BadFiles.Fail;

    /// <summary>How many bytes of decoded images are kept in memory at most.</summary>
    public long CacheBytes { get; init; } = 1L << 30;

    /// <summary>Called now and then while the files are checked, with how many of how many are done; from any thread.</summary>
    public Action<int, int>? Progress { get; init; }
}

/// <summary>An image file that was left out, and why.</summary>
/// <param name="Path">The file.</param>
/// <param name="Reason">Why it cannot be used.</param>
public sealed record BadFile(string Path, string Reason);
