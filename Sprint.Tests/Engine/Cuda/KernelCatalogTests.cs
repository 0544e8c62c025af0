using NUnit.Framework;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

public class KernelCatalogTests
{
    [Test]
    public void KernelsCompileForAmpereAndHopperWithoutWarningsSpillsOrStack(
        [ValueSource(typeof(KernelCatalog), nameof(KernelCatalog.All))] KernelSpecialization specialization, [Values(80, 90)] int architecture)
    {
        KernelLibrary library = new(new KernelLibraryOptions { UseCache = false }, CudaRequirements.RequireNvrtc(), null);
        CompiledProgram program = library.Get(specialization, CudaTarget.Cubin(architecture)).Program;
        Assert.That(program.Log, Is.Empty);
        Assert.That(program.Resources.Select(static kernel => kernel.Kernel), Is.EquivalentTo(specialization.EntryPoints));
        foreach (KernelResources kernel in program.Resources)
        {
            Assert.That((kernel.StackBytes, kernel.SpillStoreBytes, kernel.SpillLoadBytes), Is.EqualTo((0, 0, 0)), kernel.Kernel);
            Assert.That(kernel.Registers, Is.InRange(1, 128), kernel.Kernel);
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
