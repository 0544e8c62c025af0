using System.Globalization;
using Sprint.Engine;

namespace Sprint.Model.Training;

/// <summary>The loss or the gradient stopped being a finite number: training cannot go on.</summary>
public sealed class NotFiniteLossException : SprintException
{
    /// <summary>Creates the error.</summary>
    /// <param name="step">The step of the run, from 0.</param>
    /// <param name="quantity">What is not finite.</param>
    /// <param name="value">Its value.</param>
    public NotFiniteLossException(long step, string quantity, float value)
        : base(string.Create(
            CultureInfo.InvariantCulture,
            $"the {quantity} became {value} at step {step + 1}: training stopped before it touched the parameters; lower learning_rate or max_grad_norm and resume from the last checkpoint"))
    {
        Step = step;
    }

    /// <summary>The step of the run, from 0.</summary>
    public long Step { get; }
}
