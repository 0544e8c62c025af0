using System.Runtime.InteropServices;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>
/// The same operation twice: with tensors of more than 2^31 elements of which all but the ends is zero, and with those ends alone. The last elements of what the
/// two write must have the same bits. On <see cref="TestDevice.Emulated"/> only the last blocks of each large grid run, and nothing but the ends counts as written, so
/// that an access with an index that was cut short is an error, wherever it lands. On <see cref="TestDevice.Cuda"/> all of it is done, where the GPU has the memory;
/// <see cref="Rehearsal"/> is the same with fewer elements on an emulated device.
/// </summary>
internal sealed class FarEnd : IDisposable
{
    /// <summary>What a GPU does, with tensors that an emulated device goes through in a moment.</summary>
    internal const string Rehearsal = "emulated, whole grids";

    private const long Capacity = 1L << 40;

    private readonly List<LaunchStatistics> launches = [];
    private readonly CudaDevice far;
    private readonly CudaDevice near;

    /// <summary>Opens the devices.</summary>
    /// <param name="place">One of the three places above.</param>
    internal FarEnd(string place)
    {
        IsWhole = place != TestDevice.Emulated;
        First = 1L << (place == Rehearsal ? 17 : 31);
        if (place == TestDevice.Cuda)
        {
            far = near = (CudaDevice)TestDevice.Open(place);

            // cuBLAS would take the large products and not the small ones, whose bits are others.
            CudaMatrixProduct own = new(far, static () => null);
            far.Register<ILinearKernels>(new CudaLinear(far, own));
            far.Register<IResidualFusionKernels>(new CudaResidualFusion(far, own));
            SumAlike(far);
            return;
        }

        if (!IsWhole && OperatingSystem.IsWindows())
            Assert.Ignore("needs a system that sets memory aside when it is touched: Windows does so when it is asked for, and no machine has as much");
        EmulationOptions options = new() { Checks = EmulationChecks.All & ~EmulationChecks.GlobalMemoryRaces };
        far = new CudaDevice(IsWhole ? CudaContext.Emulated(options) : CudaContext.Emulated(options with { LastBlocks = Last }, launches.Add, Capacity));
        near = new CudaDevice(CudaContext.Emulated(options));
        SumAlike(far);
        SumAlike(near);
    }

    /// <summary>The first element that an int does not reach; in a rehearsal an element that many blocks lie before.</summary>
    internal long First { get; }

    /// <summary>Whether all blocks run, so that also sums over everything can be compared.</summary>
    internal bool IsWhole { get; }

    /// <summary>How many blocks of each grid run at the far end, where not all do.</summary>
    internal long LastBlocks { get; set; } = 8;

    /// <summary>Few samples would be summed in smaller parts than many, whose bits are others.</summary>
    private static void SumAlike(CudaDevice device)
    {
        const int TokensPerBlock = 32;
        device.Register<IAdaptiveLayerNormKernels>(new CudaAdaptiveLayerNorm(device, TokensPerBlock));
        device.Register<IGatedResidualKernels>(new CudaGatedResidual(device, TokensPerBlock));
    }

