namespace Sprint.Engine.Operations;

/// <summary>
/// The cosines and sines of 2-D rotary position embedding, one row per token of the full grid, row-major over (height, width).
/// Of the headSize/2 channel pairs the first half turns with the token's row, the second with its column; pair j of a half
/// turns by <c>position * theta^(-2j / (headSize/2))</c>. Attention reads the table by token id: nothing is gathered.
/// Source: SPRINT.md section 2.
/// </summary>
public sealed class RopeTable : IDisposable
{
    /// <summary>Computes the table.</summary>
    /// <param name="device">Where it lives.</param>
    /// <param name="gridHeight">Rows of the token grid.</param>
    /// <param name="gridWidth">Columns of the token grid.</param>
    /// <param name="headSize">Channels of a head, a multiple of 4.</param>
    /// <param name="theta">The base of the frequencies.</param>
    /// <exception cref="ArgumentException">The head size is not a positive multiple of 4, or the grid is empty.</exception>
    public RopeTable(Device device, int gridHeight, int gridWidth, int headSize, double theta = 10000)
    {
        ArgumentNullException.ThrowIfNull(device);
        Require.That(headSize > 0 && headSize % 4 == 0, "rope", $"the head size must be a positive multiple of 4, not {headSize}");
        Require.That(gridHeight > 0 && gridWidth > 0, "rope", $"a grid of {gridHeight} x {gridWidth} tokens is empty");
        var shape = new Shape(checked(gridHeight * gridWidth), headSize / 2);
        try
        {
            Cosines = device.Allocate(shape);
            Sines = device.Allocate(shape);
            if (device.Executes)
            {
                Fill(gridWidth, theta);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>(tokens, headSize / 2).</summary>
    public Tensor Cosines { get; }

    /// <summary>(tokens, headSize / 2).</summary>
    public Tensor Sines { get; }

    /// <summary>The number of positions: tokens of the full grid.</summary>
    public int Tokens => Cosines.Shape[0];

    /// <inheritdoc/>
    public void Dispose()
    {
        Cosines.Dispose();
        Sines.Dispose();
    }

    private void Fill(int gridWidth, double theta)
    {
        int pairs = Cosines.Shape[1];
        var cosines = new float[Cosines.Count];
        var sines = new float[Cosines.Count];
        for (int i = 0; i < cosines.Length; i++)
        {
            (int token, int pair) = (i / pairs, i % pairs);
            int position = pair < pairs / 2 ? token / gridWidth : token % gridWidth;

            // The reference computes frequencies and angles in float32; so do we, to turn by the same angles.
            float frequency = (float)Math.Pow(theta, -2.0 * (pair % (pairs / 2)) / pairs);
            float angle = position * frequency;
            cosines[i] = (float)Math.Cos(angle);
            sines[i] = (float)Math.Sin(angle);
        }

        Cosines.CopyFrom<float>(cosines);
        Sines.CopyFrom<float>(sines);
    }
}
