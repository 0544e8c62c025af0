using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Training;

namespace Sprint.Tests.Model.Network;

/// <summary>A training step that fails anywhere, at any allocation and in any kernel, leaves no memory behind.</summary>
[TestFixture]
public sealed class FailedStepTests
{
    private static readonly int[] Classes = [.. Enumerable.Range(0, TinyModel.Batch)];

    [Test]
    public void A_step_that_runs_out_of_memory_at_any_allocation_leaves_nothing_behind([Values] DropKind kind, [Values] bool checkpoints, [Values] TinyVariant variant)
    {
        using var device = new ShortOfMemory();
        using var run = new Run(device, kind, checkpoints, variant);
        run.Step();
        int failures = FailAtEach(
            device, run, place => device.FailAt(place), () => device.Allocations, exception => exception is SprintException { Message: "no memory" });
        Assert.That(failures, Is.GreaterThan(100));
    }

    [Test]
    public void A_step_with_a_kernel_that_fails_anywhere_leaves_nothing_behind_and_the_next_has_the_same_bits(
        [Values] DropKind kind, [Values] bool checkpoints, [Values] TinyVariant variant)
    {
        using var device = new CpuDevice(threads: 1) { PoisonsMemory = true };
        var calls = new FailingKernels();
        calls.Wrap(device);
        using var run = new Run(device, kind, checkpoints, variant);
        double expected = run.Loss();
        int failures = FailAtEach(device, run, calls.FailAt, () => calls.Calls, exception => exception is TimeoutException);
        Assert.That(failures, Is.GreaterThan(100));
        calls.FailAt(0);
        Assert.That(run.Loss(), Is.EqualTo(expected));
    }

    [Test]
    public void A_model_and_an_optimizer_that_find_no_memory_leave_nothing_behind()
    {
        using var device = new ShortOfMemory();
        int place = 0;
        bool fails = true;
        while (fails)
        {
            device.FailAt(++place);
            try
            {
                using var model = new SprintTransformer(device, TinyModel.Configuration);
                using var optimizer = new AdamW(device, model.Parameters.All);
                fails = false;
            }
            catch (SprintException)
            {
                Assert.That(device.Account.LiveBytes, Is.Zero, $"after allocation {place} failed");
            }
        }

        Assert.That(place, Is.GreaterThan(200));
        Assert.That(device.Account.LiveBytes, Is.Zero);
    }

    /// <summary>Fails at the first, second, ... place of a step until the step has no more of them.</summary>
    private static int FailAtEach(Device device, Run run, Action<int> failAt, Func<int> counted, Func<Exception, bool> expected)
    {
        long live = device.Account.LiveBytes;
        for (int place = 1; ; place++)
        {
            failAt(place);
            try
            {
                run.Loss();
                Assert.That(counted(), Is.LessThan(place), "every place must fail once");
                return place - 1;
            }
            catch (Exception exception) when (expected(exception))
            {
                Assert.That(device.Account.LiveBytes, Is.EqualTo(live), $"failed at {place}");
                Assert.That(device.Account.LiveBytesOf(MemoryCategory.Workspace), Is.Zero, $"failed at {place}");
            }
        }
    }

    private sealed class Run : IDisposable
    {
        private readonly SprintTransformer model;
        private readonly AdamW optimizer;
        private readonly TrainingStep step;
        private readonly DropPattern pattern;
        private readonly float[] images;
        private readonly float[] features;

        internal Run(Device device, DropKind kind, bool checkpoints, TinyVariant variant)
        {
            ModelConfiguration configuration = TinyModel.Of(variant) with { ContextSize = 8, UseCheckpoint = checkpoints, TrainMaskToken = true };
            model = TinyModel.Build(device, configuration);
            optimizer = new AdamW(device, model.Parameters.All);
            step = new TrainingStep(model, optimizer, new LossConfiguration(), seed: 9);
            pattern = TinyModel.Pattern(configuration, kind);
            images = TinyModel.Images(configuration);
            features = TinyModel.Features(configuration);
        }

        internal void Step()
        {
            step.Accumulate(images, Classes, pattern, step: 0, features: features);
            step.Update(new AdamWSettings(1e-3, 1), step: 0);
        }

        /// <summary>Forward and backward passes whose gradients are measured and dropped.</summary>
        internal double Loss()
        {
            double loss = step.Accumulate(images, Classes, pattern, step: 0, features: features).Denoising;
            optimizer.MeasureNorm();
            step.Forget();
            return loss;
        }

        public void Dispose()
        {
            step.Dispose();
            optimizer.Dispose();
            model.Dispose();
        }
    }

    /// <summary>Shapes only, with an allocation that fails.</summary>
    private sealed class ShortOfMemory : Device
    {
        private int failAt;

        public override string Name => "short";

        public override string Description => "fails on demand";

        public override bool Executes => false;

        internal int Allocations { get; private set; }

        internal void FailAt(int place) => (failAt, Allocations) = (place, 0);

        public override void Synchronize()
        {
        }

        public override void Trim()
        {
        }

        internal override unsafe void CopyFromHost(Tensor destination, void* source, long bytes)
        {
        }

        internal override unsafe void CopyToHost(Tensor source, void* destination, long bytes) => new Span<byte>(destination, (int)bytes).Clear();

        internal override void Copy(Tensor source, Tensor destination)
        {
        }

        internal override void Clear(Tensor destination)
        {
        }

        protected override void Dispose(bool disposing)
        {
        }

        protected override nint AcquireMemory(long bytes, MemoryCategory category) => ++Allocations == failAt ? throw new SprintException("no memory") : 0;

        protected override void ReleaseMemory(nint address, long bytes)
        {
        }
    }

    /// <summary>Stands before every kernel of a device and lets one call fail.</summary>
    private sealed class FailingKernels
    {
        private int failAt;

        internal int Calls { get; private set; }

        internal void FailAt(int place) => (failAt, Calls) = (place, 0);

        internal void Wrap(Device device)
        {
            Wrap<ILinearKernels>(device);
            Wrap<ISwiGluKernels>(device);
            Wrap<IAdaptiveLayerNormKernels>(device);
            Wrap<IGatedResidualKernels>(device);
            Wrap<IAttentionKernels>(device);
            Wrap<ITokenDropKernels>(device);
            Wrap<IResidualFusionKernels>(device);
            Wrap<IPatchifyKernels>(device);
            Wrap<ITimestepEmbeddingKernels>(device);
            Wrap<ILabelEmbeddingKernels>(device);
            Wrap<IFlowMatchingKernels>(device);
            Wrap<ICosineLossKernels>(device);
            Wrap<IAdamWKernels>(device);
            Wrap<IRandomKernels>(device);
            Wrap<IAdditionKernels>(device);
            Wrap<ISiluKernels>(device);
        }

        private void Wrap<TKernels>(Device device)
            where TKernels : class
        {
            TKernels wrapped = DispatchProxy.Create<TKernels, Proxy>();
            var proxy = (Proxy)(object)wrapped;
            (proxy.Owner, proxy.Inner) = (this, device.Kernels<TKernels>());
            device.Register(wrapped);
        }

        [SuppressMessage("Performance", "CA1852", Justification = "the runtime derives its proxies from it")]
        public class Proxy : DispatchProxy
        {
            internal FailingKernels Owner { get; set; } = null!;

            internal object Inner { get; set; } = null!;

            protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
            {
                if (++Owner.Calls == Owner.failAt)
                    throw new TimeoutException($"{targetMethod!.Name} fails on demand");
                return targetMethod!.Invoke(Inner, BindingFlags.DoNotWrapExceptions, null, args, null);
            }
        }
    }
}
