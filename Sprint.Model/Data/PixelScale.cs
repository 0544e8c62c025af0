namespace Sprint.Model.Data;

/// <summary>Bytes 0 to 255 and the model's values -1 to 1.</summary>
internal static class PixelScale
{
    /// <summary>v / 127.5 - 1.</summary>
    public static void ToSigned(ReadOnlySpan<byte> source, Span<float> destination)
    {
        if (destination.Length != source.Length)
            throw new ArgumentException($"the image has {source.Length} values, the span {destination.Length}", nameof(destination));
        for (int index = 0; index < source.Length; index++)
            destination[index] = (source[index] / 127.5f) - 1;
    }

    /// <summary>The nearest byte; what lies outside is clipped, and a NaN is 0.</summary>
    public static byte ToByte(float value) => float.IsNaN(value) ? (byte)0 : (byte)Math.Clamp(MathF.Round((value + 1) * 127.5f), 0, 255);
}
