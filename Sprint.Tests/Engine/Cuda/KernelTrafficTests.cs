using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Engine.Measurement;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>
/// How the kernels touch memory, as the emulator counts it: whole sectors, no more than they must, no bank conflict in the loops of products. The
/// shapes are SPRINT XL/2's (heads of 72, width 1,152), a narrow model's, and one of the smallest.
/// </summary>
[TestFixture]
public sealed class KernelTrafficTests
{
    private const int SectorBytes = 32;

    private static readonly KernelShape[] Shapes = [KernelShape.ExtraLarge(1), new(2, 256, 64, 384, 6), new(4, 64, 16, 128, 4)];
    private static readonly ElementType[] Elements = [ElementType.Float32, ElementType.BFloat16];

    [Test]
    public void Kernels_bound_by_memory_fill_sectors_and_move_little_more_than_they_must(
        [ValueSource(nameof(Shapes))] KernelShape shape, [ValueSource(nameof(Elements))] ElementType element)
    {
        List<LaunchStatistics> launches = [];
        using CudaDevice device = Open(launches);
        using (Assert.EnterMultipleScope())
        {
            foreach (KernelWorkload workload in KernelWorkloads.MemoryBound(device, shape, element))
            {
                foreach ((KernelTraffic least, LaunchStatistics counted) in Run(device, workload, launches))
                {
                    string what = $"{workload.Name}, {element}, {shape}: {least.Kernel}";
                    Assert.That(counted.GlobalIdealSectors, Is.GreaterThanOrEqualTo(0.95 * counted.GlobalSectors), $"{what}: sectors, of which the bytes fill");
                    if (least.ReadsWhole)
                    {
                        Assert.That(SectorBytes * counted.GlobalSectors, Is.LessThanOrEqualTo(1.1 * (least.Bytes + least.CachedBytes)), $"{what}: bytes");
                    }

                    Assert.That(SectorBytes * counted.GlobalSectors, Is.GreaterThanOrEqualTo(least.Bytes), $"{what}: bytes, at the least");
                    Assert.That(counted.SharedBankConflicts, Is.Zero, $"{what}: bank conflicts");
                }
            }
        }
    }

    /// <summary>
    /// Products meet no bank conflict at all. Attention's epilogues do, its main loops do not: AttentionKernelTests counts these.
    /// </summary>
    [Test]
    public void Products_do_what_they_must_without_bank_conflicts([ValueSource(nameof(Elements))] ElementType element)
    {
        List<LaunchStatistics> launches = [];
        using CudaDevice device = Open(launches);
        using (Assert.EnterMultipleScope())
        {
            foreach (KernelWorkload workload in KernelWorkloads.Products(device, new KernelShape(1, 256, 64, 288, 4), element))
            {
                foreach ((KernelTraffic least, LaunchStatistics counted) in Run(device, workload, launches))
                {
                    string what = $"{workload.Name}, {element}: {least.Kernel}";
                    if (least.Kernel.StartsWith("matrix_product", StringComparison.Ordinal))
                    {
                        Assert.That(counted.SharedBankConflicts, Is.Zero, $"{what}: bank conflicts");
                    }

                    Assert.That(counted.TensorFlops + counted.SingleFlops, Is.GreaterThanOrEqualTo(least.TensorFlops), $"{what}: FLOPs");
                    Assert.That(SectorBytes * counted.GlobalSectors, Is.GreaterThanOrEqualTo(least.Bytes), $"{what}: bytes, at the least");
                }
            }
        }
    }

    private static CudaDevice Open(List<LaunchStatistics> launches) => new(CudaContext.Emulated(new EmulationOptions { Counters = true }, launches.Add));

    private static IEnumerable<(KernelTraffic Least, LaunchStatistics Counted)> Run(CudaDevice device, KernelWorkload workload, List<LaunchStatistics> launches)
    {
        using (workload)
        {
            device.Synchronize();
            launches.Clear();
            workload.Run();
            device.Synchronize();
            foreach (KernelTraffic least in workload.Kernels)
            {
                yield return (least, launches.First(launch => launch.Kernel == least.Kernel));
            }
        }
    }
}
