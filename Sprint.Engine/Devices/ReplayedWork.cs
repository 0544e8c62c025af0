namespace Sprint.Engine;

/// <summary>
/// Work of a device that is run again and again with the same shapes: everything that it reads or leaves lies in tensors that live as long as it
/// does, and what differs from run to run is written into them before. Made by <see cref="Device.Replay"/>.
/// </summary>
public class ReplayedWork : IDisposable
{
    internal ReplayedWork(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        Work = work;
    }

    /// <summary>How often the work has been captured; a run of captured work is one call to the driver.</summary>
    public int Captures { get; private protected set; }

    /// <summary>Why the work could not be captured, so that each run launches it piece by piece; or null.</summary>
    public string? Problem { get; private protected set; }

    private protected Action Work { get; }

    /// <summary>Puts the work into the device's queue.</summary>
    public virtual void Run() => Work();

    /// <summary>Gives back what the device keeps for the work.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives back what the device keeps for the work.</summary>
    /// <param name="disposing">Whether called from <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}
