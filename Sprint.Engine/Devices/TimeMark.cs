using System.Diagnostics;
using Sprint.Engine.Cuda;

namespace Sprint.Engine;

/// <summary>A moment in a device's work. On a device that works while the host waits it is the host's time.</summary>
public class TimeMark : IDisposable
{
    private long timestamp = Stopwatch.GetTimestamp();

    internal TimeMark()
    {
    }

    /// <summary>Moves the mark to here, behind everything that is in the device's queue now.</summary>
    public virtual void Renew() => timestamp = Stopwatch.GetTimestamp();

    /// <summary>Seconds of the device's work from an earlier mark to this one. Both must have been reached: read a result that comes behind.</summary>
    /// <param name="earlier">A mark of the same device.</param>
    public virtual double SecondsSince(TimeMark earlier)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        return Stopwatch.GetElapsedTime(earlier.timestamp, timestamp).TotalSeconds;
    }

    /// <summary>Gives back what the device keeps for the mark.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives back what the device keeps for the mark.</summary>
    /// <param name="disposing">Whether called from <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>A moment in a CUDA stream.</summary>
internal sealed class CudaTimeMark(CudaEvent reached, CudaStream stream) : TimeMark
{
    public override void Renew() => reached.Record(stream);

    public override double SecondsSince(TimeMark earlier) => CudaEvent.ElapsedMilliseconds(((CudaTimeMark)earlier).Reached, reached) / 1e3;

    private CudaEvent Reached => reached;

    protected override void Dispose(bool disposing)
    {
        reached.Dispose();
        base.Dispose(disposing);
    }
}
