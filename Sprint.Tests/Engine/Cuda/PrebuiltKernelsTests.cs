using System.Text;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

public class PrebuiltKernelsTests
{
    [Test]
    public void PrebuiltPtxIsWhatTheSourcesGive()
    {
        CudaRuntimeCompiler.TryLoad(out CudaRuntimeCompiler? compiler, out _);
        Assert.That(PrebuiltKernels.FindProblems(compiler), Is.Empty);
    }

    [Test]
    public void RefreshWritesWhatTheRepositoryHolds()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        folder.Write("gone.ptx", "of a specialisation that is no more");
        IReadOnlyList<string> files = PrebuiltKernels.Refresh(folder.Path, compiler);
        Assert.That(Directory.GetFiles(folder.Path).Select(Path.GetFileName), Is.EquivalentTo(files));
        Assert.That(files, Has.Count.EqualTo(KernelCatalog.Prebuilt.Count + 1));
        Assert.That(PrebuiltKernels.FindProblems(Reader(folder.Path), new KernelSources(null), compiler), Is.Empty);
    }

    [Test]
    public void StaleMissingAndEditedPtxIsFoundAndTheCommandNamed()
    {
        using TemporaryFolder folder = new();
        RecordingCompiler compiler = new();
        KernelSources sources = new(null);
        PrebuiltKernels.Refresh(folder.Path, compiler);
        Assert.That(PrebuiltKernels.FindProblems(Reader(folder.Path), sources, compiler), Is.Empty);

        using TemporaryFolder edited = new();
        edited.Write("common/philox.cuh", "// other numbers");
        IReadOnlyList<string> stale = PrebuiltKernels.FindProblems(Reader(folder.Path), new KernelSources(edited.Path), null);
        Assert.That(stale, Has.Count.EqualTo(3), "random and both token drops include it");
        Assert.That(stale, Has.All.Contains("its source has changed: refresh it with `sprint kernels build --prebuilt`"));

        Assert.That(PrebuiltKernels.FindProblems(Reader(folder.Path), sources, new RecordingCompiler { SupportedArchitectures = [80] }), Is.Empty);
        File.AppendAllText(Path.Combine(folder.Path, "random.ptx"), "\n");
        Assert.That(PrebuiltKernels.FindProblems(Reader(folder.Path), sources, null).Single(), Does.Contain("random.cu was changed by hand"));
        File.Delete(Path.Combine(folder.Path, "random.ptx"));
        Assert.That(PrebuiltKernels.FindProblems(Reader(folder.Path), sources, null).Single(), Does.StartWith("There is no prebuilt PTX of random.cu"));
        File.Delete(Path.Combine(folder.Path, "manifest.json"));
        Assert.That(PrebuiltKernels.FindProblems(Reader(folder.Path), sources, null).Single(), Does.Contain("manifest.json is missing"));
    }

    [TestCase("")]
    [TestCase("{")]
    [TestCase("null")]
    [TestCase("""{"compiler":"11.8","architecture":80}""")]
    [TestCase("""{"compiler":"11.8","architecture":80,"kernels":null}""")]
    [TestCase("""{"compiler":"11.8","architecture":80,"kernels":[],"more":1}""")]
    public void BrokenManifestIsOneSentence(string json) =>
        Assert.That(
            () => PrebuiltManifest.Parse(Encoding.UTF8.GetBytes(json), "manifest.json"),
            Throws.InstanceOf<SprintException>().With.Message.StartsWith("manifest.json is").And.Message.Contains("sprint kernels build --prebuilt"));

    [Test]
    public void PrebuiltPtxServesWhereNvrtcIsMissing()
    {
        KernelLibrary library = new(new KernelLibraryOptions { UseCache = false }, null, "NVRTC is not here.");
        foreach (KernelSpecialization specialization in KernelCatalog.Prebuilt)
        {
            KernelImage image = library.Get(specialization, KernelLibrary.EmulatorTarget);
            Assert.That(image.Origin, Is.EqualTo(KernelImageOrigin.Prebuilt));
            Assert.That(image.Program.Target, Is.EqualTo(KernelLibrary.EmulatorTarget));
            foreach (string entryPoint in specialization.EntryPoints)
            {
                Assert.That(KernelImageReader.TryReadParameters(image.Program.Image.Span, entryPoint, out _), Is.True, entryPoint);
            }
        }

        Assert.That(library.TargetFor(TestDevices.Create(90)), Is.EqualTo(KernelLibrary.EmulatorTarget));
    }

    [Test]
    public void WithoutNvrtcAnEditedSourceOrAnotherSpecialisationSaysWhatIsMissing()
    {
        using TemporaryFolder folder = new();
        folder.Write("random.cu", "// edited");
        KernelLibrary library = new(new KernelLibraryOptions { UseCache = false, SourceFolder = folder.Path }, null, "NVRTC is not here.");
        Assert.That(
            () => library.Get(KernelCatalog.Random, KernelLibrary.EmulatorTarget),
            Throws.InstanceOf<SprintException>().With.Message.EqualTo("random.cu cannot be compiled, and the prebuilt PTX was made from another version of its source. NVRTC is not here."));
        Assert.That(
            () => library.Get(KernelCatalog.TokenDrop("half"), KernelLibrary.EmulatorTarget),
            Throws.InstanceOf<SprintException>().With.Message.EqualTo("token_drop.cu -DELEMENT=half cannot be compiled, and there is no prebuilt PTX of it. NVRTC is not here."));
    }

    private static Func<string, byte[]?> Reader(string folder) =>
        name => File.Exists(Path.Combine(folder, Path.GetFileName(name))) ? File.ReadAllBytes(Path.Combine(folder, Path.GetFileName(name))) : null;
}
