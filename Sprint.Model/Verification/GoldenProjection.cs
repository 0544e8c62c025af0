using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Checkpoints;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using Sprint.Model.Objective;

namespace Sprint.Model.Verification;

/// <summary>What training cases hold where the model aligns its hidden states with features.</summary>
internal static class GoldenProjection
{
    /// <summary>The reference weighs the projection loss by one half.</summary>
    internal static LossConfiguration Objective { get; } = new() { ProjectionWeight = 0.5 };

    /// <summary>What is minimised.</summary>
    internal static float Total(in StepLoss loss) => Total(loss.Denoising.ToArray()[0], loss.Projection.ToArray()[0]);

    /// <summary>What is minimised.</summary>
    internal static float Total(float denoising, float projection) => (float)(denoising + (Objective.ProjectionWeight * projection));

    /// <summary>
    /// Compares the projection loss. It is a mean of cosines, which for random features are of either sign and of the size 1 / sqrt(F): however near to 0 the mean
    /// comes by chance, the plain implementation's error counts as at least that of rounding each of them.
    /// </summary>
    /// <param name="key">What is compared.</param>
    /// <param name="actual">The engine's numbers.</param>
    /// <param name="expected">The reference's.</param>
    /// <param name="numbers">Projected tokens times features.</param>
    internal static TensorComparison Compare(string key, ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, long numbers)
    {
        TensorComparison comparison = TensorComparison.Absolute(key, actual, expected, GoldenTolerances.Output).OfSums(expected);
        return comparison with { PlainFloor = Math.Max(comparison.PlainFloor, BrainFloat.UnitRoundoff / Math.Sqrt(numbers)) };
    }

    /// <summary>The features of a step, stored as the model's activations; empty where it aligns nothing.</summary>
    internal static Tensor Features(SprintTransformer model, SafetensorsFile file, string prefix)
    {
        if (!model.Configuration.RepresentationAlign)
        {
            return default;
        }

        using Tensor features = file.Floats(model.Device, prefix + "z");
        return Narrowing.Apply(null, features, model.Precision.ElementType());
    }
}
