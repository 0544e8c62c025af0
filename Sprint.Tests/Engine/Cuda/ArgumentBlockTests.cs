using System.Text;
using NUnit.Framework;
using Sprint.Engine.Cuda;
using Sprint.Tests.Engine.Emulation;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>Launches whose arguments are known at run time only, and what the device knows of its memory afterwards.</summary>
public class ArgumentBlockTests
{
    [Test]
    public void ABlockOfBytesIsLaidOutAsTheKernelsParametersAreAndWhatWasWrittenIsKnown()
    {
        using CudaContext context = CudaContext.Emulated();
        using CudaModule module = context.LoadModule(Encoding.UTF8.GetBytes(EmulatorHarness.Resource("bugs")), "bugs.ptx");
        CudaKernel kernel = module.GetKernel("off_by_one_repaired");
        using CudaDeviceVariable<int> input = new(context, 8);
        using CudaDeviceVariable<int> output = new(context, 8);
        input.CopyToDevice([1, 2, 3, 4, 5, 6, 7, 8]);
        byte[] block = [.. BitConverter.GetBytes(input.DevicePointer.Address), .. BitConverter.GetBytes(output.DevicePointer.Address), .. BitConverter.GetBytes(5)];
        kernel.LaunchBlock(context.DefaultStream, 1, 32, block);
        bool[] written = new bool[8];
        Assert.That(output.TryReadWritten(written), Is.True);
        Assert.That(written, Is.EqualTo(new[] { true, true, true, true, true, false, false, false }));
        int[] values = new int[5];
        output.CopyToHost(values);
        Assert.That(values, Is.EqualTo(new[] { 1, 2, 3, 4, 5 }));
        Assert.That(
            () => kernel.LaunchBlock(context.DefaultStream, 1, 32, block.AsSpan(0, 16)),
            Throws.InstanceOf<CudaException>().With.Message.EqualTo("Kernel off_by_one_repaired takes 20 bytes of arguments but was given 16."));
    }
}
