using System.Text;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Engine.Operations;
using Sprint.Tests.Engine.Cuda;
using Sprint.Tests.Engine.Emulation;

namespace Sprint.Tests.Engine.Operations.Attention;

/// <summary>
/// The kernels of kernels/attention_*.cu on the emulator, launched as <see cref="AttentionTiles"/> says. Outputs are allocated to the byte and never
/// written before, so that a read of what a kernel did not write, or a write beyond, stops the launch.
/// </summary>
internal sealed class EmulatedAttention : IDisposable
{
    private static readonly Lazy<KernelLibrary> Library = new(() => new KernelLibrary(new KernelLibraryOptions { UseCache = false }));

    private readonly AttentionSample sample;
    private readonly AttentionTiles tiles;
    private readonly EmulatorHarness forward, backward;

    internal EmulatedAttention(AttentionSample sample, ulong seed = 0)
    {
        this.sample = sample;
        tiles = new AttentionTiles(sample.Element, sample.Batch, sample.Tokens, sample.Heads, sample.HeadSize);
        EmulationOptions options = new() { Workers = 2, ScheduleSeed = seed, Counters = true };
        forward = new EmulatorHarness(Ptx(KernelCatalog.AttentionForward(sample.Element, sample.HeadSize, tiles.QueryTile))) { Options = options };
        backward = new EmulatorHarness(Ptx(KernelCatalog.AttentionBackward(sample.Element, sample.HeadSize))) { Options = options };
    }

    /// <summary>What each launch counted.</summary>
    internal Dictionary<string, LaunchStatistics> Statistics { get; } = [];

    /// <summary>Forward, then backward; gradients of the norms' weights are added to ones.</summary>
    internal AttentionResults Run()
    {
        int outputs = sample.OutputGradient.Length, rows = sample.Batch * sample.Heads * sample.Tokens;
        ulong output = Reserve(forward, outputs), logSumExp = forward.Reserve<float>(rows);
        Launch(
            forward, "attention_forward", tiles.ForwardGrid, tiles.Threads, tiles.ForwardSharedBytes,
            [Upload(forward, sample.Qkv), .. Shared(forward), output, logSumExp, sample.Tokens, sample.Heads, tiles.Scale]);
        float[] values = Download(forward, output, outputs), logSums = forward.Download<float>(logSumExp, rows);

        EmulatorHarness run = backward;
        ulong gradient = Upload(run, sample.OutputGradient), qkv = Upload(run, sample.Qkv), sums = run.Upload(logSums);
        ulong delta = run.Reserve<float>(rows), qkvGradient = Reserve(run, sample.Qkv.Length);
        Launch(run, "attention_backward_prepare", tiles.PrepareGrid, AttentionTiles.PrepareBlock, 0, [gradient, Upload(run, values), delta, sample.Tokens, sample.Heads]);
        int partials = (int)tiles.BackwardBlocks * sample.HeadSize;
        ulong keyPartial = sample.Norm ? run.Reserve<float>(partials) : 0, queryPartial = sample.Norm ? run.Reserve<float>(partials) : 0;
        foreach ((string kernel, ulong partial) in (ReadOnlySpan<(string, ulong)>)[("attention_backward_dkv", keyPartial), ("attention_backward_dq", queryPartial)])
        {
            Launch(
                run, kernel, tiles.BackwardGrid, tiles.Threads, tiles.BackwardSharedBytes,
                [gradient, qkv, .. Shared(run), sums, delta, qkvGradient, partial, sample.Tokens, sample.Heads, tiles.Scale]);
        }

        if (!sample.Norm)
            return new AttentionResults(Doubles(values), Doubles(logSums), Doubles(Download(run, qkvGradient, sample.Qkv.Length)), null, null);
        float[] ones = [.. Enumerable.Repeat(1f, sample.HeadSize)];
        ulong queryWeight = run.Upload(ones), keyWeight = run.Upload(ones);
        Launch(run, "attention_backward_weights", tiles.WeightsGrid, AttentionTiles.WeightsBlock, 0, [queryPartial, keyPartial, queryWeight, keyWeight, tiles.BackwardBlocks]);
        double[] Added(ulong address) => [.. run.Download<float>(address, sample.HeadSize).Select(value => value - 1d)];
        return new AttentionResults(
            Doubles(values), Doubles(logSums), Doubles(Download(run, qkvGradient, sample.Qkv.Length)), Added(queryWeight), Added(keyWeight));
    }

    public void Dispose()
    {
        forward.Dispose();
        backward.Dispose();
    }

    private static string Ptx(KernelSpecialization specialization)
    {
        CudaRequirements.RequireNvrtc();
        return Encoding.UTF8.GetString(Library.Value.Get(specialization, KernelLibrary.EmulatorTarget).Program.Image.Span.TrimEnd((byte)0));
    }

    private static double[] Doubles(float[] values) => Array.ConvertAll(values, value => (double)value);

    private void Launch(EmulatorHarness harness, string kernel, Dim3 grid, Dim3 block, int sharedBytes, object[] arguments) =>
        Statistics[kernel] = harness.Launch(kernel, new((uint)grid.X, (uint)grid.Y, (uint)grid.Z), new((uint)block.X, (uint)block.Y, (uint)block.Z), sharedBytes, arguments);

    private object[] Shared(EmulatorHarness harness) =>
    [
        sample.QueryWeight == null ? 0ul : harness.Upload(sample.QueryWeight),
        sample.KeyWeight == null ? 0ul : harness.Upload(sample.KeyWeight),
        harness.Upload(sample.Cosines),
        harness.Upload(sample.Sines),
        sample.Ids == null ? 0ul : harness.Upload(sample.Ids),
    ];

    private bool IsFloat => sample.Element == KernelCatalog.FloatElement;

    private ulong Upload(EmulatorHarness harness, float[] values) =>
        IsFloat ? harness.Upload(values) : harness.Upload(Array.ConvertAll(values, AttentionSample.Narrow));

    private ulong Reserve(EmulatorHarness harness, int count) => IsFloat ? harness.Reserve<float>(count) : harness.Reserve<ushort>(count);

    private float[] Download(EmulatorHarness harness, ulong address, int count) => IsFloat
        ? harness.Download<float>(address, count)
        : Array.ConvertAll(harness.Download<ushort>(address, count), static value => BitConverter.UInt32BitsToSingle(AttentionSample.Widen(value)));
}
