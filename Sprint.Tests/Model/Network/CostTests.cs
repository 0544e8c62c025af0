using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Sampling;

namespace Sprint.Tests.Model.Network;

/// <summary>What <c>dryrun</c> counts: the published figures, and what a device that computes counts.</summary>
[TestFixture]
public sealed class CostTests
{
    private const double Tera = 1e12;

    // Published for 256x256 images, a guided step: SPRINT.md section 6.
    [TestCase(GuidanceKind.Cfg, 0.477)]
    [TestCase(GuidanceKind.Pdg, 0.274)]
    public void A_guided_step_of_the_largest_model_costs_what_is_published(GuidanceKind guidance, double teraFlops) =>
        Assert.That(GuidedStep(guidance, steps: 1).MatrixFlops / Tera, Is.EqualTo(teraFlops).Within(0.5).Percent);

    [Test]
    public void Without_the_fusion_it_costs_what_is_published_for_the_plain_transformer()
    {
        using var device = new DryRunDevice();
        Sample(device, ModelConfiguration.Named("XL"), GuidanceKind.Cfg, steps: 1, SamplerKind.Ode);
        AccountTotal plain = device.Account.Total(key => key.Part != ModelPart.Fusion);
        Assert.That(plain.MatrixFlops / Tera, Is.EqualTo(0.4745).Within(0.5).Percent);
    }

    [Test]
    public void Steps_outside_the_guidance_interval_cost_the_conditional_model_alone()
    {
        long one = GuidedStep(GuidanceKind.None, steps: 1).MatrixFlops;
        long guided = GuidedStep(GuidanceKind.Pdg, steps: 1).MatrixFlops;
        using var device = new DryRunDevice();

        // Times 1, 0.75, 0.5, 0.25: two of four within the interval.
        Sample(device, ModelConfiguration.Named("XL"), GuidanceKind.Pdg, 4, SamplerKind.Ode, low: 0.3, high: 0.8);
        Assert.That(device.Account.Total().MatrixFlops, Is.EqualTo((2 * one) + (2 * guided)));
    }

    [Test]
    public void Dropping_three_quarters_of_the_tokens_halves_the_cost_of_training()
    {
        ModelConfiguration model = ModelConfiguration.Named("XL");
        double sparse = TrainingStep(new DryRunDevice(), model, DropKind.Structured).Total(Forward).MatrixFlops;
        double dense = TrainingStep(new DryRunDevice(), model, DropKind.None).Total(Forward).MatrixFlops;

        // 24 of 28 blocks see a quarter of the tokens; attention falls with the square.
        Assert.That(sparse / dense, Is.EqualTo(1 - (24 / 28.0 * 0.75)).Within(2).Percent);

        static bool Forward(AccountKey key) => key.Pass == ComputePass.Forward;
    }

    [Test]
    public void A_training_step_costs_on_dryrun_what_it_costs_on_the_cpu(
        [Values] DropKind kind, [Values] bool checkpoints, [Values] Precision precision, [Values] TinyVariant variant)
    {
        ModelConfiguration model = TinyModel.Of(variant) with { UseCheckpoint = checkpoints };
        using CpuDevice cpu = precision == Precision.Bf16 ? CpuDevice.WithPlainBFloat16() : new CpuDevice();
        using var dryRun = new DryRunDevice();
        AssertSame(TrainingStep(dryRun, model, kind, precision), TrainingStep(cpu, model, kind, precision));
    }

    // Fused passes save bytes moved, but no floating-point operation and no memory.
    [Test]
    public void A_training_step_holds_and_computes_on_dryrun_what_it_does_with_cuda_kernels([Values] DropKind kind, [Values] Precision precision, [Values] TinyVariant variant)
    {
        ModelConfiguration model = TinyModel.Of(variant) with { NumHeads = 3 };
        using CudaDevice cuda = CudaDevice.Emulated();
        using var dryRun = new DryRunDevice();
        Account expected = TrainingStep(dryRun, model, kind, precision), actual = TrainingStep(cuda, model, kind, precision);
        foreach (MemoryCategory category in Enum.GetValues<MemoryCategory>().Where(category => category != MemoryCategory.Workspace))
            Assert.That(actual.PeakBytesOf(category), Is.EqualTo(expected.PeakBytesOf(category)), category.ToString());
        Assert.That(actual.PeakBytes, Is.EqualTo(expected.PeakBytes));
        Assert.That(actual.Total().Flops, Is.EqualTo(expected.Total().Flops));
    }

