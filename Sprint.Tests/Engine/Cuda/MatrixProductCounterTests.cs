using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>How the matrix products touch memory, as the emulator counts it.</summary>
[TestFixture]
public sealed class MatrixProductCounterTests
{
    [Test]
    public void AlignedProductsMeetNoBankConflictAndFillSectors(
        [Values] MatrixProductForm form, [Values(ElementType.Float32, ElementType.BFloat16)] ElementType element, [Values(64, 128)] int tile)
    {
        const int M = 256, N = 192, K = 160;
        List<LaunchStatistics> launches = [];
        using CudaDevice device = new(CudaContext.Emulated(new EmulationOptions { Counters = true }, launches.Add));
        CudaMatrixProduct product = new(device);
        using MatrixProductCase own = new(form, element, M, N, K) { Plan = new MatrixProductPlan(form, element, M, N, K, tile, 96), HasBias = true };
        own.Run(device, product);
        Assert.That(launches.Select(static launch => launch.Kernel), Is.EqualTo(new[] { MatrixProductPlan.For(form, element, M, N, K).Kernel, "matrix_product_reduce" }));

        LaunchStatistics main = launches[0], reduce = launches[1];
        TestContext.Out.WriteLine($"{main.Kernel} {element} {tile}: {main.GlobalIdealSectors}/{main.GlobalSectors} sectors, {main.SharedBankConflicts}/{main.SharedWavefronts} conflicts; reduce {reduce.GlobalIdealSectors}/{reduce.GlobalSectors}");
        Assert.That(main.SharedBankConflicts, Is.Zero);
        Assert.That(main.GlobalIdealSectors, Is.GreaterThanOrEqualTo(0.99 * main.GlobalSectors));
        Assert.That(reduce.GlobalIdealSectors, Is.GreaterThanOrEqualTo(0.95 * reduce.GlobalSectors));
        long tiles = MatrixProductPlan.For(form, element, M, N, K) with { Tile = tile } is var plan ? plan.Grid.X : 0;
        long flops = 2 * tiles * tile * tile * K;
        Assert.That(element == ElementType.BFloat16 ? main.TensorFlops : main.SingleFlops, Is.EqualTo(flops));
    }
}
