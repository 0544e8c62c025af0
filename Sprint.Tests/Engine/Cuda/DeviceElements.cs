using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>Device memory of float32 or bfloat16 elements between canaries, seen as floats; not a number until it is written.</summary>
internal sealed class DeviceElements : IDisposable
{
    private const int Canary = 64;
    private const float Guard = 12345f;

    private readonly CudaDeviceVariable<float>? wide;
    private readonly CudaDeviceVariable<ushort>? narrow;
    private readonly int offset;

    /// <param name="context">Where.</param>
    /// <param name="element">How elements are stored.</param>
    /// <param name="values">What they hold; bfloat16 must hold it exactly.</param>
    /// <param name="misaligned">Whether the first element is one element off the alignment that a device gives.</param>
    public DeviceElements(CudaContext context, ElementType element, float[] values, bool misaligned = false)
    {
        Count = values.Length;
        offset = Canary + (misaligned ? 1 : 0);
        float[] all = [.. Enumerable.Repeat(Guard, offset).Select(Rounded), .. values, .. Enumerable.Repeat(Guard, Canary).Select(Rounded)];
        if (element == ElementType.Float32)
        {
            wide = new CudaDeviceVariable<float>(context, all.Length);
            wide.CopyToDevice(all);
        }
        else
        {
            Assert.That(all.All(static value => float.IsNaN(value) || Rounded(value) == value), "the test's numbers must be bfloat16");
            narrow = new CudaDeviceVariable<ushort>(context, all.Length);
            narrow.CopyToDevice(Array.ConvertAll(all, static value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)));
        }
    }

    public int Count { get; }

    public DevicePointer Pointer => wide is not null ? wide.DevicePointer.Offset(offset * sizeof(float)) : narrow!.DevicePointer.Offset(offset * sizeof(ushort));

    /// <summary>The nearest bfloat16, ties to even.</summary>
    public static float Rounded(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? value : BitConverter.UInt32BitsToSingle((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
    }

    /// <summary>The elements; what is before and behind them must be whole.</summary>
    public float[] Download()
    {
        float[] all;
        if (wide is not null)
        {
            all = new float[wide.Length];
            wide.CopyToHost(all);
        }
        else
        {
            ushort[] bits = new ushort[narrow!.Length];
            narrow.CopyToHost(bits);
            all = Array.ConvertAll(bits, static value => BitConverter.UInt32BitsToSingle((uint)value << 16));
        }

        Assert.That(all[..offset].Concat(all[(offset + Count)..]), Is.All.EqualTo(Rounded(Guard)), "the kernel wrote beside its output");
        return all[offset..(offset + Count)];
    }

    public void Dispose()
    {
        wide?.Dispose();
        narrow?.Dispose();
    }
}
