using NUnit.Framework;
using Sprint.Engine.Cuda;
using Sprint.Tests.Engine.Cuda;

namespace Sprint.Tests.Train.Kernels;

/// <summary>The commands <c>kernels list</c>, <c>build</c> and <c>report</c>.</summary>
[TestFixture]
public sealed class KernelsLibraryCommandTests
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void Create() => folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => folder.Dispose();

    [TestCase("kernels", "no command is given: choose one of list, build, report, run, profile, or see sprint kernels --help")]
    [TestCase("kernels fly", "'fly' is no command: choose one of list, build")]
    [TestCase("kernels list --all", "'--all' is no option of sprint kernels list: it has --sources; see sprint kernels list --help")]
    [TestCase("kernels list --sources {folder}/none", "{folder}/none does not exist")]
    public void A_mistake_is_one_line(string line, params string[] parts) => SprintCommand.Refuse([.. line.Split(' ').Select(Place)], [.. parts.Select(Place)]);

    [TestCase("kernels build --arch 75", "--arch 75: NVRTC", "compiles the kernels for 80")]
    [TestCase("kernels build --arch fast", "--arch 'fast' is no architecture: write 80, sm_80 or 8.0")]
    [TestCase("kernels build absent.cu", "there is no kernel source 'absent.cu': choose one of", "token_drop.cu")]
    [TestCase("kernels build --prebuilt --arch 80", "leave out SOURCE, --arch and --sources")]
    [TestCase("kernels build --prebuilt --out {folder}", "holds PTX but no manifest.json")]
    [TestCase("kernels build random.cu --arch 80 --out {folder}/file.ptx/x", "cannot be created")]
    [TestCase("kernels report --block 0", "--block 0 is no number of threads a block: it is from 1 to 1024")]
    [TestCase("kernels report --shared -4", "--shared -4 is no number of bytes")]
    [TestCase("kernels report {folder}/none.cu", "there is no file {folder}/none.cu")]
    [TestCase("kernels report {folder}/file.ptx", "is PTX, which NVRTC does not compile")]
    public void A_mistake_with_the_compiler_is_one_line(string line, params string[] parts)
    {
        CudaRequirements.RequireNvrtc();
        folder.Write("file.ptx", ".version 7.8");
        SprintCommand.Refuse([.. line.Split(' ').Select(Place)], [.. parts.Select(Place)]);
    }

    [Test]
    public void Every_specialisation_is_listed_with_its_entry_points()
    {
        string output = SprintCommand.Succeed("kernels", "list");
        foreach (KernelSpecialization specialization in KernelCatalog.All)
        {
            Assert.That(output, Does.Contain(specialization.Source));
            foreach (string entryPoint in specialization.EntryPoints)
            {
                Assert.That(output, Does.Contain(entryPoint));
            }
        }

        Assert.That(output, Does.Not.Contain("overridden"));
    }

    [Test]
    public void Files_of_the_users_folder_are_shown_as_such()
    {
        string random = folder.Write("random.cu", "#include \"common/philox.cuh\"\n");
        string mine = folder.Write("mine.cu", "");
        string header = folder.Write("common/philox.cuh", "");
        string output = SprintCommand.Succeed("kernels", "list", "--sources", folder.Path);
        Assert.That(output, Does.Contain($"random.cu is overridden by {random}").And.Contain($"mine.cu is your own: {mine}").And.Contain($"common/philox.cuh is overridden by {header}").And.Contain("built in"));
    }

    [Test]
    public void A_report_tells_registers_and_occupancy_of_each_architecture()
    {
        CudaRequirements.RequireNvrtc();
        string path = folder.Write("k.cu", "template <typename T> __global__ void __launch_bounds__(128) twice(T* x) { __shared__ T s[SIZE]; s[threadIdx.x] = x[threadIdx.x]; x[threadIdx.x] = 2 * s[threadIdx.x]; }\ntemplate __global__ void twice<float>(float*);");
        string output = SprintCommand.Succeed("kernels", "report", path, "-DSIZE=128", "--arch", "80,sm_86,9.0");
        string[] rows = [.. output.Split('\n').Where(static line => line.Contains("twice<float>(float*)", StringComparison.Ordinal)).Select(static line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
        Assert.That(rows, Has.Length.EqualTo(3));
        Assert.That(rows[0], Does.Match(@"^twice<float>\(float\*\) sm_80 \d+ 0 0 0 512 128 16 64 100 %"));
        Assert.That(rows[1], Does.Match(@" sm_86 \d+ 0 0 0 512 128 12 48 100 %"));
        SprintCommand.Refuse(["kernels", "report", path, "-DSIZE=128", "--kernel", "thrice"], "no kernel has 'thrice' in its name: there are twice<float>(float*)");
    }

    [Test]
    public void A_build_writes_images_and_the_prebuilt_folder()
    {
        CudaRequirements.RequireNvrtc();
        string images = Path.Combine(folder.Path, "images");
        string output = SprintCommand.Succeed("kernels", "build", "random.cu", "--arch", "80,90", "--out", images);
        Assert.That(output, Does.Contain("2 images are in"));
        Assert.That(Directory.GetFiles(images).Select(Path.GetFileName).Order(), Is.EqualTo(new[] { "random-sm_80.cubin", "random-sm_90.cubin" }));
        string prebuilt = Path.Combine(folder.Path, "prebuilt");
        SprintCommand.Succeed("kernels", "build", "--prebuilt", "--out", prebuilt);
        Assert.That(Directory.GetFiles(prebuilt), Has.Length.EqualTo(KernelCatalog.Prebuilt.Count + 1));
    }

    private string Place(string text) => text.Replace("{folder}", folder.Path, StringComparison.Ordinal);
}
