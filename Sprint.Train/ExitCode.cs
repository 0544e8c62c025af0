namespace Sprint.Train;

/// <summary>What the process returns.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    internal const int Success = 0;

    /// <summary>A verification found a difference, or a kernel that was run has a fault.</summary>
    internal const int Failed = 1;

    /// <summary>The input was wrong; a sentence says how.</summary>
    internal const int BadInput = 2;

    /// <summary>Stopped by Ctrl-C, as shells have it.</summary>
    internal const int Interrupted = 130;
}
