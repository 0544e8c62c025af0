using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Sampling;

namespace Sprint.Bench.Counting;

/// <summary>How one image is sampled.</summary>
/// <param name="Sampler">ODE or SDE.</param>
/// <param name="Steps">Steps of the sampler.</param>
/// <param name="Low">The lowest time at which guidance acts.</param>
/// <param name="High">The highest time at which guidance acts.</param>
internal sealed record SamplingSettings(SamplerKind Sampler, int Steps, double Low = 0, double High = 1);

/// <summary>What sampling one image costs: the real sampler and guidance over the real model on <c>dryrun</c>.</summary>
/// <param name="Guidance">The kind of guidance.</param>
/// <param name="Settings">How it is sampled.</param>
/// <param name="Step">One step in which guidance acts.</param>
/// <param name="StepFusion">The part of <paramref name="Step"/> in the residual fusion.</param>
/// <param name="Image">All steps of an image.</param>
/// <param name="PeakBytes">The most bytes held at once, parameters included.</param>
internal sealed record SamplingCount(
    GuidanceKind Guidance, SamplingSettings Settings, AccountTotal Step, AccountTotal StepFusion, AccountTotal Image, long PeakBytes)
{
    /// <summary>A scale at which guidance acts; any but 1.</summary>
    private const double Scale = 2;

    /// <summary>The mean of the products' FLOPs over the steps of an image.</summary>
    public double MatrixFlopsPerStep => (double)Image.MatrixFlops / Settings.Steps;

    /// <summary>Counts.</summary>
    /// <param name="configuration">The model.</param>
    /// <param name="guidance">The kind of guidance.</param>
    /// <param name="settings">How it is sampled.</param>
    /// <param name="precision">In what the model computes.</param>
    public static SamplingCount Of(ModelConfiguration configuration, GuidanceKind guidance, SamplingSettings settings, Precision precision = Precision.Fp32)
    {
        using var device = new DryRunDevice();
        using var model = new SprintTransformer(device, configuration, precision: precision);
        Account account = device.Account;
        var guided = new GuidedModel(model, [0]) { Guidance = guidance, Scale = Scale, Low = settings.Low, High = settings.High };
        double[] state = new double[guided.StateLength];

        account.ResetOperations();
        account.ResetPeaks();
        guided.Velocity(state, (settings.Low + settings.High) / 2, new double[state.Length]);
        AccountTotal step = account.Total();
        AccountTotal fusion = account.Total(static key => key.Part == ModelPart.Fusion);

        account.ResetOperations();
        Sampler.Run(guided, state, settings.Sampler, settings.Steps, FlowPath.Linear, static (_, noise) => noise.Clear());
        return new SamplingCount(guidance, settings, step, fusion, account.Total(), account.PeakBytes);
    }
}
