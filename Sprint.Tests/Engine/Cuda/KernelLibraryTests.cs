using System.Text;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

public class KernelLibraryTests
{
    private static readonly KernelSpecialization Own = new("own.cu", ["work"], [new CudaMacro("TILE", "8"), new CudaMacro("ELEMENT", "float")]);

    [Test]
    public void EmbeddedSourcesComeWithTheHeadersTheyInclude()
    {
        using TemporaryFolder cache = new();
        RecordingCompiler compiler = new();
        KernelLibrary library = Create(compiler, cache.Path, null);
        library.Get(KernelCatalog.Random with { EntryPoints = [] }, CudaTarget.Ptx(80));
        Assert.That(library.SourceNames, Does.Contain("token_drop.cu").And.Contain("random.cu").And.Not.Contain("common/types.cuh"));
        Assert.That(compiler.LastSource!.Headers.Keys, Is.EqualTo(new[] { "common/normal.cuh", "common/philox.cuh", "common/types.cuh" }));
    }

    [Test]
    public void FilesOfTheUserReplaceEmbeddedOnesOneByOne()
    {
        using TemporaryFolder folder = new();
        folder.Write("random.cu", "#include \"common/types.cuh\"\n#include \"common/philox.cuh\"\r\nextern \"C\" __global__ void mine() {}");
        folder.Write("common/types.cuh", "// mine");
        RecordingCompiler compiler = new();
        Create(compiler, folder.Path, folder.Path).Get(new KernelSpecialization("random.cu", ["mine"], []), CudaTarget.Ptx(80));
        Assert.That(compiler.LastSource!.Text, Does.Contain("mine").And.Not.Contain("\r"));
        Assert.That(compiler.LastSource.Headers["common/types.cuh"], Is.EqualTo("// mine"));
        Assert.That(compiler.LastSource.Headers["common/philox.cuh"], Does.Contain("0xD2511F53u"));
    }

    [Test]
    public void EveryChangeOfSourceHeaderMacroTargetOptionOrCompilerCompilesAnewAndNothingElseDoes()
    {
        using TemporaryFolder folder = new();
        Write(folder);
        RecordingCompiler compiler = new();
        KernelLibrary library = Create(compiler, folder.Path, folder.Path);
        int expected = 0;
        void Compiles(bool anew, KernelSpecialization specialization, CudaTarget target, KernelLibrary? other = null)
        {
            (other ?? library).Get(specialization, target);
            expected += anew ? 1 : 0;
            Assert.That(compiler.Compilations, Is.EqualTo(expected));
        }

        CudaTarget target = CudaTarget.Cubin(80);
        Compiles(true, Own, target);
        Compiles(false, Own, target);
        Compiles(true, Own, CudaTarget.Cubin(86));
        Compiles(true, Own, CudaTarget.Ptx(80));
        Compiles(true, Own with { Macros = [.. Own.Macros.Reverse()] }, target);
        Compiles(true, Own with { Macros = [new CudaMacro("TILE", "8")] }, target);
        folder.Write("common/own.cuh", "// changed");
        Compiles(true, Own, target);
        folder.Write("own.cu", "#include \"common/own.cuh\"\nextern \"C\" __global__ void work() { }");
        Compiles(true, Own, target);
        folder.Write("other.cu", "");
        Compiles(false, Own, target);
        Compiles(false, Own, target, Create(compiler, folder.Path, folder.Path));
        Compiles(true, Own, target, new KernelLibrary(new KernelLibraryOptions { SourceFolder = folder.Path, CacheFolder = folder.Path, CompilerOptions = ["-G"] }, compiler, null));
        RecordingCompiler newer = new() { Version = new Version(13, 0) };
        Create(newer, folder.Path, folder.Path).Get(Own, target);
        Assert.That(newer.Compilations, Is.EqualTo(1));
    }

    [Test]
    public void CachedImagesComeBackWhole()
    {
        using TemporaryFolder folder = new();
        Write(folder);
        KernelImage compiled = Create(new RecordingCompiler(), folder.Path, folder.Path).Get(Own, CudaTarget.Cubin(90));
        RecordingCompiler idle = new();
        KernelImage cached = Create(idle, folder.Path, folder.Path).Get(Own, CudaTarget.Cubin(90));
        Assert.That((compiled.Origin, cached.Origin, idle.Compilations), Is.EqualTo((KernelImageOrigin.Compiled, KernelImageOrigin.Cached, 0)));
        Assert.That(cached.Program.Image.ToArray(), Is.EqualTo(compiled.Program.Image.ToArray()));
        Assert.That(cached.Program.Resources, Is.EqualTo(compiled.Program.Resources));
        Assert.That((cached.Program.Log, cached.Program.Target), Is.EqualTo((compiled.Program.Log, compiled.Program.Target)));
    }

