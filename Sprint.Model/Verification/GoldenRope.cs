using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Checkpoints;
using Sprint.Model.Configuration;

namespace Sprint.Model.Verification;

/// <summary>Compares the rotary tables: the reference stores each pair's value twice, and gathered copies for kept tokens.</summary>
internal static class GoldenRope
{
    internal static void Compare(ModelConfiguration configuration, SafetensorsFile file, List<TensorComparison> comparisons)
    {
        using var device = new CpuDevice(threads: 1);
        using var table = new RopeTable(
            device, configuration.GridSide, configuration.GridSide, configuration.HeadSize, configuration.RopeTheta);
        int[] everyToken = [.. Enumerable.Range(0, configuration.Tokens)];
        Compare("rope_cos", table.Cosines, everyToken);
        Compare("rope_sin", table.Sines, everyToken);
        if (file.Contains("rope_cos_keep"))
        {
            int[] kept = file.ReadInt32("ids_keep");
            Compare("rope_cos_keep", table.Cosines, kept);
            Compare("rope_sin_keep", table.Sines, kept);
        }

        void Compare(string name, Tensor pairs, int[] tokens)
        {
            if (file.Contains(name))
            {
                float[] values = pairs.ToArray();
                int half = configuration.HeadSize / 2;
                float[] actual = [.. tokens.SelectMany(token => Enumerable.Range(0, 2 * half).Select(i => values[(token * half) + (i / 2)]))];
                comparisons.Add(TensorComparison.Absolute(name, actual, file.ReadFloats(name), GoldenTolerances.Output));
            }
        }
    }
}
