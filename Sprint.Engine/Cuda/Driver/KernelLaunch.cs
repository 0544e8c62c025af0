namespace Sprint.Engine.Cuda;

/// <summary>
/// All that a driver needs to launch a kernel. The arguments lie in one block of bytes at the offsets of
/// <see cref="Parameters"/>, each naturally aligned: exactly the .param space of the PTX entry.
/// </summary>
internal readonly ref struct KernelLaunch
{
    /// <summary>The function.</summary>
    public required FunctionHandle Function { get; init; }

    /// <summary>The function's name, for errors.</summary>
    public required string Name { get; init; }

    /// <summary>Blocks.</summary>
    public required Dim3 Grid { get; init; }

    /// <summary>Threads a block.</summary>
    public required Dim3 Block { get; init; }

    /// <summary>Bytes of dynamic shared memory a block.</summary>
    public required int DynamicSharedBytes { get; init; }

    /// <summary>Whether all blocks must be resident at once, so that they may wait for each other.</summary>
    public bool IsCooperative { get; init; }

    /// <summary>The stream that orders the launch.</summary>
    public required StreamHandle Stream { get; init; }

    /// <summary>The argument block.</summary>
    public required ReadOnlySpan<byte> Arguments { get; init; }

    /// <summary>Offset, size and kind of each argument in the block.</summary>
    public required ReadOnlySpan<KernelParameter> Parameters { get; init; }
}
