using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Cuda;

public class KernelCatalogTests
{
    /// <summary>The table in the banner of kernels/matrix_product.cu.</summary>
    [TestCase("bfloat16", 128, 2, 2, 2, 2)]
    [TestCase("bfloat16", 64, 4, 3, 3, 4)]
    [TestCase("float", 128, 2, 2, 2, 2)]
    [TestCase("float", 64, 4, 4, 4, 4)]
    public void MatrixProductsFillMultiprocessorsAsStated(string element, int tile, int onSm80, int onSm86, int onSm89, int onSm90)
    {
        KernelLibrary library = new(new KernelLibraryOptions { UseCache = false }, CudaRequirements.RequireNvrtc(), null);
        ElementType type = element == KernelCatalog.FloatElement ? ElementType.Float32 : ElementType.BFloat16;
        MatrixProductPlan plan = new(MatrixProductForm.Forward, type, 1, 1, 1, tile, 32);
        foreach ((int architecture, int blocks) in new[] { (80, onSm80), (86, onSm86), (89, onSm89), (90, onSm90) })
        {
            CompiledProgram program = library.Get(KernelCatalog.MatrixProduct(element, tile), CudaTarget.Cubin(architecture)).Program;
            foreach (KernelResources kernel in program.Resources.Where(static kernel => kernel.Kernel != "matrix_product_reduce"))
            {
                int resident = MultiprocessorLimits.Of(architecture).GetOccupancy(kernel, plan.Threads, plan.SharedBytes).Blocks;
                Assert.That(resident, Is.GreaterThanOrEqualTo(blocks), $"{kernel.Kernel} on sm_{architecture} with {kernel.Registers} registers");
                Assert.That((kernel.StackBytes, kernel.SpillStoreBytes, kernel.SpillLoadBytes), Is.EqualTo((0, 0, 0)), $"{kernel.Kernel} on sm_{architecture}");
            }
        }
    }

    /// <summary>What the banners of kernels/attention_forward.cu and attention_backward.cu say; every other head at least does not spill.</summary>
    [TestCase(32, 64)]
    [TestCase(36, 64)]
    [TestCase(64, 64)]
    [TestCase(64, 128)]
    [TestCase(72, 64)]
    [TestCase(72, 128)]
    [TestCase(100, 64)]
    [TestCase(128, 64)]
    public void AttentionFillsMultiprocessorsAsStated(int headSize, int queryTile)
    {
        KernelLibrary library = new(new KernelLibraryOptions { UseCache = false }, CudaRequirements.RequireNvrtc(), null);
        AttentionTiles tiles = new(KernelCatalog.BFloat16Element, 1, queryTile, 1, headSize);
        Assert.That(tiles.QueryTile, Is.EqualTo(queryTile));
        int byRegisters = queryTile == 128 || headSize > 96 ? 2 : headSize is <= 40 or 72 ? 4 : 3;
        foreach (int architecture in new[] { 80, 86, 89, 90 })
        {
            int shared = architecture is 80 ? 164 : architecture is 90 ? 228 : 100;
            Check(KernelCatalog.AttentionForward(KernelCatalog.BFloat16Element, headSize, queryTile), ["attention_forward"], byRegisters, tiles.ForwardSharedBytes);
            Check(
                KernelCatalog.AttentionBackward(KernelCatalog.BFloat16Element, headSize),
                ["attention_backward_dkv", "attention_backward_dq"],
                headSize is <= 56 or 64 or 72 ? 3 : 2,
                tiles.BackwardSharedBytes);

            void Check(KernelSpecialization specialization, string[] kernels, int blocks, int sharedBytes)
            {
                CompiledProgram program = library.Get(specialization, CudaTarget.Cubin(architecture)).Program;
                foreach (KernelResources kernel in program.Resources.Where(kernel => kernels.Contains(kernel.Kernel)))
                {
                    int resident = MultiprocessorLimits.Of(architecture).GetOccupancy(kernel, tiles.Threads, sharedBytes).Blocks;
                    Assert.That(resident, Is.GreaterThanOrEqualTo(Math.Min(blocks, shared * 1024 / (sharedBytes + 1024))), $"{kernel.Kernel} on sm_{architecture} with {kernel.Registers} registers");
                    Assert.That((kernel.StackBytes, kernel.SpillStoreBytes, kernel.SpillLoadBytes), Is.EqualTo((0, 0, 0)), $"{kernel.Kernel} on sm_{architecture}");
                }
            }
        }
    }

    [Test]
    public void NamesAreFileNamesAndDiffer()
    {
        Assert.That(KernelCatalog.All.Select(static specialization => specialization.Name), Is.Unique);
        Assert.That(KernelCatalog.TokenDrop("bfloat16").Name, Is.EqualTo("token_drop-bfloat16"));
        Assert.That(new KernelSpecialization("deep/a.cu", [], [new CudaMacro("T", "pack<float, 4>")]).Name, Is.EqualTo("deep-a-pack_float__4_"));
        Assert.That(KernelCatalog.TokenDrop("float").ToString(), Is.EqualTo("token_drop.cu -DELEMENT=float"));
    }
}
