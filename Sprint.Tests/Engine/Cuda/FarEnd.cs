using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>
/// Two emulated devices on which the same operation runs: on one with tensors of more than 2^31 elements, of which only the ends are written and only the last
/// blocks of each grid run, on the other with those ends alone. The last elements of what the two write must have the same bits. Nothing else in
/// the large tensors counts as written, so that an access with an index that was cut short is an error, wherever it lands.
/// </summary>
internal sealed class FarEnd : IDisposable
{
    /// <summary>The first element that an int does not reach.</summary>
    internal const long First = 1L << 31;

    private const long Capacity = 1L << 40;

    private readonly List<LaunchStatistics> launches = [];
    private readonly CudaDevice far;
    private readonly CudaDevice near;

    internal FarEnd()
    {
        EmulationOptions options = new() { Checks = EmulationChecks.All & ~EmulationChecks.GlobalMemoryRaces };
        far = new CudaDevice(CudaContext.Emulated(options with { LastBlocks = Last }, launches.Add, Capacity));
        near = new CudaDevice(CudaContext.Emulated(options));
    }

    /// <summary>How many blocks of each grid run at the far end.</summary>
    internal long LastBlocks { get; set; } = 8;

    /// <summary>Runs an operation at the far end, beside the same near the beginning.</summary>
    /// <param name="perSample">Elements of a sample in the smallest tensor that is to be large.</param>
    /// <param name="nearSamples">Samples in the near run, and in the ends of the far one.</param>
    /// <param name="operands">Its tensors.</param>
    /// <param name="operation">Runs it.</param>
    /// <returns>What was launched at the far end.</returns>
    internal IReadOnlyList<LaunchStatistics> Verify(long perSample, int nearSamples, FarOperand[] operands, Action<CudaDevice, Tensor[]> operation)
    {
        launches.Clear();
        int samples = checked((int)(First / perSample) + nearSamples);
        Tensor[] expected = operands.Any(operand => operand.IsWritten) ? Run(near, operands, nearSamples, nearSamples, operation) : [];
        Tensor[] actual = Run(far, operands, samples, nearSamples, operation);
        Assert.That(actual.Max(tensor => tensor.Count), Is.GreaterThan(First), "elements of the largest tensor");
        for (int i = 0; i < operands.Length; i++)
        {
            if (operands[i].IsWritten)
                Assert.That(Last(far, actual[i], operands[i].Compared), Is.EqualTo(Last(near, expected[i], operands[i].Compared)), $"the last bytes of {operands[i].Name}");
        }

        foreach (Tensor tensor in expected.Concat(actual))
            tensor.Dispose();
        far.Trim();
        Assert.That(far.Account.LiveBytes, Is.Zero, "memory held afterwards");
        LaunchStatistics[] ran = [.. launches.Where(launch => launch.Blocks > 0)];
        Assert.That(ran, Is.Not.Empty);
        return ran;
    }

    public void Dispose()
    {
        far.Dispose();
        near.Dispose();
    }

    // What adds up the sums of all blocks would read those of blocks that did not run; what reads a sample's sums runs for fewer samples than what leaves them.
    private long Last(string kernel, long blocks) => kernel switch
    {
        _ when kernel.EndsWith("_reduce", StringComparison.Ordinal) => 0,
        "adaptive_layer_norm_backward_modulation" or "gated_residual_backward_modulation" or "attention_backward_dkv" or "attention_backward_dq" => LastBlocks / 2,
        _ => LastBlocks,
    };

    private static Tensor[] Run(CudaDevice device, FarOperand[] operands, int samples, int written, Action<CudaDevice, Tensor[]> operation)
    {
        Tensor[] tensors = [.. operands.Select(operand => device.Allocate(operand.Shape(samples), operand.Element))];
        for (int i = 0; i < operands.Length; i++)
        {
            if (operands[i].IsRead)
                WriteEnd(device, tensors[i], operands[i].Values(i, operands[i].Shape(written).Count, samples - written));
        }

        operation(device, tensors);
        device.Synchronize();
        return tensors;
    }

    private static unsafe void WriteEnd(CudaDevice device, Tensor tensor, byte[] values)
    {
        fixed (byte* source = values)
        {
            using CudaContext.Scope scope = device.Context.Enter();
            device.Context.Driver.CopyToDevice(End(tensor, values.Length), (nint)source, values.Length, device.Stream.Handle);
            device.Synchronize();
        }
    }

    private static unsafe byte[] Last(CudaDevice device, Tensor tensor, int? elements)
    {
        var row = new byte[(elements ?? tensor.Shape.RowLength) * tensor.ElementType.Size()];
        fixed (byte* target = row)
        {
            using CudaContext.Scope scope = device.Context.Enter();
            device.Context.Driver.CopyToHost((nint)target, End(tensor, row.Length), row.Length, device.Stream.Handle);
            device.Synchronize();
        }

        var isWritten = new bool[row.Length];
        using (device.Context.Enter())
            Assert.That(device.Context.Driver.TryReadWritten(End(tensor, row.Length), isWritten) && isWritten.All(written => written), $"the last elements of {tensor} are written");
        return row;
    }

    private static DevicePointer End(Tensor tensor, int bytes) => new((ulong)tensor.Address + (ulong)(tensor.Bytes - bytes));
}
