using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Training;

namespace Sprint.Bench.Counting;

/// <summary>What one operation of one part and pass of a step computes and moves.</summary>
/// <param name="Key">Pass, part with its branch, operation.</param>
/// <param name="Total">The counts.</param>
internal readonly record struct CountEntry(AccountKey Key, AccountTotal Total)
{
    /// <summary>The part of the model; empty for objective and optimizer.</summary>
    public string Part => ModelPart.PartOf(Key.Part);

    /// <summary>What kind of work it is: attention, mlp, modulation, or nothing outside blocks.</summary>
    public string Branch => ModelPart.BranchOf(Key.Part);
}

/// <summary>
/// What a training step costs: every operation of the real step, noise to moving average, dispatched on <c>dryrun</c> and counted. A multiply-add is 2 FLOPs.
/// </summary>
/// <param name="Pattern">Which tokens are kept.</param>
/// <param name="Batch">Images of the step.</param>
/// <param name="Entries">The counts.</param>
/// <param name="Parameters">Numbers that the model holds.</param>
/// <param name="PeakBytes">The most bytes held at once.</param>
/// <param name="PeakOf">The most bytes held at once for one purpose.</param>
internal sealed record StepCount(
    DropPattern Pattern,
    int Batch,
    IReadOnlyList<CountEntry> Entries,
    long Parameters,
    long PeakBytes,
    IReadOnlyDictionary<MemoryCategory, long> PeakOf)
{
    /// <summary>All floating-point operations.</summary>
    public double Flops => Sum().Flops;

    /// <summary>Counts a step.</summary>
    /// <param name="model">The model.</param>
    /// <param name="loss">The objective.</param>
    /// <param name="pattern">Which tokens are kept.</param>
    /// <param name="batch">Images of the step.</param>
    /// <param name="precision">In what the model computes.</param>
    public static StepCount Of(ModelConfiguration model, LossConfiguration loss, DropPattern pattern, int batch, Precision precision = Precision.Fp32)
    {
        using var device = new DryRunDevice();
        using var network = new SprintTransformer(device, model, precision: precision);
        using var optimizer = new AdamW(device, network.Parameters.All);
        using var step = new TrainingStep(network, optimizer, loss, seed: 0);
        device.Account.ResetOperations();
        device.Account.ResetPeaks();
        long numbers = (long)batch * model.InChannels * model.ContextSize * model.ContextSize;
        if (numbers > Array.MaxLength)
            throw new SprintException($"--batch {batch} with images of {model.InChannels} x {model.ContextSize} x {model.ContextSize} is {numbers} numbers, more than one array holds: lower --batch or --image-size");
        step.Accumulate(new float[numbers], new int[batch], pattern, step: 0);
        step.Update(new AdamWSettings(1e-4, Step: 1), step: 0);
        Account account = device.Account;
        return new StepCount(
            pattern,
            batch,
            [.. account.Entries.Select(static entry => new CountEntry(entry.Key, entry.Value.Total))],
            network.Parameters.Count,
            account.PeakBytes,
            Enum.GetValues<MemoryCategory>().ToDictionary(static category => category, account.PeakBytesOf));
    }

    /// <summary>The sum over what a condition selects.</summary>
    /// <param name="condition">Which to add; null for all.</param>
    public AccountTotal Sum(Func<CountEntry, bool>? condition = null) =>
        Entries.Where(entry => condition?.Invoke(entry) ?? true).Aggregate(default(AccountTotal), static (sum, entry) => sum + entry.Total);

    /// <summary>The sum of one pass.</summary>
    /// <param name="pass">The pass.</param>
    public AccountTotal Sum(ComputePass pass) => Sum(entry => entry.Key.Pass == pass);
}
