using FsCheck;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

public class RowMajorProductTests
{
    [FsCheck.NUnit.Property(MaxTest = 300)]
    public void RowMajorProductEqualsTheSumsItStandsFor(bool transposeA, bool transposeB, PositiveInt seed)
    {
        Random random = new(seed.Get);
        (int m, int n, int k) = (random.Next(1, 9), random.Next(1, 9), random.Next(1, 9));
        RowMajorProduct dense = RowMajorProduct.Dense(transposeA, transposeB, m, n, k);
        RowMajorProduct product = dense with
        {
            LeadingA = dense.LeadingA + random.Next(3),
            LeadingB = dense.LeadingB + random.Next(3),
            LeadingC = dense.LeadingC + random.Next(3),
        };
        (float alpha, float beta) = (random.Next(-2, 3), random.Next(-2, 3));
        float[] a = Numbers(random, (transposeA ? k : m) * product.LeadingA);
        float[] b = Numbers(random, (transposeB ? n : k) * product.LeadingB);
        float[] c = Numbers(random, m * product.LeadingC);
        float[] expected = (float[])c.Clone();
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                float sum = 0;
                for (int l = 0; l < k; l++)
                {
                    sum += (transposeA ? a[(l * product.LeadingA) + i] : a[(i * product.LeadingA) + l])
                        * (transposeB ? b[(j * product.LeadingB) + l] : b[(l * product.LeadingB) + j]);
                }

                expected[(i * product.LeadingC) + j] = (alpha * sum) + (beta * c[(i * product.LeadingC) + j]);
            }
        }

        using CudaContext context = new(new HostMemoryDriver(), 0);
        using CudaDeviceVariable<float> x = Upload(context, a);
        using CudaDeviceVariable<float> y = Upload(context, b);
        using CudaDeviceVariable<float> z = Upload(context, c);
        using CudaBlas blas = new(context, new ColumnMajorCublas());
        blas.Multiply(product, x.DevicePointer, y.DevicePointer, z.DevicePointer, alpha, beta);
        z.CopyToHost(c);
        Assert.That(c, Is.EqualTo(expected));
    }

    [Test]
    public void NothingIsMultipliedOnceHandleOrStreamIsGone()
    {
        using CudaContext context = new(new HostMemoryDriver(), 0);
        using CudaContext other = new(new HostMemoryDriver(), 0);
        ColumnMajorCublas library = new();
        CudaBlas blas = new(context, library);
        RowMajorProduct product = new(true, false, 3, 5, 7, 4, 6, 8);
        Assert.That(() => blas.SetStream(other.DefaultStream), Throws.InstanceOf<CudaException>().With.Message.Contains("another context"));
        CudaStream stream = new(context);
        blas.SetStream(stream);
        stream.Dispose();
        Assert.That(() => Multiply(), Throws.InstanceOf<ObjectDisposedException>());
        blas.SetStream(context.DefaultStream);
        Multiply();
        Assert.That(library.LastCall, Is.Not.Empty);
        blas.Dispose();
        Assert.That(() => Multiply(), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => blas.SetStream(context.DefaultStream), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(HostMemoryDriver.PushedOnThisThread, Is.Zero);

        void Multiply() => blas.Multiply(product, new(1), new(2), CudaElementType.BFloat16, new(3), CudaElementType.Float32, 0.5f, 2);
    }

    [Test]
    public void BatchesAndMixedTypesPassTheSameArgumentsInTheSameOrder()
    {
        using CudaContext context = new(new HostMemoryDriver(), 0);
        ColumnMajorCublas library = new();
        using CudaBlas blas = new(context, library);
        RowMajorProduct product = new(true, false, 3, 5, 7, 4, 6, 8);
        ColumnMajorProduct expected = new(BlasOperation.None, BlasOperation.Transpose, 5, 3, 7, 6, 4, 8);
        blas.Multiply(product, new(1), new(2), CudaElementType.BFloat16, new(3), CudaElementType.Float32, 0.5f, 2);
        Assert.That(library.LastCall, Is.EqualTo($"{expected} 0.5 0x2 0x1 BFloat16 2 0x3 Float32"));
        blas.MultiplyBatch(product, new(1), 10, new(2), 20, CudaElementType.BFloat16, new(3), 30, CudaElementType.BFloat16, 4);
        Assert.That(library.LastCall, Is.EqualTo($"{expected} 1 0x2 20 0x1 10 BFloat16 0 0x3 30 BFloat16 4"));
    }

    /// <summary>(3, 5) of (3, 7) and (7, 5), the result's rows with a gap, the argument of GELU without.</summary>
    [Test]
    public void AnEpilogueHasANumberForEachColumnAndAMatrixBesideTheResult([Values] bool derivative)
    {
        const int M = 3, N = 5, K = 7, Leading = 6;
        using CudaContext context = new(new HostMemoryDriver(), 0);
        using CudaBlas blas = new(context, new ColumnMajorCublas());
        Random random = new(3);
        float[] a = Numbers(random, M * K), b = Numbers(random, K * N), bias = Numbers(random, N), argument = Numbers(random, M * N);
        using CudaDeviceVariable<float> onA = Upload(context, a), onB = Upload(context, b), onBias = Upload(context, bias), onArgument = Upload(context, argument);
        using CudaDeviceVariable<float> onC = Upload(context, new float[M * Leading]);
        Assert.That(blas.TryMultiply(
            RowMajorProduct.Dense(false, false, M, N, K) with { LeadingC = Leading },
            onA.DevicePointer,
            onB.DevicePointer,
            onC.DevicePointer,
            CudaElementType.Float32,
            BlasEpilogue.Auxiliary | (derivative ? BlasEpilogue.GeluDerivative : BlasEpilogue.Gelu | BlasEpilogue.Bias),
            derivative ? DevicePointer.Null : onBias.DevicePointer,
            onArgument.DevicePointer));
        float[] c = new float[M * Leading], kept = new float[M * N];
        onC.CopyToHost(c);
        onArgument.CopyToHost(kept);
        for (int i = 0; i < M; i++)
        {
            for (int j = 0; j < N; j++)
            {
                float sum = Enumerable.Range(0, K).Sum(l => a[(i * K) + l] * b[(l * N) + j]) + (derivative ? 0 : bias[j]);
                float expected = derivative ? sum * (float)Operations.References.Derivative(Operations.References.Gelu, argument[(i * N) + j]) : (float)Operations.References.Gelu(sum);
                Assert.That((c[(i * Leading) + j], kept[(i * N) + j]), Is.EqualTo((expected, derivative ? argument[(i * N) + j] : sum)));
            }
        }
    }

    [Test]
    public void WrongExtentsAreNamed()
    {
        Assert.That(() => RowMajorProduct.Dense(false, false, 0, 1, 1).ToColumnMajor(), Throws.InstanceOf<SprintException>().With.Message.Contains("needs m of at least 1, but was given 0"));
        Assert.That(() => new RowMajorProduct(false, false, 2, 3, 4, 3, 3, 3).ToColumnMajor(), Throws.InstanceOf<SprintException>().With.Message.Contains("leading dimension of A of at least 4"));
        Assert.That(() => new RowMajorProduct(true, true, 2, 3, 4, 2, 3, 3).ToColumnMajor(), Throws.InstanceOf<SprintException>().With.Message.Contains("leading dimension of B of at least 4"));
        Assert.That(() => new RowMajorProduct(true, false, 2, 3, 4, 2, 3, 2).ToColumnMajor(), Throws.InstanceOf<SprintException>().With.Message.Contains("leading dimension of C of at least 3"));
    }

    [Test]
    public void FailureNamesTheCallAndTheProduct()
    {
        using CudaContext context = new(new HostMemoryDriver(), 0);
        using CudaBlas blas = new(context, new ColumnMajorCublas { Status = 7 });
        CudaException failure = Assert.Throws<CudaException>(
            () => blas.Multiply(RowMajorProduct.Dense(false, false, 2, 3, 4), DevicePointer.Null, DevicePointer.Null, DevicePointer.Null))!;
        Assert.That(failure.Message, Does.StartWith("cublasSgemm_v2 failed with").And.Contain("(7)").And.Contain("M = 2"));
        Assert.That((failure.Call, failure.ErrorCode), Is.EqualTo(("cublasSgemm_v2", 7)));
    }

    [Test]
    public void CublasIsRefusedOnADeviceThatIsNoGpu()
    {
        using CudaContext context = new(new HostMemoryDriver(), 0);
        Assert.That(() => new CudaBlas(context.DefaultStream), Throws.InstanceOf<SprintException>().With.Message.Contains("GPU only"));
    }

    // Small integers, so that float32 sums are exact in any order.
    private static float[] Numbers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(-9, 10))];

    private static CudaDeviceVariable<float> Upload(CudaContext context, float[] values)
    {
        CudaDeviceVariable<float> variable = new(context, values.Length);
        variable.CopyToDevice(values);
        return variable;
    }
}
