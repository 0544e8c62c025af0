using Sprint.Model.Checkpoints;

namespace Sprint.Train;

/// <summary>What a buffer holds after a launch, in a few numbers. Minimum, maximum and mean are of the elements that were written and are numbers.</summary>
/// <param name="Numbers">How many those are.</param>
/// <param name="Minimum">The least, or NaN where there is none.</param>
/// <param name="Maximum">The greatest, or NaN where there is none.</param>
/// <param name="Mean">The mean, or NaN where there is none.</param>
/// <param name="NotANumber">Written elements that are NaN.</param>
/// <param name="NeverWritten">Elements that neither host nor kernel has written (wholly), or null where the device does not keep track.</param>
internal sealed record BufferSummary(int Numbers, double Minimum, double Maximum, double Mean, int NotANumber, int? NeverWritten)
{
    /// <summary>Summarises elements.</summary>
    /// <param name="type">The element type.</param>
    /// <param name="bytes">The elements.</param>
    /// <param name="written">Whether each byte was written, or null where that is not known.</param>
    internal static BufferSummary Of(SafetensorsDataType type, ReadOnlySpan<byte> bytes, bool[]? written)
    {
        int size = type.ElementSize();
        (int numbers, int notANumber, int neverWritten) = (0, 0, 0);
        (double minimum, double maximum, double mean) = (double.NaN, double.NaN, double.NaN);
        for (int i = 0; i < bytes.Length / size; i++)
        {
            if (written is not null && written.AsSpan(i * size, size).Contains(false))
            {
                neverWritten++;
                continue;
            }

            double value = SafetensorsElements.Read(type, bytes.Slice(i * size, size));
            if (double.IsNaN(value))
            {
                notANumber++;
                continue;
            }

            numbers++;
            (minimum, maximum) = numbers == 1 ? (value, value) : (Math.Min(minimum, value), Math.Max(maximum, value));

            // A running mean does not overflow where a sum would.
            mean = numbers == 1 ? value : double.IsInfinity(mean) ? mean + value : mean + ((value - mean) / numbers);
        }

        return new BufferSummary(numbers, minimum, maximum, mean, notANumber, written is null ? null : neverWritten);
    }
}
