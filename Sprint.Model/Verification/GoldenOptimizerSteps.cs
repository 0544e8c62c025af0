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
        var projections = new float[losses.Length];
        var norms = new float[losses.Length];
        bool aligns = model.Configuration.RepresentationAlign;
        long projectedNumbers = 0;
        for (int step = 0; step < losses.Length; step++)
        {
            using StepInputs inputs = GoldenTrainingPass.ReadInputs(device, model, file, $"step{step}.");
            using StepLoss loss = inputs.Loss(tape, model, FlowPath.Linear);
            using LossWeights weights = LossWeights.Of(model, GoldenProjection.Objective);
            loss.Backward(tape, weights);
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
            actualLosses[step] = loss.Denoising.ToArray()[0];
            projections[step] = aligns ? loss.Projection.ToArray()[0] : 0;
            projectedNumbers = (inputs.KeptIds.IsEmpty ? inputs.Times.Count * model.Configuration.Tokens : inputs.KeptIds.Count) * model.Configuration.DimProjection;
            norms[step] = optimizer.Norm.ToArray()[0];
        }

        if (aligns && IsTotal(losses, actualLosses, projections))
        {
            actualLosses = [.. actualLosses.Zip(projections, GoldenProjection.Total)];
        }

        var comparisons = new List<TensorComparison>
        {
            TensorComparison.Absolute($"{variant}.loss", actualLosses, losses, GoldenTolerances.Output).OfSums(losses),
            TensorComparison.OfLargest($"{variant}.grad_norm", norms, file.ReadFloats($"{variant}.grad_norm"), GoldenTolerances.Gradient).OfSums([]),
        };
        if (aligns)
        {
            comparisons.Add(GoldenProjection.Compare($"{variant}.proj_loss", projections, file.ReadFloats($"{variant}.proj_loss"), projectedNumbers));
        }

        CompareAll($"{variant}.param.", parameter => parameter.Value, comparisons, model);
        Dictionary<string, Tensor> averages = optimizer.States.ToDictionary(state => state.Parameter.Name, state => state.Average);
        CompareAll($"{variant}.ema.", parameter => averages.TryGetValue(parameter.Name, out Tensor average) ? average : parameter.Value, comparisons, model);
        return new GoldenCase(name, comparisons);
    }

    /// <summary>
    /// The form leaves open whether the loss of a step is what is minimised or the denoising loss alone: it is whichever the stored numbers are nearer to. The
    /// projection loss, by which they differ, is compared on its own.
    /// </summary>
    private static bool IsTotal(float[] stored, float[] denoising, float[] projections) =>
        Distance(stored, [.. denoising.Zip(projections, GoldenProjection.Total)]) < Distance(stored, denoising);

    private static double Distance(float[] left, float[] right) => left.Zip(right, static (a, b) => Math.Abs((double)a - b)).Sum();

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
