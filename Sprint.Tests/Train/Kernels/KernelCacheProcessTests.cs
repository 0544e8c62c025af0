using NUnit.Framework;
using Sprint.Engine.Cuda;
using Sprint.Tests.Engine.Cuda;

namespace Sprint.Tests.Train.Kernels;

[TestFixture]
public sealed class KernelCacheProcessTests
{
    private const int Processes = 4;
    private static readonly int[] Architectures = [80, 86, 90];

    [Test]
    public void Several_processes_may_fill_or_mend_the_cache_at_once_and_one_may_be_killed()
    {
        CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        string cache = Path.Combine(folder.Path, "kernels");
        string[] arguments = ["kernels", "build", "random.cu", "--arch", string.Join(",", Architectures)];
        BuildAtOnce(folder.Path, arguments);
        string[] entries = Directory.GetFiles(cache, "*.kernel");
        Assert.That(entries, Has.Length.EqualTo(Architectures.Length));

        // A disk that lost half of one entry and all of another, and a writer that was killed.
        using (FileStream half = File.OpenWrite(entries[0]))
        {
            half.SetLength(half.Length / 2);
        }

        File.WriteAllBytes(entries[1], []);
        File.WriteAllText($"{entries[2]}.0123.tmp", "unfinished");
        BuildAtOnce(folder.Path, arguments);
        Assert.That(Directory.GetFiles(cache, "*.kernel"), Is.EquivalentTo(entries));
        KernelLibrary library = new(new KernelLibraryOptions { CacheFolder = cache });
        KernelLibrary fresh = new(new KernelLibraryOptions { UseCache = false });
        foreach (int architecture in Architectures)
        {
            KernelImage image = library.Get(KernelCatalog.Random, CudaTarget.Cubin(architecture));
            Assert.That(image.Origin, Is.EqualTo(KernelImageOrigin.Cached));
            Assert.That(image.Program.Image.ToArray(), Is.EqualTo(fresh.Get(KernelCatalog.Random, CudaTarget.Cubin(architecture)).Program.Image.ToArray()));
        }
    }

    private static void BuildAtOnce(string cache, string[] arguments)
    {
        SprintProcess[] running = [.. Enumerable.Range(0, Processes).Select(_ => SprintProcess.StartWithCache(cache, arguments))];
        try
        {
            using SprintProcess killed = SprintProcess.StartWithCache(cache, arguments);
            killed.Kill();
            foreach (SprintProcess process in running)
            {
                (int exitCode, string error) = process.Finish();
                Assert.That((exitCode, error), Is.EqualTo((0, "")));
            }
        }
        finally
        {
            foreach (SprintProcess process in running)
            {
                process.Dispose();
            }
        }
    }
}
