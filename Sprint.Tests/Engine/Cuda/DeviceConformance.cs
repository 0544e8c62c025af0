using NUnit.Framework;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>
/// What every driver behind <see cref="ICudaDriver"/> must do, whatever executes the kernels. A derived class opens the device: a GPU, or an
/// emulated one. Results go into poisoned memory with a canary behind it.
/// </summary>
public abstract class DeviceConformance
{
    private protected const byte Poison = 0xa5;
    private const int Canary = 64;

    // One for all fixtures: compiled once, nothing from a disk.
    private static readonly KernelLibrary Library = new(new KernelLibraryOptions { UseCache = false });

    private CudaContext? context;

    private protected CudaContext Context => context!;

    private protected CudaStream Stream => Context.DefaultStream;

    [OneTimeSetUp]
    public void OpenDevice() => context = Open();

    [OneTimeTearDown]
    public void CloseDevice() => context?.Dispose();

    private protected abstract CudaContext Open();

    private protected CudaModule Load(KernelSpecialization specialization) => Library.Get(specialization, Library.TargetFor(Context.Device)).Load(Context);

    private protected CudaDeviceVariable<T> Upload<T>(T[] values)
        where T : unmanaged
    {
        CudaDeviceVariable<T> variable = new(Context, Math.Max(1, values.Length));
        variable.CopyToDevice(values);
        return variable;
    }

    /// <summary>Poisoned memory with a canary behind the elements.</summary>
    private protected CudaDeviceVariable<T> Output<T>(int length)
        where T : unmanaged
    {
        CudaDeviceVariable<T> variable = new(Context, length + Canary);
        variable.Memset(Poison);
        return variable;
    }

    /// <summary>The elements before the canary, which must be whole.</summary>
    private protected static T[] Download<T>(CudaDeviceVariable<T> variable)
        where T : unmanaged
    {
        T[] values = new T[variable.Length];
        variable.CopyToHost(values);
        int length = values.Length - Canary;
        Span<byte> canary = System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan(length));
        Assert.That(canary.IndexOfAnyExcept(Poison), Is.EqualTo(-1), "the kernel wrote behind its output");
        return values[..length];
    }

    private protected static float[] Numbers(int seed, int count)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => ((float)random.NextDouble() * 2) - 0.7f)];
    }

    private protected static int Blocks(long count, int perBlock) => (int)((count + perBlock - 1) / perBlock);
}
