using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using BenchmarkDotNet.Attributes;
using Sprint.Bench.Operations;
using Sprint.Engine;
using Sprint.Model.Configuration;

namespace Sprint.Bench.Micro;

/// <summary>What BenchmarkDotNet runs: one operation at the sizes of a model. Public and open, as it derives from it.</summary>
[SuppressMessage("Design", "CA1001", Justification = "BenchmarkDotNet calls Cleanup")]
public class OperationBenchmarks
{
    private const double DropRatio = 0.75;

    private static IReadOnlyList<string> chosen = [];
    private CpuDevice? device;
    private OperationWorkload? workload;

    /// <summary>The cases to run, as <c>BATCH:THREADS:NAME</c>, so that a process of its own needs nothing else.</summary>
    public static IEnumerable<string> Keys => chosen;

    /// <summary>Called at the end of each case, to show how far the run is.</summary>
    internal static Action? CaseDone { get; set; }

    /// <summary>Which case runs.</summary>
    [ParamsSource(nameof(Keys))]
    public string Key { get; set; } = "";

    /// <summary>Runs the operation once.</summary>
    [Benchmark]
    public void Run() => workload!.Run();

    /// <summary>Makes its inputs.</summary>
    [GlobalSetup]
    public void Setup()
    {
        (int batch, int threads, string name) = Parse(Key);
        device = new CpuDevice(threads);
        workload = Cases(batch).Single(found => found.Name == name).On(device);
    }

    /// <summary>Frees its inputs.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        workload?.Dispose();
        device?.Dispose();
        CaseDone?.Invoke();
    }

    /// <summary>Every operation at the sizes of every published model.</summary>
    /// <param name="batch">Images.</param>
    internal static IEnumerable<OperationCase> Cases(int batch) => ModelOptions.Sizes.SelectMany(size =>
    {
        ModelConfiguration model = ModelConfiguration.Named(size);
        return OperationCatalog.Of(size, new OperationSizes(model, ModelOptions.Pattern(model, DropRatio), batch));
    });

    /// <summary>Says which cases run.</summary>
    internal static void Choose(IEnumerable<OperationCase> cases, int batch, int threads) =>
        chosen = [.. cases.Select(found => string.Create(CultureInfo.InvariantCulture, $"{batch}:{threads}:{found.Name}"))];

    /// <summary>Reads a key.</summary>
    internal static (int Batch, int Threads, string Name) Parse(string key)
    {
        string[] parts = key.Split(':', 3);
        return (int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture), parts[2]);
    }
}