    /// <summary>Runs an operation at the far end, beside the same near the beginning.</summary>
    /// <param name="perSample">Elements of a sample in the smallest tensor that is to be large.</param>
    /// <param name="nearSamples">Samples in the near run, and in the ends of the far one.</param>
    /// <param name="operands">Its tensors.</param>
    /// <param name="operation">Runs it.</param>
    /// <param name="allocate">Makes the tensors for a number of samples; null for tensors of their own.</param>
    /// <returns>What was launched at the far end, where not all blocks run.</returns>
    internal IReadOnlyList<LaunchStatistics> Verify(
        long perSample, int nearSamples, FarOperand[] operands, Action<CudaDevice, Tensor[]> operation, Func<CudaDevice, int, Tensor[]>? allocate = null)
    {
        launches.Clear();
        int samples = checked((int)(First / perSample) + nearSamples);
        allocate ??= (device, count) => [.. operands.Select(operand => device.Allocate(operand.Shape(count), operand.Element))];
        FarOperand[] compared = [.. operands.Where(operand => operand.IsWritten && (IsWhole || !operand.IsSumOfAll))];
        Tensor[] expected = compared.Length > 0 ? Run(near, allocate, operands, nearSamples, nearSamples, operation) : [];
        RequireMemory(operands.Sum(operand => operand.Shape(samples).Count * operand.Element.Size()));
        Tensor[] actual = Run(far, allocate, operands, samples, nearSamples, operation);
        Assert.That(actual.Max(tensor => tensor.Count), Is.GreaterThan(First), "elements of the largest tensor");
        foreach (FarOperand operand in compared)
        {
            int place = Array.IndexOf(operands, operand);
            byte[] far = Last(this.far, actual[place], operand.Compared), near = Last(this.near, expected[place], operand.Compared);
            if (operand.IsSumOfAll)
                Comparer.AssertClose(operand.Name, Floats(far, operand.Element), Floats(near, operand.Element), operand.Element == ElementType.Float32 ? 1e-5 : 2 * BrainFloat.UnitRoundoff);
            else
                Assert.That(far, Is.EqualTo(near), $"the last bytes of {operand.Name}");
        }

        foreach (Tensor tensor in expected.Concat(actual))
            tensor.Dispose();
        far.Trim();
        Assert.That(far.Account.LiveBytes, Is.Zero, "memory held afterwards");
        LaunchStatistics[] ran = [.. launches.Where(launch => launch.Blocks > 0)];
        Assert.That(ran, IsWhole ? Is.Empty : Is.Not.Empty);
        return ran;
    }

    public void Dispose()
    {
        far?.Dispose();
        near?.Dispose();
    }

    /// <summary>Room for the tensors, whose blocks are up to an eighth larger, and as much for what the operation needs while it runs.</summary>
    private void RequireMemory(long bytes)
    {
        long needed = bytes + (bytes / 4), free = far.Context.GetMemoryInformation().FreeBytes;
        if (free < needed)
            Assert.Ignore($"needs {needed / (double)(1 << 30):0.#} GiB of the GPU's memory, {free / (double)(1 << 30):0.#} GiB are free");
    }

    private static float[] Floats(byte[] bytes, ElementType element) => element == ElementType.Float32
        ? MemoryMarshal.Cast<byte, float>(bytes).ToArray()
        : Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(bytes).ToArray(), BrainFloat.Widen);

    // What adds up the sums of all blocks would read those of blocks that did not run; what reads a sample's sums runs for fewer samples than what leaves them.
    private long Last(string kernel, long blocks) => kernel switch
    {
        _ when kernel.EndsWith("_reduce", StringComparison.Ordinal) => 0,
        "adaptive_layer_norm_backward_modulation" or "gated_residual_backward_modulation" or "attention_backward_dkv" or "attention_backward_dq" => LastBlocks / 2,
        _ => LastBlocks,
    };

    private Tensor[] Run(
        CudaDevice device, Func<CudaDevice, int, Tensor[]> allocate, FarOperand[] operands, int samples, int written, Action<CudaDevice, Tensor[]> operation)
    {
        Tensor[] tensors = allocate(device, samples);
        for (int i = 0; i < operands.Length; i++)
        {
            long end = operands[i].Shape(written).Count;
            bool isLarge = IsWhole && tensors[i].Count > end;
            if (operands[i].IsRead && isLarge && operands[i].Integers is not null)
            {
                WriteEnd(device, tensors[i], operands[i].Values(i, tensors[i].Count, 0));
            }
            else if (operands[i].IsRead)
            {
                if (isLarge)
                    device.Clear(tensors[i]);
                WriteEnd(device, tensors[i], operands[i].Values(i, end, samples - written));
            }
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
        {
            if (device.Context.Driver.TryReadWritten(End(tensor, row.Length), isWritten))
                Assert.That(isWritten, Is.All.True, $"the last elements of {tensor} are written");
            else
                Assert.That(device.Context.Device.IsEmulated, Is.False, "an emulated device knows what is written");
        }

        return row;
    }

    private static DevicePointer End(Tensor tensor, int bytes) => new((ulong)tensor.Address + (ulong)(tensor.Bytes - bytes));
}
