using System.Diagnostics;

namespace Sprint.Engine;

/// <summary>What an <see cref="AccountEntry"/> counts.</summary>
/// <param name="Pass">The pass of the training step.</param>
/// <param name="Part">The part of the model; empty outside any.</param>
/// <param name="Operation">The operation.</param>
public readonly record struct AccountKey(ComputePass Pass, string Part, string Operation);

/// <summary>The running counts of one operation in one part and pass.</summary>
public sealed class AccountEntry
{
    /// <summary>The counts so far.</summary>
    public AccountTotal Total { get; private set; }

    /// <summary>Measured time, where <see cref="Account.MeasuresTime"/>.</summary>
    public TimeSpan Time => Stopwatch.GetElapsedTime(0, Ticks);

    internal long Ticks { get; set; }

    internal void Add(in AccountTotal counted) => Total += counted;
}

/// <summary>A sum of operation costs.</summary>
/// <param name="Dispatches">How many operations ran.</param>
/// <param name="MatrixFlops">Floating-point operations in matrix products; a multiply-add is 2.</param>
/// <param name="VectorFlops">All other floating-point operations.</param>
/// <param name="BytesRead">Bytes read by operations, each input once.</param>
/// <param name="BytesWritten">Bytes written by operations, each output once.</param>
public readonly record struct AccountTotal(
    long Dispatches, long MatrixFlops, long VectorFlops, long BytesRead, long BytesWritten)
{
    /// <summary>All floating-point operations.</summary>
    public long Flops => MatrixFlops + VectorFlops;

    /// <summary>The sum of two totals.</summary>
    public static AccountTotal operator +(AccountTotal left, AccountTotal right) => new(
        left.Dispatches + right.Dispatches, left.MatrixFlops + right.MatrixFlops, left.VectorFlops + right.VectorFlops,
        left.BytesRead + right.BytesRead, left.BytesWritten + right.BytesWritten);

    /// <summary>What was counted after one reading and up to another.</summary>
    public static AccountTotal operator -(AccountTotal left, AccountTotal right) => new(
        left.Dispatches - right.Dispatches, left.MatrixFlops - right.MatrixFlops, left.VectorFlops - right.VectorFlops,
        left.BytesRead - right.BytesRead, left.BytesWritten - right.BytesWritten);

    /// <summary>The sum of two totals.</summary>
    public static AccountTotal Add(AccountTotal left, AccountTotal right) => left + right;

    /// <summary>What was counted after one reading and up to another.</summary>
    public static AccountTotal Subtract(AccountTotal left, AccountTotal right) => left - right;

    internal static AccountTotal Of(in OperationCost cost) => new(1, cost.MatrixFlops, cost.VectorFlops, cost.BytesRead, cost.BytesWritten);
}
