using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

public class CudaLibraryFinderTests
{
    private static readonly CudaLibrary[] Libraries = [CudaLibrary.Driver, CudaLibrary.Compiler, CudaLibrary.Blas];

    [Test]
    public void MissingLibraryIsOneSentenceThatSaysWhatItIsForAndHowToGetIt([Values] bool windows, [Range(0, 2)] int index)
    {
        CudaLibrary library = Libraries[index];
        CudaLibraryFinder finder = new(static _ => 0, static _ => null, windows);
        string message = Assert.Throws<SprintException>(() => finder.Require(library)).Message;
        Assert.That(message, Does.StartWith(library.Purpose));
        Assert.That(message, Does.Contain(library.Names(windows)[0]));
        Assert.That(message, Does.Contain(library.HowToGet));
        Assert.That(message, Does.Contain("CUDA_PATH is not set"));
        Assert.That(message, Does.EndWith("."));
        Assert.That(message, Does.Not.Contain("\n"));
    }

    [Test]
    public void MissingLibraryNamesTheToolkitFoldersItLookedIn()
    {
        CudaLibraryFinder finder = new(static _ => 0, static name => name == "CUDA_PATH" ? "/opt/toolkit" : null, windows: false);
        Assert.That(Assert.Throws<SprintException>(() => finder.Require(CudaLibrary.Compiler)).Message, Does.Contain("and under /opt/toolkit"));
    }

    [Test]
    public void NewestNameOnTheLibraryPathWins()
    {
        List<string> asked = [];
        CudaLibraryFinder finder = new(
            name =>
            {
                asked.Add(name);
                return name is "libnvrtc.so.12" or "libnvrtc.so.11.2" ? 12 : 0;
            },
            static _ => "/opt/toolkit",
            windows: false);
        Assert.That(finder.Require(CudaLibrary.Compiler), Is.EqualTo((nint)12));
        Assert.That(asked, Is.EqualTo(new[] { "libnvrtc.so.13", "libnvrtc.so.12" }));
    }

    [TestCase("CUDA_PATH", false, "/opt/toolkit/lib64/libcublas.so.11")]
    [TestCase("CUDA_HOME", false, "/opt/toolkit/targets/x86_64-linux/lib/libcublas.so.12")]
    [TestCase("CUDA_PATH", true, "/opt/toolkit/bin/x64/cublas64_13.dll")]
    public void ToolkitFolderIsSearchedWhenTheLibraryPathHasNone(string variable, bool windows, string file)
    {
        string path = file.Replace('/', Path.DirectorySeparatorChar);
        CudaLibraryFinder finder = new(
            name => name.Replace('/', Path.DirectorySeparatorChar) == path ? 7 : 0, name => name == variable ? "/opt/toolkit" : null, windows);
        Assert.That(finder.Require(CudaLibrary.Blas), Is.EqualTo((nint)7));
    }

    // NVRTC opens its built-in declarations by name when it compiles, and has no path of its own to look for them.
    [TestCase(false, "/opt/toolkit/lib64/libnvrtc.so.13", "libnvrtc-builtins.so.13.0", "libnvrtc-builtins.so.*")]
    [TestCase(true, "/opt/toolkit/bin/nvrtc64_130_0.dll", "nvrtc-builtins64_130.dll", "nvrtc-builtins64_*.dll")]
    public void ACompilerFromAFolderBringsWhatLiesBesideIt(bool windows, string file, string companion, string pattern)
    {
        string path = file.Replace('/', Path.DirectorySeparatorChar), beside = Path.Combine(Path.GetDirectoryName(path)!, companion);
        List<string> loaded = [];
        CudaLibraryFinder finder = new(
            name =>
            {
                if (name.Replace('/', Path.DirectorySeparatorChar) != path && name != beside)
                    return 0;
                loaded.Add(name);
                return 7;
            },
            static name => name == "CUDA_PATH" ? "/opt/toolkit" : null,
            windows,
            (folder, asked) => (folder, asked) == (Path.GetDirectoryName(path), pattern) ? [beside] : []);
        Assert.That(finder.TryLoad(CudaLibrary.Compiler, out _));
        Assert.That(loaded, Has.Count.EqualTo(2));
        Assert.That(loaded[1], Is.EqualTo(beside));
    }

    [Test]
    public void WhatWasFoundIsNotLookedForAgainButWhatWasMissingIs()
    {
        int asked = 0;
        bool installed = false;
        CudaLibraryFinder finder = new(
            _ =>
            {
                asked++;
                return installed ? 3 : 0;
            },
            static _ => null,
            windows: true);
        Assert.That(finder.TryLoad(CudaLibrary.Driver, out _), Is.False);
        installed = true;
        Assert.That(finder.TryLoad(CudaLibrary.Driver, out nint first), Is.True);
        int after = asked;
        Assert.That(finder.TryLoad(CudaLibrary.Driver, out nint second), Is.True);
        Assert.That((first, second, asked), Is.EqualTo(((nint)3, (nint)3, after)));
    }
}