    [Test]
    public void CorruptEntriesAreCompiledAnewAndReplaced([Values("empty", "truncated", "flipped", "appended", "foreign")] string damage)
    {
        using TemporaryFolder folder = new();
        Write(folder);
        KernelImage compiled = Create(new RecordingCompiler(), folder.Path, folder.Path).Get(Own, CudaTarget.Cubin(80));
        string entry = Directory.GetFiles(folder.Path, "*.kernel").Single();
        byte[] whole = File.ReadAllBytes(entry);
        byte[] damaged = damage switch
        {
            "empty" => [],
            "truncated" => whole[..(whole.Length / 2)],
            "flipped" => [.. whole.Select((value, index) => index == whole.Length / 2 ? (byte)(value ^ 1) : value)],
            "appended" => [.. whole, 0],
            _ => Encoding.UTF8.GetBytes(new string('x', 500)),
        };
        File.WriteAllBytes(entry, damaged);
        RecordingCompiler compiler = new();
        KernelImage again = Create(compiler, folder.Path, folder.Path).Get(Own, CudaTarget.Cubin(80));
        Assert.That(compiler.Compilations, Is.EqualTo(1));
        Assert.That(again.Program.Image.ToArray(), Is.EqualTo(compiled.Program.Image.ToArray()));
        Assert.That(File.ReadAllBytes(entry), Is.EqualTo(whole));
    }

    [Test]
    public void ManyLibrariesMayFillTheSameCacheAtOnce()
    {
        using TemporaryFolder folder = new();
        Write(folder);
        KernelImage[] images = new KernelImage[64];
        Parallel.For(0, images.Length, i =>
        {
            KernelLibrary library = Create(new RecordingCompiler(), folder.Path, folder.Path);
            images[i] = library.Get(Own, CudaTarget.Cubin(i % 2 == 0 ? 80 : 86));
            Assert.That(library.CacheProblem, Is.Null);
        });
        Assert.That(images.Select(static image => image.Program.Target.Architecture), Is.EqualTo(images.Select(static (_, i) => i % 2 == 0 ? 80 : 86)));
        Assert.That(Directory.GetFiles(folder.Path, "*.kernel"), Has.Length.EqualTo(2));
        Assert.That(Directory.GetFiles(folder.Path, "*.tmp"), Is.Empty);
    }

