using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Objective;

namespace Sprint.Tests.Documentation;

/// <summary>The library snippet of the README, as code that is compiled and run.</summary>
internal static class ReadmeSnippet
{
    internal static (float First, float Last, long Forward, long Backward) Run()
    {
        // snippet
        using var device = new CpuDevice();
        using var model = new SprintTransformer(device, new ModelConfiguration { ContextSize = 16, HiddenSize = 64, NumHeads = 2 });
        using var optimizer = new AdamW(device, model.Parameters.All);
        using var tape = new Tape();

        // Eight images, a label for each, and three of four tokens hidden from the middle blocks.
        var sampler = new StepSampler(device, model.Configuration, seed: 1);
        DropPattern pattern = DropPattern.Structured(gridHeight: 8, gridWidth: 8, ratio: 0.75);
        float[] images = [.. Enumerable.Range(0, 8 * 16 * 16).Select(i => MathF.Sin(i / 7f))];
        int[] labels = [0, 1, 2, 3, 4, 5, 6, 7];

        var losses = new List<float>();
        for (int step = 0; step < 20; step++)
        {
            using StepInputs inputs = sampler.Draw(images, labels, pattern, new LossConfiguration(), step, microBatch: 0);
            using StepLoss loss = inputs.Loss(tape, model, FlowPath.Linear);
            tape.Backward(loss.Denoising);
            optimizer.MeasureNorm();
            optimizer.Update(new AdamWSettings(LearningRate: 2e-3, Step: step + 1));
            losses.Add(loss.Denoising.ToArray()[0]);
        }

        long forward = device.Account.Total(key => key.Pass == ComputePass.Forward).Flops;
        long backward = device.Account.Total(key => key.Pass == ComputePass.Backward).Flops;
        Console.WriteLine($"loss {losses[0]:F3} -> {losses[^1]:F3}, {forward + backward:N0} FLOPs");
        // end of snippet
        return (losses[0], losses[^1], forward, backward);
    }
}
