using NUnit.Framework;
using Sprint.Bench;
using Sprint.Bench.Micro;
using Sprint.Bench.Operations;
using Sprint.Engine;
using Sprint.Model.Configuration;

namespace Sprint.Tests.Bench;

/// <summary>The operations that <c>micro</c> and <c>kernels</c> run.</summary>
internal sealed class OperationCatalogTests
{
    private static readonly ModelConfiguration Model = new() { ContextSize = 16, InChannels = 4, HiddenSize = 32, NumHeads = 2 };

    private static readonly ModelConfiguration Other = Model with { UseSwiglu = true, AdalnType = "lora", AdalnLoraDim = 6 };

    private static readonly IReadOnlyList<OperationCase> Cases = OperationCatalog.Of("T", new OperationSizes(Model, ModelOptions.Pattern(Model, 0.75), Batch: 2));

    private static readonly IReadOnlyList<OperationCase> OtherCases = OperationCatalog.Of("O", new OperationSizes(Other, ModelOptions.Pattern(Other, 0.75), Batch: 2));

    private static IEnumerable<string> Names => Cases.Concat(OtherCases).Select(found => found.Name);

    [TestCaseSource(nameof(Names))]
    public void An_operation_runs_again_and_again_and_counts_the_same_each_time(string name)
    {
        OperationCase found = Cases.Concat(OtherCases).Single(other => other.Name == name);
        using CpuDevice device = new(1);
        using OperationWorkload workload = found.On(device);
        workload.Run();
        device.Account.ResetOperations();
        long live = device.Account.LiveBytes;
        workload.Run();
        AccountTotal first = device.Account.Total();
        device.Account.ResetOperations();
        workload.Run();
        Assert.That(device.Account.Total(), Is.EqualTo(first));
        Assert.That(first, Is.EqualTo(found.Count()), "the CPU counts what dryrun counts");
        Assert.That(device.Account.LiveBytes, Is.EqualTo(live));
        Assert.That(first.Flops + first.BytesWritten, Is.GreaterThan(0));
    }

    [Test]
    public void Every_operation_of_a_training_step_has_a_case([Values] bool other)
    {
        using DryRunDevice device = new();
        HashSet<string> covered = [];
        foreach (OperationCase found in other ? OtherCases : Cases)
        {
            using OperationWorkload workload = found.On(device);
            device.Account.ResetOperations();
            workload.Run();
            covered.UnionWith(device.Account.Entries.Keys.Select(key => $"{key.Operation} {key.Pass}"));
        }

        IEnumerable<string> step = Sprint.Bench.Counting.StepCount.Of(other ? Other : Model, new LossConfiguration(), ModelOptions.Pattern(Model, 0.75), 2).Entries
            .Select(entry => $"{entry.Key.Operation} {entry.Key.Pass}").Distinct();
        Assert.That(step.Except(covered), Is.Empty);
    }

    [Test]
    public void Training_takes_more_than_the_forward_pass()
    {
        foreach (OperationCase training in OtherCases.Where(found => found.Trains))
        {
            OperationCase forward = OtherCases.Single(found => found.Operation == training.Operation && !found.Trains);
            Assert.That(training.Count().Dispatches, Is.GreaterThan(forward.Count().Dispatches), training.Name);
        }
    }

    [TestCase("S/attention/forward", 1)]
    [TestCase("XL/linear qkv/*", 2)]
    [TestCase("*/attention/forward", 4)]
    [TestCase("b/SILU/forward", 1)]
    public void A_filter_chooses_by_pattern(string pattern, int count) =>
        Assert.That(MicroCommand.Choose(OperationBenchmarks.Cases(batch: 1), [pattern]), Has.Length.EqualTo(count));

    [Test]
    public void A_filter_that_fits_nothing_is_refused() => Assert.That(
        () => MicroCommand.Choose(OperationBenchmarks.Cases(1), ["attention"]),
        Throws.TypeOf<SprintException>().With.Message.StartsWith("--filter 'attention' fits no case: cases are MODEL/OPERATION/PASS such as S/linear qkv/forward"));

    [Test]
    public void A_key_says_all_that_a_process_of_its_own_needs()
    {
        OperationBenchmarks.Choose(Cases.Take(1), batch: 3, threads: 2);
        Assert.That(OperationBenchmarks.Parse(OperationBenchmarks.Keys.Single()), Is.EqualTo((3, 2, Cases[0].Name)));
    }

    [Test]
    public void The_least_time_is_the_longer_of_arithmetic_and_traffic()
    {
        MachinePeak peak = new(Flops: 100, Bytes: 10);
        Assert.That(peak.LeastSeconds(new AccountTotal(1, 200, 100, 5, 5)), Is.EqualTo(3));
        Assert.That(peak.Bound(new AccountTotal(1, 200, 100, 5, 5)), Is.EqualTo("arithmetic"));
        Assert.That(peak.LeastSeconds(new AccountTotal(1, 10, 0, 30, 20)), Is.EqualTo(5));
        Assert.That(peak.Bound(new AccountTotal(1, 10, 0, 30, 20)), Is.EqualTo("memory"));
    }
}
