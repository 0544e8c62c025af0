using NUnit.Framework.Constraints;
using Sprint.Engine;

namespace Sprint.Tests.Model;

/// <summary>Expects a <see cref="SprintException"/> of one line that contains the given parts.</summary>
internal sealed class SprintFault(params string[] parts) : Constraint
{
    public override string Description => $"a SprintException of one line that contains '{string.Join("', '", parts)}'";

    public override ConstraintResult ApplyTo<TActual>(Func<TActual> actual) => Judge(() => actual());

    public override ConstraintResult ApplyTo<TActual>(TActual actual) =>
        actual is Action action ? Judge(action) : throw new ArgumentException("wants a delegate", nameof(actual));

    private ConstraintResult Judge(Action action)
    {
        Exception? thrown = null;
        try
        {
            action();
        }
        catch (Exception exception)
        {
            thrown = exception;
        }

        bool matches = thrown is SprintException && !thrown.Message.Contains('\n', StringComparison.Ordinal)
            && Array.TrueForAll(parts, part => thrown.Message.Contains(part, StringComparison.Ordinal));
        return new ConstraintResult(this, thrown is null ? "nothing thrown" : $"{thrown.GetType().Name}: {thrown.Message}", matches);
    }
}
