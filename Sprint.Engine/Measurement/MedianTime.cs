namespace Sprint.Engine.Measurement;

/// <summary>Median times of what is repeated on a device.</summary>
public static class MedianTime
{
    /// <summary>Runs something repeatedly, each run between two marks of the device's stream and waited for.</summary>
    /// <param name="device">The device.</param>
    /// <param name="runs">How many runs, at least 1.</param>
    /// <param name="work">Puts it into the device's queue.</param>
    /// <returns>The median in seconds.</returns>
    public static double Of(Device device, int runs, Action work)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(work);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(runs);
        double[] seconds = new double[runs];
        for (int run = 0; run < runs; run++)
        {
            using TimeMark start = device.Mark();
            work();
            using TimeMark end = device.Mark();
            device.Synchronize();
            seconds[run] = end.SecondsSince(start);
        }

        return Median(seconds);
    }

    /// <summary>The median of times.</summary>
    /// <param name="seconds">At least one.</param>
    public static double Of(IEnumerable<double> seconds) => Median([.. seconds]);

    /// <summary>The median; sorts what it is given.</summary>
    internal static double Median(double[] values)
    {
        Array.Sort(values);
        return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }
}
