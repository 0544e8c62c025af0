using Sprint.Model.Data;

namespace Sprint.Tests.Model.Training;

/// <summary>Twenty small grey pictures of waves in three classes, made when read; one of them may be no number.</summary>
internal sealed class PatternDataset : IImageDataset
{
    public int Count => 20;

    public int Classes => ClassNames.Count;

    public IReadOnlyList<string> ClassNames { get; } = ["flat", "steep", "slanted"];

    public int Channels => 1;

    public int Height => 8;

    public int Width => 8;

    /// <summary>The picture whose values are NaN; -1 for none.</summary>
    public int Broken { get; init; } = -1;

    /// <summary>Told of each reading; the picture is NaN where it says so.</summary>
    public Func<int, bool> Spoils { get; init; } = _ => false;

    public int Label(int index) => index % Classes;

    public void Read(int index, Span<float> image)
    {
        bool spoiled = Spoils(index) || index == Broken;
        for (int i = 0; i < image.Length; i++)
        {
            int phase = (i % Width * (Label(index) == 0 ? 0 : 1)) + (i / Width * (Label(index) == 1 ? 0 : 1)) + index;
            image[i] = spoiled ? float.NaN : MathF.Sin(phase * 0.7f);
        }
    }

    public void Dispose()
    {
    }
}
