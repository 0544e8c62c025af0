namespace Sprint.Engine;

/// <summary>
/// Compares the gradients that an operation's backward pass gives with central differences of
/// <c>L = sum of upstream * output</c>, the upstream gradient drawn from a standard normal distribution. With a float64
/// reference function the differences are exact to about 1e-8; without one the operation itself is differentiated, whose
/// float32 roundings leave about 1e-3. Errors: <see cref="ArgumentException"/>.
/// </summary>
/// <example>
/// <code>
/// using Tensor x = device.From(new Shape(2, 3), values);
/// GradientCheckResult result = GradientCheck.Run((tape, inputs) => Silu.Apply(tape, inputs[0]), [x], inputs => ...);
/// Console.WriteLine(result);
/// </code>
/// </example>
public static class GradientCheck
{
    private const double ReferenceTolerance = 1e-5;
    private const double DifferenceTolerance = 2e-3;

    /// <summary>Step of the float64 reference: truncation and rounding both stay near 1e-8 for numbers near 1.</summary>
    private const double ReferenceStep = 1e-4;

    /// <summary>Step of the float32 operation: two central differences cancel the truncation of the third order.</summary>
    private const double OperationStep = 1.0 / 32;

    /// <summary>Checks an operation against a reference function in float64.</summary>
    /// <param name="operation">What is checked.</param>
    /// <param name="inputs">
    /// Float32 tensors that it reads, parameters among them: the gradient of each is checked. Gradients gathered in them before
    /// are forgotten. What needs no gradient, such as ids, the operation holds itself.
    /// </param>
    /// <param name="reference">The same function of the same inputs, row-major; it must not keep or change them.</param>
    /// <param name="settings">How; null for the defaults.</param>
    /// <returns>The worst gradient of each input.</returns>
    /// <exception cref="ArgumentException">There is no input, one is not float32, or output and reference differ in length.</exception>
    public static GradientCheckResult Run(
        DifferentiableOperation operation, IReadOnlyList<Tensor> inputs, ReferenceFunction reference, GradientCheckSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(reference);
        settings ??= new GradientCheckSettings();
        GradientCheckRun run = new(operation, inputs, settings);
        double[][] point = [.. inputs.Select(input => Array.ConvertAll(input.ToArray(), value => (double)value))];
        return run.Compare(settings.Tolerance ?? ReferenceTolerance, Derivative);

        double Derivative(int input, double[] direction)
        {
            double[] here = point[input];
            double high = At(ReferenceStep);
            double low = At(-ReferenceStep);
            point[input] = here;
            return (high - low) / (2 * ReferenceStep);

            double At(double distance)
            {
                point[input] = Moved(here, direction, distance);
                return run.Weigh(reference(point));
            }
        }
    }

    /// <summary>Checks an operation against differences of its own forward pass, by Richardson's extrapolation of two steps.</summary>
    /// <param name="operation">What is checked; it must give the same numbers each time.</param>
    /// <param name="inputs">As with a reference; they are changed for the time of the check and put back.</param>
    /// <param name="settings">How; null for the defaults.</param>
    /// <returns>The worst gradient of each input.</returns>
    /// <exception cref="ArgumentException">There is no input, or one is not float32.</exception>
    public static GradientCheckResult Run(
        DifferentiableOperation operation, IReadOnlyList<Tensor> inputs, GradientCheckSettings? settings = null)
    {
        settings ??= new GradientCheckSettings();
        GradientCheckRun run = new(operation, inputs, settings);
        return run.Compare(settings.Tolerance ?? DifferenceTolerance, Derivative);

        double Derivative(int input, double[] direction)
        {
            Tensor tensor = inputs[input];
            float[] values = tensor.ToArray();
            double[] here = Array.ConvertAll(values, value => (double)value);
            try
            {
                double near = Slope(OperationStep);
                double far = Slope(2 * OperationStep);
                return ((4 * near) - far) / 3;
            }
            finally
            {
                tensor.CopyFrom<float>(values);
            }

            double Slope(double step)
            {
                float[] high = Narrow(Moved(here, direction, step));
                float[] low = Narrow(Moved(here, direction, -step));
                return (At(high) - At(low)) / (2 * step);
            }

            double At(float[] moved)
            {
                tensor.CopyFrom<float>(moved);
                using Tensor output = operation(null, inputs);
                return run.Weigh(Array.ConvertAll(output.ToArray(), value => (double)value));
            }
        }
    }

    private static double[] Moved(double[] from, double[] direction, double distance)
    {
        var moved = new double[from.Length];
        for (int i = 0; i < moved.Length; i++)
        {
            moved[i] = from[i] + (distance * direction[i]);
        }

        return moved;
    }

    private static float[] Narrow(double[] values) => Array.ConvertAll(values, value => (float)value);
}

/// <summary>An operation as <see cref="GradientCheck"/> calls it.</summary>
/// <param name="tape">Where to record, or null.</param>
/// <param name="inputs">The tensors to read.</param>
/// <returns>A new tensor, which the caller disposes.</returns>
public delegate Tensor DifferentiableOperation(Tape? tape, IReadOnlyList<Tensor> inputs);

/// <summary>A function in float64, row-major like the tensors it stands beside.</summary>
/// <param name="inputs">The elements of each input.</param>
/// <returns>The elements of the output.</returns>
public delegate double[] ReferenceFunction(IReadOnlyList<double[]> inputs);