    [Test]
    public void WhatKilledWritersLeftIsNeitherReadNorKeptForEver()
    {
        using TemporaryFolder folder = new();
        Write(folder);
        Create(new RecordingCompiler(), folder.Path, folder.Path).Get(Own, CudaTarget.Cubin(80));
        string entry = Directory.GetFiles(folder.Path, "*.kernel").Single();
        byte[] whole = File.ReadAllBytes(entry);
        string old = folder.Write(Path.GetFileName(entry) + ".0123.tmp", "half");
        string young = folder.Write(Path.GetFileName(entry) + ".4567.tmp", "half");
        string foreign = folder.Write("notes.tmp", "mine");
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow - TimeSpan.FromDays(2));
        File.SetLastWriteTimeUtc(foreign, DateTime.UtcNow - TimeSpan.FromDays(2));
        File.Delete(entry);
        RecordingCompiler compiler = new();
        Create(compiler, folder.Path, folder.Path).Get(Own, CudaTarget.Cubin(80));
        Assert.That(compiler.Compilations, Is.EqualTo(1));
        Assert.That(File.ReadAllBytes(entry), Is.EqualTo(whole));
        Assert.That((File.Exists(old), File.Exists(young), File.Exists(foreign)), Is.EqualTo((false, true, true)), "another process may still be writing");
    }

    [Test]
    public void ThreadsThatWantTheSameImageCompileItOnce()
    {
        using TemporaryFolder folder = new();
        Write(folder);
        RecordingCompiler compiler = new();
        KernelLibrary library = Create(compiler, folder.Path, folder.Path);
        Parallel.For(0, 32, _ => library.Get(Own, CudaTarget.Cubin(80)));
        Assert.That(compiler.Compilations, Is.EqualTo(1));
    }

    [Test]
    public void CacheThatCannotBeWrittenCostsOnlyTime()
    {
        using TemporaryFolder folder = new();
        Write(folder);
        string blocked = folder.Write("file", "not a folder");
        KernelLibrary library = Create(new RecordingCompiler(), Path.Combine(blocked, "cache"), folder.Path);
        Assert.That(library.Get(Own, CudaTarget.Cubin(80)).Origin, Is.EqualTo(KernelImageOrigin.Compiled));
        Assert.That(library.CacheProblem, Is.Not.Null);
    }

    [Test]
    public void ErrorsNameTheSpecialisationAndTheUsersOwnFile()
    {
        using TemporaryFolder folder = new();
        Write(folder);
        string own = folder.Write("own.cu", "#include \"common/own.cuh\"\n#error");
        KernelLibrary library = Create(new RecordingCompiler(), folder.Path, folder.Path);
        CudaCompilationException failure = Assert.Throws<CudaCompilationException>(() => library.Get(Own, CudaTarget.Cubin(80)))!;
        Assert.That(failure.Message, Does.StartWith($"own.cu -DTILE=8 -DELEMENT=float for sm_80 does not compile at {own}(1):"));
        Assert.That(failure.Log, Does.Contain(Path.Combine(folder.Path, "common/own.cuh") + "(2): error: also wrong"));
        folder.Write("own.cu", "extern \"C\" __global__ void work() {}");
        Assert.That(library.Get(Own, CudaTarget.Cubin(80)).Origin, Is.EqualTo(KernelImageOrigin.Compiled), "an edit is taken up at once");
    }

    [Test]
    public void MissingSourceEntryPointAndFolderAreNamed()
    {
        using TemporaryFolder folder = new();
        Write(folder);
        KernelLibrary library = Create(new RecordingCompiler(), folder.Path, folder.Path);
        Assert.That(() => library.Get(Own with { Source = "absent.cu" }, CudaTarget.Ptx(80)), Throws.InstanceOf<SprintException>().With.Message.Contains("There is no kernel source absent.cu").And.Message.Contains("own.cu"));
        Assert.That(() => library.Get(Own with { EntryPoints = ["work", "idle"] }, CudaTarget.Ptx(80)), Throws.InstanceOf<SprintException>().With.Message.Contains("own.cu -DTILE=8 -DELEMENT=float has no kernel named idle"));
        Assert.That(() => Create(new RecordingCompiler(), folder.Path, Path.Combine(folder.Path, "none")), Throws.InstanceOf<SprintException>().With.Message.Contains("does not exist"));
    }

    [TestCase(80, "sm_80")]
    [TestCase(87, "sm_86")]
    [TestCase(89, "sm_89")]
    [TestCase(90, "sm_90")]
    [TestCase(103, "sm_100")]
    [TestCase(120, "compute_100")]
    public void TargetIsMachineCodeWhereTheCompilerKnowsTheGenerationElsePtx(int device, string expected)
    {
        using TemporaryFolder folder = new();
        Assert.That(Create(new RecordingCompiler(), folder.Path, null).TargetFor(TestDevices.Create(device)).Name, Is.EqualTo(expected));
    }

    [Test]
    public void DevicesBelowTheBaselineAreRefused()
    {
        using TemporaryFolder folder = new();
        Assert.That(() => Create(new RecordingCompiler(), folder.Path, null).TargetFor(TestDevices.Create(75)), Throws.InstanceOf<SprintException>().With.Message.Contains("compute capability 7.5"));
    }

    [Test]
    public void CacheFolderFollowsTheEnvironment()
    {
        string root = Path.GetFullPath(Path.GetTempPath());
        Assert.That(KernelCache.DefaultFolder(name => name == "SPRINT_CACHE" ? root : "ignored"), Is.EqualTo(Path.Combine(root, "kernels")));
        if (!OperatingSystem.IsWindows())
        {
            Assert.That(KernelCache.DefaultFolder(name => name == "XDG_CACHE_HOME" ? root : null), Is.EqualTo(Path.Combine(root, "sprint", "kernels")));
            Assert.That(KernelCache.DefaultFolder(static name => name == "XDG_CACHE_HOME" ? "relative" : null), Does.StartWith(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)));
        }
    }

    private static void Write(TemporaryFolder folder)
    {
        folder.Write("own.cu", "#include \"common/own.cuh\"\nextern \"C\" __global__ void work() {}");
        folder.Write("common/own.cuh", "// own");
    }

    private static KernelLibrary Create(ICudaCompiler compiler, string cacheFolder, string? sourceFolder) =>
        new(new KernelLibraryOptions { SourceFolder = sourceFolder, CacheFolder = cacheFolder }, compiler, null);
}
