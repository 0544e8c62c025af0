using Sprint.Engine.Operations;

namespace Sprint.Engine;

/// <summary>One check: the operation's own gradients, and the random choices that both kinds of differences share.</summary>
internal sealed class GradientCheckRun
{
    /// <summary>Streams of the seed: upstream gradient, directions, elements.</summary>
    private const ulong UpstreamStream = 0;
    private const ulong DirectionStream = 1UL << 32;
    private const ulong ElementStream = 2UL << 32;
    private readonly GradientCheckSettings settings;
    private readonly float[][] gradients;
    private readonly float[] upstream;

    internal GradientCheckRun(DifferentiableOperation operation, IReadOnlyList<Tensor> inputs, GradientCheckSettings settings)
    {
        ArgumentNullException.ThrowIfNull(operation);
        ArgumentNullException.ThrowIfNull(inputs);
        Require.That(inputs.Count > 0, "gradient check", "there is no input");
        foreach (Tensor input in inputs)
        {
            Require.Type(input, ElementType.Float32, "gradient check", "an input");
        }

        this.settings = settings;
        var wanted = new bool[inputs.Count];
        for (int i = 0; i < inputs.Count; i++)
        {
            wanted[i] = inputs[i].RequiresGradient;
            inputs[i].Body.RequiresGradient = true;
            Forget(inputs[i]);
        }

        try
        {
            using var tape = new Tape();
            using Tensor output = operation(tape, inputs);
            upstream = Normals(UpstreamStream, output.Count);
            using Tensor gradient = output.Device.From(output.Shape, upstream);
            tape.Backward(output, gradient);
            gradients = [.. inputs.Select(input => Tape.GradientOf(input) is { IsEmpty: false } arrived ? arrived.ToArray() : new float[input.Count])];
        }
        finally
        {
            for (int i = 0; i < inputs.Count; i++)
            {
                Forget(inputs[i]);
                inputs[i].Body.RequiresGradient = wanted[i];
            }
        }
    }

    /// <summary>L: the output weighed with the upstream gradient.</summary>
    internal double Weigh(double[] output)
    {
        Require.That(output.Length == upstream.Length, "gradient check", $"the reference gives {output.Length} numbers, the operation {upstream.Length}");
        double sum = 0;
        for (int i = 0; i < output.Length; i++)
        {
            sum += output[i] * upstream[i];
        }

        return sum;
    }

    internal GradientCheckResult Compare(double tolerance, Func<int, double[], double> derivative)
    {
        var worst = new GradientDifference[gradients.Length];
        for (int input = 0; input < gradients.Length; input++)
        {
            worst[input] = Worst(input, tolerance, derivative);
        }

        return new GradientCheckResult(worst);
    }

    private static void Forget(Tensor input)
    {
        GradientSlot slot = Tape.Slot(input);
        slot.Clear();
        slot.Release();
        input.Body.HasGradient = false;
    }

    private GradientDifference Worst(int input, double tolerance, Func<int, double[], double> derivative)
    {
        float[] gradient = gradients[input];
        var found = new List<GradientDifference>();
        foreach (int index in Elements(input, gradient.Length))
        {
            var direction = new double[gradient.Length];
            direction[index] = 1;
            found.Add(new GradientDifference(input, index, gradient[index], derivative(input, direction), 0));
        }

        double largest = found.Select(difference => Math.Abs(difference.Expected)).Where(double.IsFinite).DefaultIfEmpty().Max();
        found.Add(AlongDirection(input, gradient, derivative));

        // NaN counts as the worst there is, though it sorts before every number.
        return found
            .Select(difference => difference with { Tolerance = tolerance * Math.Max(largest, settings.Floor) })
            .MaxBy(difference => double.IsNaN(difference.Severity) ? double.PositiveInfinity : difference.Severity);
    }

    /// <summary>A direction of length 1, so that its derivative is of the size of a single gradient.</summary>
    private GradientDifference AlongDirection(int input, float[] gradient, Func<int, double[], double> derivative)
    {
        double[] direction = Array.ConvertAll(Normals(DirectionStream + (ulong)input, gradient.Length), value => (double)value);
        double length = Math.Sqrt(direction.Sum(value => value * value));
        double actual = 0;
        for (int i = 0; i < direction.Length; i++)
        {
            direction[i] /= length;
            actual += direction[i] * gradient[i];
        }

        return new GradientDifference(input, -1, actual, derivative(input, direction), 0);
    }

    private IEnumerable<int> Elements(int input, int count)
    {
        if (count <= settings.Elements)
        {
            return Enumerable.Range(0, count);
        }

        // A few may be drawn twice, which does no harm.
        var chosen = new SortedSet<int> { 0, count - 1 };
        for (ulong draw = 0; draw < (ulong)settings.Elements; draw++)
        {
            uint word = Philox.Block(settings.Seed, ElementStream + (ulong)input, draw).Word0;
            chosen.Add((int)((ulong)word * (ulong)count >> 32));
        }

        return chosen;
    }

    private float[] Normals(ulong stream, long count)
    {
        var values = new float[count];
        for (int i = 0; i < values.Length; i++)
        {
            (uint word0, uint word1, _, _) = Philox.Block(settings.Seed, stream, (ulong)i);
            values[i] = Philox.Normal(word0, word1).Normal0;
        }

        return values;
    }
}
