using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Tests.Model.Network;

/// <summary>A whole training step: what it allocates, which bits it gives, what it leaves behind.</summary>
[TestFixture]
public sealed class TrainingStepTests
{
    [Test]
    public void A_warm_step_allocates_nothing([Values] DropKind kind, [Values] bool checkpoints, [Values(1, 2)] int threads, [Values] TinyVariant variant)
    {
        using var device = new CpuDevice(threads);
        using var step = new TinyModel.Step(device, kind, TinyModel.Of(variant) with { UseCheckpoint = checkpoints });
        for (int i = 0; i < 3; i++)
            step.Run();
        (long system, long managed) = (device.SystemAllocations, GC.GetAllocatedBytesForCurrentThread());
        for (int i = 0; i < 3; i++)
            step.Run();
        managed = GC.GetAllocatedBytesForCurrentThread() - managed;
        Assert.That(managed, Is.Zero, "bytes of managed memory");
        Assert.That(device.SystemAllocations, Is.EqualTo(system), "blocks of native memory");
    }

    [Test]
    public void The_bits_do_not_depend_on_the_number_of_threads_nor_on_checkpoints([Values] DropKind kind, [Values] TinyVariant variant)
    {
        (float loss, float[][] gradients) = Gradients(TinyModel.Of(variant), kind, threads: 1, checkpoints: false);
        Assert.That(float.IsFinite(loss) && loss > 0);
        foreach ((int threads, bool checkpoints) in (ReadOnlySpan<(int, bool)>)[(1, false), (2, false), (3, false), (1, true), (3, true)])
        {
            (float otherLoss, float[][] others) = Gradients(TinyModel.Of(variant), kind, threads, checkpoints);
            string run = $"{threads} threads{(checkpoints ? ", checkpoints" : "")}";
            Comparer.AssertSameBits($"loss, {run}", [otherLoss], [loss]);
            for (int i = 0; i < gradients.Length; i++)
                Comparer.AssertSameBits($"gradient of parameter {i}, {run}", others[i], gradients[i]);
        }
    }

    [Test]
    public void Checkpoints_lower_the_peak_of_activations()
    {
        Assert.That(Peak(checkpoints: true), Is.LessThan(0.75 * Peak(checkpoints: false)));

        static long Peak(bool checkpoints)
        {
            using var device = new DryRunDevice();
            using var step = new TinyModel.Step(device, DropKind.None, TinyModel.Configuration with { UseCheckpoint = checkpoints, MiddleDepth = 6 });
            step.Run();
            device.Account.ResetPeaks();
            step.Run();
            return device.Account.PeakBytesOf(MemoryCategory.Activation);
        }
    }

    [Test]
    public void A_step_leaves_no_activation_behind([Values] DropKind kind, [Values] bool checkpoints, [Values] TinyVariant variant)
    {
        using var device = new CpuDevice { PoisonsMemory = true };
        using var step = new TinyModel.Step(device, kind, TinyModel.Of(variant) with { UseCheckpoint = checkpoints });
        step.Run();
        long live = device.Account.LiveBytes;
        step.Run();
        Assert.That(device.Account.LiveBytes, Is.EqualTo(live));
        Assert.That(device.Account.LiveBytesOf(MemoryCategory.Workspace), Is.Zero);

        // What is left of activations are the rotary tables.
        ModelConfiguration model = TinyModel.Configuration;
        Assert.That(device.Account.LiveBytesOf(MemoryCategory.Activation), Is.EqualTo(2 * model.Tokens * model.HeadSize / 2 * sizeof(float)));
    }

    [Test]
    public void Dropped_tokens_and_paths_get_their_loss_but_reach_no_middle_block()
    {
        // All paths dropped: nothing that the middle blocks compute is used.
        ModelConfiguration configuration = TinyModel.Configuration with { CfgMaskProb = 1 };
        using var device = new CpuDevice { PoisonsMemory = true };
        using var step = new TinyModel.Step(device, DropKind.Structured, configuration);
        step.ForwardAndBackward();
        foreach (Parameter parameter in step.Model.Parameters.All.Where(parameter => parameter.Trainable))
        {
            float largest = parameter.Gradient.ToArray().Max(Math.Abs);
            Assert.That(
                largest > 0, Is.EqualTo(!parameter.Name.StartsWith("middle_blocks", StringComparison.Ordinal)), $"{parameter.Name}: {largest}");
        }
    }

    private static (float Loss, float[][] Gradients) Gradients(ModelConfiguration model, DropKind kind, int threads, bool checkpoints)
    {
        using var device = new CpuDevice(threads) { PoisonsMemory = true };
        ModelConfiguration configuration = model with { UseCheckpoint = checkpoints, TrainMaskToken = true, CfgMaskProb = 0.4 };
        using var step = new TinyModel.Step(device, kind, configuration);
        float loss = step.ForwardAndBackward();
        return (loss, [.. step.Model.Parameters.All.Select(parameter => parameter.Gradient.ToArray())]);
    }
}
