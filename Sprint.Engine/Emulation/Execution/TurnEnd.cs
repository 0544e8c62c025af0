namespace Sprint.Engine.Emulation.Execution;

/// <summary>Why a block's turn ended.</summary>
internal enum TurnEnd
{
    /// <summary>It goes on, was at fault, or has run for long.</summary>
    None,

    /// <summary>All its threads have ended.</summary>
    Finished,

    /// <summary>It looks again and again at what others write.</summary>
    Waiting,

    /// <summary>The schedule had it so.</summary>
    Drawn,
}
