using Sprint.Bench.Results;
using Sprint.Engine;
using Sprint.Engine.Emulation;

namespace Sprint.Bench.Kernels;

/// <summary>The tables of the command <c>kernels</c>.</summary>
internal static class KernelTables
{
    /// <summary>Launches with registers and occupancy.</summary>
    /// <param name="figures">The kernels.</param>
    /// <param name="architecture">For which GPU the assembler was asked.</param>
    public static ResultTable Resources(IReadOnlyList<KernelFigure> figures, int architecture) => new(
        $"launches, and what the assembler says for sm_{architecture}",
        ["operation", "kernel", "grid", "threads", "shared", "registers", "spills", "occupancy"],
        [.. figures.Select(static figure => (IReadOnlyList<string>)
        [
            figure.Operation.Operation,
            figure.Launch.Kernel,
            $"{figure.Launch.Grid}",
            $"{figure.Launch.Block.Count}",
            figure.Report is { } known ? Text.Bytes(known.Resources.SharedBytes + figure.Launch.DynamicSharedBytes) : Text.Bytes(figure.Launch.DynamicSharedBytes),
            figure.Report is { } report ? $"{report.Resources.Registers}" : "",
            figure.Report is { } spilling ? $"{spilling.Resources.SpillStoreBytes + spilling.Resources.SpillLoadBytes}" : "",
            figure.Report is { } resident ? Text.Percent(resident.Occupancy.Fraction) : "",
        ])],
        "spills: bytes a thread stores and loads; empty without NVRTC",
        TextColumns: 3);

    /// <summary>What the emulated device counted.</summary>
    /// <param name="figures">The kernels.</param>
    public static ResultTable Counters(IReadOnlyList<KernelFigure> figures) => new(
        "counted on the emulated device",
        ["operation", "kernel", "FLOP", "of tensor cores", "bytes", "FLOP/byte", "sector efficiency", "bank conflicts", "divergent branches"],
        [.. figures.Select(static figure =>
        {
            LaunchStatistics counts = figure.Launch.Counters!;
            Roofline roofline = figure.RooflineOn(PublishedRates.A100);
            return (IReadOnlyList<string>)
            [
                figure.Operation.Operation,
                figure.Launch.Kernel,
                Text.Flops(roofline.Flops),
                Share(counts.TensorFlops, roofline.Flops),
                Text.Bytes(roofline.Bytes),
                roofline.Bytes == 0 ? "" : Text.Significant(roofline.Intensity),
                Share(counts.GlobalIdealSectors, counts.GlobalSectors),
                Share(counts.SharedBankConflicts, counts.SharedWavefronts),
                Share(counts.DivergentBranches, counts.Branches),
            ];
        })],
        "bytes of global memory as 32-byte sectors; conflicts of passes through shared memory, branches of conditional ones",
        TextColumns: 2);

    /// <summary>The least times by published rates.</summary>
    /// <param name="figures">The kernels.</param>
    public static ResultTable Rooflines(IReadOnlyList<KernelFigure> figures) => new(
        "least time by published rates",
        ["operation", "kernel", .. PublishedRates.All.SelectMany(static rates => new[] { rates.Name, "bound by" })],
        [.. figures.Select(static figure => (IReadOnlyList<string>)
        [
            figure.Operation.Operation,
            figure.Launch.Kernel,
            .. PublishedRates.All.SelectMany(rates =>
            {
                Roofline roofline = figure.RooflineOn(rates);
                return new[] { Text.Seconds(roofline.Bound.Seconds), roofline.Bound.Name };
            }),
        ])],
        "an estimate: the resource that the launch needs longest, everything else hidden behind it; launch overhead and what caches save are not part of it",
        TextColumns: 2);

    /// <summary>Times on a GPU.</summary>
    /// <param name="figures">The kernels.</param>
    /// <param name="gpu">The GPU's name.</param>
    /// <param name="rates">Its published rates, or null where they are not known.</param>
    public static ResultTable Times(IReadOnlyList<KernelFigure> figures, string gpu, PublishedRates? rates) => new(
        $"measured on {gpu}, the second-level cache flushed before each launch",
        ["operation", "kernel", "median", "+/-", "least by roofline", "of the roof"],
        [.. figures.Where(static figure => figure.Seconds.Count > 0).Select(figure =>
        {
            Spread time = Spread.Of(figure.Seconds);
            double? least = rates is null ? null : figure.RooflineOn(rates).Bound.Seconds;
            return (IReadOnlyList<string>)
            [
                figure.Operation.Operation, figure.Launch.Kernel, Text.Seconds(time.Median), Text.Percent(time.Relative),
                least is { } seconds ? Text.Seconds(seconds) : "not known", least is { } roof ? Text.Percent(roof / time.Median) : "not known",
            ];
        })],
        "events around each launch, to about half a microsecond",
        TextColumns: 2);

    /// <summary>cuBLAS beside.</summary>
    /// <param name="figures">The products.</param>
    public static ResultTable Blas(IReadOnlyList<BlasFigure> figures) => new(
        "linear layers beside cuBLAS, forward",
        ["operation", "m x n x k", "here, with epilogue", "TFLOP/s", "cuBLAS, product alone", "TFLOP/s", "cuBLAS over here"],
        [.. figures.Select(static figure =>
        {
            (double own, double blas) = (Spread.Of(figure.Own).Median, Spread.Of(figure.Blas).Median);
            double flops = 2.0 * figure.Rows * figure.Columns * figure.Depth;
            return (IReadOnlyList<string>)
            [
                figure.Operation.Operation, $"{figure.Rows} x {figure.Columns} x {figure.Depth}", Text.Seconds(own), $"{flops / own / 1e12:F1}",
                Text.Seconds(blas), $"{flops / blas / 1e12:F1}", Text.Significant(blas / own),
            ];
        })],
        TextColumns: 2);

    private static string Share(long part, long whole) => whole == 0 ? "" : Text.Percent((double)part / whole);
}
