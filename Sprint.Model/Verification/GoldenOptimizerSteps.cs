using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Checkpoints;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Objective;

namespace Sprint.Model.Verification;

/// <summary>Three steps of AdamW with clipping and moving average, for each variant of weight decay in the file.</summary>
internal sealed class GoldenOptimizerSteps(Device device, Func<bool, SprintTransformer> loadModel, SafetensorsFile file)
{
    private static readonly (string Variant, double WeightDecay)[] Variants = [("wd0", 0), ("wd001", 0.01)];

    internal IReadOnlyList<GoldenCase> Run(string name)
    {
        (string Variant, double WeightDecay)[] held = [.. Variants.Where(variant => file.Contains(variant.Variant + ".loss"))];
        return held.Length > 0
            ? [.. held.Select(variant => Run($"{name} {variant.Variant}", variant.Variant, variant.WeightDecay))]
            : throw new SprintException($"{file.Path}: there is no tensor {string.Join(" or ", Variants.Select(variant => $"'{variant.Variant}.loss'"))}");
    }

    private GoldenCase Run(string name, string variant, double weightDecay)
    {
        GoldenData.RequireRank(file, $"{variant}.loss", 1);
        using SprintTransformer model = loadModel(false);
        using var optimizer = new AdamW(device, model.Parameters.All);
        using var tape = new Tape();
        float[] losses = file.ReadFloats($"{variant}.loss");
        var actualLosses = new float[losses.Length];
        var norms = new float[losses.Length];
        for (int step = 0; step < losses.Length; step++)
        {
            using StepInputs inputs = GoldenTrainingPass.ReadInputs(device, model, file, $"step{step}.");
            using Tensor loss = inputs.Loss(tape, model, FlowPath.Linear);
            tape.Backward(loss);
            optimizer.MeasureNorm();
            optimizer.Update(new AdamWSettings(
                file.Number("lr"),
                step + 1,
                file.Number("beta1"),
                file.Number("beta2"),
                file.Number("eps"),
                weightDecay,
                file.Number("max_grad_norm"),
                file.Number("ema_decay")));
            actualLosses[step] = loss.ToArray()[0];
            norms[step] = optimizer.Norm.ToArray()[0];
        }

        var comparisons = new List<TensorComparison>
        {
            TensorComparison.Absolute($"{variant}.loss", actualLosses, losses, GoldenTolerances.Output).OfSums(losses),
            TensorComparison.OfLargest($"{variant}.grad_norm", norms, file.ReadFloats($"{variant}.grad_norm"), GoldenTolerances.Gradient).OfSums([]),
        };
        CompareAll($"{variant}.param.", parameter => parameter.Value, comparisons, model);
        Dictionary<string, Tensor> averages = optimizer.States.ToDictionary(state => state.Parameter.Name, state => state.Average);
        CompareAll($"{variant}.ema.", parameter => averages.TryGetValue(parameter.Name, out Tensor average) ? average : parameter.Value, comparisons, model);
        return new GoldenCase(name, comparisons);
    }

    /// <summary>Nearly all values of all tensors within the tight tolerance, and all within the wide one.</summary>
    private void CompareAll(
        string prefix, Func<Parameter, Tensor> select, List<TensorComparison> comparisons, SprintTransformer model)
    {
        var actual = new List<float>();
        var expected = new List<float>();
        foreach (SafetensorsEntry entry in file.Entries.Where(entry => entry.Name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            Parameter parameter = model.Parameters.Find(entry.Name[prefix.Length..])
                ?? throw new SprintException($"{file.Path}: '{entry.Name}' belongs to no parameter of the model");
            actual.AddRange(select(parameter).ToArray());
            expected.AddRange(file.ReadFloats(entry.Name));
        }

        if (expected.Count == 0)
        {
            return;
        }

        TensorComparison largest = TensorComparison.Absolute($"{prefix}*", actual.ToArray(), expected.ToArray(), GoldenTolerances.ParameterLargest);
        comparisons.Add(largest with { Factor = TensorComparison.GradientFactor });
        if (model.Precision != Precision.Fp32)
        {
            // Adam's steps are of the size of the learning rate however small a gradient is, so that nearly all are beyond a tolerance for float32.
            TensorComparison mean = TensorComparison.Mean($"{prefix}*", actual.ToArray(), expected.ToArray(), GoldenTolerances.Parameter);
            comparisons.Add(mean with { Factor = TensorComparison.GradientFactor });
            return;
        }

        int beyond = 0;
        for (int i = 0; i < expected.Count; i++)
        {
            beyond += Math.Abs(actual[i] - expected[i]) <= GoldenTolerances.Parameter ? 0 : 1;
        }

        comparisons.Add(new TensorComparison(
            $"{prefix}*", (double)beyond / expected.Count, 1 - GoldenTolerances.ParameterFraction, $"fraction beyond {GoldenTolerances.Parameter:0e0}", -1));
    }
}
