using Sprint.Engine;
using Sprint.Engine.Emulation;
using Sprint.Tests.Engine.Cuda;

namespace Sprint.Tests.Engine;

/// <summary>
/// The devices that one test body runs on: a fixture with <c>[TestFixture(TestDevice.Cpu)]</c>, <c>[TestFixture(TestDevice.Emulated)]</c> and
/// <c>[TestFixture(TestDevice.Cuda, Category = "Gpu")]</c>; with <see cref="EmulatedBFloat16"/> and <see cref="CudaBFloat16"/> for bodies that store their
/// tensors as <see cref="Element"/> says. Memory is poisoned before it is handed out, and a write behind a block is an error: at once on an emulated device,
/// on a GPU when the block is given back.
/// </summary>
internal static class TestDevice
{
    internal const string Cpu = "cpu";
    internal const string Emulated = "emulated";
    internal const string Cuda = "cuda";
    internal const string EmulatedBFloat16 = Emulated + BFloat16;
    internal const string CudaBFloat16 = Cuda + BFloat16;
    private const string BFloat16 = " in bfloat16";

    /// <summary>Opens a device.</summary>
    /// <param name="name">One of the names above; <see cref="Cuda"/> without a GPU makes the test ignored.</param>
    /// <param name="variant">From 1 on: that many threads; on an emulated device also another order of warps for each.</param>
    internal static Device Open(string name, int variant = 2) => name switch
    {
        Cpu => new CpuDevice(variant) { PoisonsMemory = true },
        Emulated or EmulatedBFloat16 => CudaDevice.Emulated(Options(variant)),
        _ => new CudaDevice(CudaRequirements.RequireGpu()) { PoisonsMemory = true, GuardsMemory = true },
    };

    /// <summary>How a fixture's tensors are stored.</summary>
    internal static ElementType Element(string name) => name.EndsWith(BFloat16, StringComparison.Ordinal) ? ElementType.BFloat16 : ElementType.Float32;

    /// <summary>Numbers as a fixture's tensors hold them.</summary>
    internal static float[] Stored(string name, float[] values) => Element(name) == ElementType.BFloat16 ? Array.ConvertAll(values, BrainFloat.Round) : values;

    /// <summary>A tensor of numbers, rounded where the element type needs it.</summary>
    internal static Tensor From(Device device, ElementType element, Shape shape, float[] values)
    {
        if (element == ElementType.Float32)
            return device.From(shape, values);
        Tensor tensor = device.Allocate(shape, element);
        tensor.CopyFrom<ushort>(Array.ConvertAll(values, BrainFloat.Narrow));
        return tensor;
    }

    /// <summary>What a variant is, for messages.</summary>
    internal static string Describe(string name, int variant) => name switch
    {
        Cpu => $"{variant} threads",
        Emulated or EmulatedBFloat16 => $"schedule seed {Options(variant).ScheduleSeed} and {variant} workers",
        _ => $"run {variant}",
    };

    private static EmulationOptions Options(int variant) => new() { Workers = variant, ScheduleSeed = (ulong)(variant - 1) * 0x9e3779b97f4a7c15 };
}
