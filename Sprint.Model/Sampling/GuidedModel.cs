using Sprint.Engine;
using Sprint.Model.Network;

namespace Sprint.Model.Sampling;

/// <summary>
/// A model with labels and guidance as a velocity: <c>u + scale (c - u)</c>, c the model with its labels, u the null class
/// through the whole model (CFG) or through encoder, fusion and decoder alone (PDG). Guidance acts where scale is not 1 and
/// low &lt;= t &lt;= high; elsewhere only c is computed. Mixing velocities mixes the SDE's drifts too, as these are affine in them.
/// Source: SPRINT.md section 5.
/// </summary>
public sealed class GuidedModel : IVelocityField
{
    private readonly SprintTransformer model;
    private readonly int[] labels;
    private readonly int[] nulls;
    private readonly Shape shape;
    private readonly float[] values;
    private readonly float[] times;

    /// <summary>Couples a model with labels.</summary>
    /// <param name="model">The model.</param>
    /// <param name="labels">A class for each sample.</param>
    /// <exception cref="SprintException">A label is no class of the model.</exception>
    public GuidedModel(SprintTransformer model, ReadOnlySpan<int> labels)
    {
        ArgumentNullException.ThrowIfNull(model);
        this.model = model;
        this.labels = labels.ToArray();
        int classes = model.Configuration.NumClasses;
        foreach (int label in labels)
        {
            if (label < 0 || label > classes || (label == classes && !model.Configuration.HasNullClass))
            {
                throw new SprintException($"class {label} is not one of the model's {classes} classes: use 0 to {classes - 1}");
            }
        }

        nulls = new int[labels.Length];
        Array.Fill(nulls, model.Configuration.NullClass);
        int side = model.Configuration.ContextSize;
        shape = new Shape(labels.Length, model.Configuration.InChannels, side, side);
        values = new float[shape.Count];
        times = new float[labels.Length];
    }

    /// <summary>What the unconditional half is.</summary>
    public GuidanceKind Guidance { get; init; }

    /// <summary>The guidance scale: 1 is none, 0 the unconditional velocity alone.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>The lowest time at which guidance acts.</summary>
    public double Low { get; init; }

    /// <summary>The highest time at which guidance acts.</summary>
    public double High { get; init; } = 1;

    /// <summary>The number of values in the state: samples times channels times side squared.</summary>
    public int StateLength => values.Length;

    /// <summary>Called with each raw output of the model, conditional first: for tests.</summary>
    public Action<bool, ReadOnlyMemory<float>>? ModelEvaluated { get; init; }

    /// <inheritdoc/>
    public void Velocity(ReadOnlySpan<double> state, double time, Span<double> velocity)
    {
        Device device = model.Device;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)state[i];
        }

        Array.Fill(times, (float)time);
        using Tensor image = device.From(shape, values);
        using Tensor at = device.From(new Shape(times.Length), times);
        Evaluate(image, at, labels, TokenSelection.Dense, conditional: true);
        for (int i = 0; i < values.Length; i++)
        {
            velocity[i] = values[i];
        }

        if (Guidance == GuidanceKind.None || Scale is 1 or double.NaN || time < Low || time > High)
        {
            return;
        }

        if (!model.Configuration.HasNullClass)
        {
            throw new SprintException("the model was trained without dropped labels (class_dropout_prob 0) and cannot be guided: use guidance none");
        }

        TokenSelection selection = Guidance == GuidanceKind.Pdg ? TokenSelection.PathDropped : TokenSelection.Dense;
        Evaluate(image, at, nulls, selection, conditional: false);
        for (int i = 0; i < values.Length; i++)
        {
            double unconditional = values[i];
            velocity[i] = unconditional + (Scale * (velocity[i] - unconditional));
        }
    }

    private void Evaluate(Tensor image, Tensor at, int[] classes, TokenSelection selection, bool conditional)
    {
        using Tensor classTensor = model.Device.From(new Shape(classes.Length), classes);
        using Tensor output = model.Forward(null, image, at, classTensor, selection);
        output.CopyTo<float>(values);
        ModelEvaluated?.Invoke(conditional, values);
    }
}
