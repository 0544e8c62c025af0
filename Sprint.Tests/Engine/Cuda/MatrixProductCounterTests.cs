using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>How the matrix products touch memory, as the emulator counts it.</summary>
[TestFixture]
public sealed class MatrixProductCounterTests
{
    /// <summary>What the kernels beside the products move: each input once, each output once, and partial sums.</summary>
    [Test]
    public void KernelsBesideProductsFillSectorsAndMoveLittleMoreThanTheyMust([Values(ElementType.Float32, ElementType.BFloat16)] ElementType element)
    {
        const int Batch = 2, Tokens = 512, Kept = 128, Width = 256;
        int size = element.Size();
        List<LaunchStatistics> launches = [];
        using CudaDevice device = new(CudaContext.Emulated(new EmulationOptions { Counters = true }, launches.Add));
        Tensor Zeros(Shape shape, ElementType type)
        {
            Tensor tensor = device.Allocate(shape, type);
            device.Clear(tensor);
            return tensor;
        }

        Shape full = new(Batch, Tokens, Width), sparse = new(Batch, Kept, Width);
        using Tensor f = Zeros(full, element), g = Zeros(sparse, element), mask = Zeros(new Shape(1, 1, Width), element), weight = Zeros(new Shape(Width, 2 * Width), element);
        using Tensor bias = Zeros(new Shape(Width), element), gradient = Zeros(full, element), preactivation = Zeros(full, element), output = Zeros(full, element);
        using Tensor weightGradient = Zeros(new Shape(Width, 2 * Width), ElementType.Float32), biasGradient = Zeros(new Shape(Width), ElementType.Float32), maskGradient = Zeros(new Shape(1, 1, Width), ElementType.Float32);
        int[] map = [.. Enumerable.Range(0, Batch * Tokens).Select(static n => n % 4 == 0 ? n / 4 : -1)];
        using Tensor rows = device.From(new Shape(Batch, Tokens), map);
        device.Kernels<ILinearKernels>().BackwardActivation(gradient, Activation.Gelu, preactivation);
        device.Kernels<ILinearKernels>().BackwardBias(gradient, biasGradient, accumulate: false);
        FusionInputs inputs = new(f, g, rows, mask, weight, bias);
        device.Kernels<IResidualFusionKernels>().Forward(inputs, output);
        device.Kernels<IResidualFusionKernels>().Backward(gradient, inputs, new FusionGradients(default, false, default, false, weightGradient, false, biasGradient, false, maskGradient));
        device.Synchronize();

        long tensor = (long)Batch * Tokens * Width * size, half = (long)Width * Width;
        Check("linear_backward_activation", 3 * tensor);
        long sums = (long)CudaColumnSums.Grid(Batch * Tokens, Width, element).Y * Width * sizeof(float);
        Check("linear_backward_bias", tensor + sums);
        Check("fusion_gather_backward", tensor + (tensor / 4) + (2 * sums));

        // Once in a step, and small: every warp reads the mask token, or a row's sum in a sector of its own, out of a cache.
        Check("fusion_constant_forward", 2 * half * size);
        Check("fusion_constant_backward", half * ((2 * sizeof(float)) + size + 1));
        Check("fusion_mask_backward", half * (size + 1));
        foreach (LaunchStatistics launch in launches.Where(static launch => launch.Kernel.StartsWith("matrix_product", StringComparison.Ordinal)))
        {
            Assert.That(launch.SharedBankConflicts, Is.Zero, launch.Kernel);
            Assert.That(launch.GlobalIdealSectors, Is.GreaterThanOrEqualTo(0.95 * launch.GlobalSectors), launch.Kernel);
        }

        void Check(string kernel, long bytes)
        {
            LaunchStatistics launch = launches.Single(launch => launch.Kernel == kernel);
            Assert.That(launch.GlobalIdealSectors, Is.GreaterThanOrEqualTo(0.95 * launch.GlobalSectors), kernel);
            Assert.That(32 * launch.GlobalSectors, Is.LessThanOrEqualTo(1.1 * bytes), kernel);
            Assert.That(launch.SharedBankConflicts, Is.Zero, kernel);
        }
    }

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
        Assert.That(main.SharedBankConflicts, Is.Zero);
        Assert.That(main.GlobalIdealSectors, Is.GreaterThanOrEqualTo(0.99 * main.GlobalSectors));
        Assert.That(reduce.GlobalIdealSectors, Is.GreaterThanOrEqualTo(0.95 * reduce.GlobalSectors));
        long tiles = (M + tile - 1) / tile * ((N + tile - 1) / tile);
        long flops = 2 * tiles * tile * tile * K;
        Assert.That(element == ElementType.BFloat16 ? main.TensorFlops : main.SingleFlops, Is.EqualTo(flops));
    }
}