    /// <summary>The projector runs in training alone, over the tokens that the middle blocks see, and costs what its three linear layers do.</summary>
    [Test]
    public void The_projector_costs_three_linear_layers_over_the_kept_tokens([Values] DropKind kind)
    {
        ModelConfiguration model = TinyModel.Aligned;
        using var device = new DryRunDevice();
        Account aligned = TrainingStep(device, model, kind), plain = TrainingStep(new DryRunDevice(), TinyModel.Configuration, kind);
        long rows = 2L * TinyModel.Batch * TinyModel.Pattern(model, kind).KeptTokens;
        long weights = (model.HiddenSize * model.ProjectorHiddenDim) + (model.ProjectorHiddenDim * model.ProjectorHiddenDim) + (model.ProjectorHiddenDim * model.DimProjection);
        Assert.That(Products(ComputePass.Forward), Is.EqualTo(2 * rows * weights));
        Assert.That(Products(ComputePass.Backward), Is.EqualTo(4 * rows * weights), "gradients of weights and of inputs");
        Assert.That(aligned.Total().MatrixFlops - plain.Total().MatrixFlops, Is.EqualTo(6 * rows * weights));

        using var sampled = new DryRunDevice();
        Sample(sampled, model, GuidanceKind.Pdg, 3, SamplerKind.Ode);
        Assert.That(sampled.Account.Entries.Keys.Select(key => key.Part), Does.Not.Contain(ModelPart.Projector));

        long Products(ComputePass pass) => aligned.Total(key => key.Part == ModelPart.Projector && key.Pass == pass).MatrixFlops;
    }

    // Activations and their gradients halve; parameters have their shadow in addition; gradients and moments stay.
    [Test]
    public void Mixed_precision_halves_activations()
    {
        ModelConfiguration model = ModelConfiguration.Named("S");
        Account wide = TrainingStep(new DryRunDevice(), model, DropKind.None, Precision.Fp32), mixed = TrainingStep(new DryRunDevice(), model, DropKind.None, Precision.Bf16);
        double Ratio(MemoryCategory category) => (double)mixed.PeakBytesOf(category) / wide.PeakBytesOf(category);
        Assert.That(Ratio(MemoryCategory.Activation), Is.EqualTo(0.5).Within(0.02));
        Assert.That(Ratio(MemoryCategory.Parameter), Is.EqualTo(1.25).Within(0.01));
        Assert.That(Ratio(MemoryCategory.Gradient), Is.EqualTo(1));
        Assert.That(Ratio(MemoryCategory.Optimizer), Is.EqualTo(1));
    }

    [Test]
    public void Sampling_costs_on_dryrun_what_it_costs_on_the_cpu([Values] GuidanceKind guidance, [Values] SamplerKind sampler, [Values] TinyVariant variant)
    {
        ModelConfiguration model = TinyModel.Of(variant);
        using var cpu = new CpuDevice();
        using var dryRun = new DryRunDevice();
        Sample(cpu, model, guidance, 3, sampler);
        Sample(dryRun, model, guidance, 3, sampler);
        AssertSame(dryRun.Account, cpu.Account);
    }

    private static AccountTotal GuidedStep(GuidanceKind guidance, int steps)
    {
        using var device = new DryRunDevice();
        Sample(device, ModelConfiguration.Named("XL"), guidance, steps, SamplerKind.Ode);
        return device.Account.Total();
    }

    private static void Sample(
        Device device, ModelConfiguration configuration, GuidanceKind guidance, int steps, SamplerKind sampler, double low = 0, double high = 1)
    {
        using var model = new SprintTransformer(device, configuration);
        var guided = new GuidedModel(model, [1]) { Guidance = guidance, Scale = 2, Low = low, High = high };
        Sampler.Run(guided, new double[guided.StateLength], sampler, steps, FlowPath.Linear, (_, noise) => noise.Clear());
    }

    private static Account TrainingStep(Device device, ModelConfiguration model, DropKind kind, Precision precision = Precision.Fp32)
    {
        using var step = new TinyModel.Step(device, kind, model, precision);
        step.Run();
        step.Run();
        return device.Account;
    }

    private static void AssertSame(Account actual, Account expected)
    {
        Assert.That(actual.Entries, Is.Not.Empty);
        Assert.That(
            actual.Entries.ToDictionary(entry => entry.Key, entry => entry.Value.Total),
            Is.EquivalentTo(expected.Entries.ToDictionary(entry => entry.Key, entry => entry.Value.Total)));
        Assert.That(actual.PeakBytes, Is.EqualTo(expected.PeakBytes));
        foreach (MemoryCategory category in Enum.GetValues<MemoryCategory>().Where(category => category != MemoryCategory.Workspace))
            Assert.That(actual.PeakBytesOf(category), Is.EqualTo(expected.PeakBytesOf(category)), category.ToString());
        Assert.That(actual.PeakBytesOf(MemoryCategory.Workspace), Is.Zero);
    }
}
