using System.Text.Json;
using NUnit.Framework;
using Sprint.Engine.Cuda;
using Sprint.Tests.Engine.Cuda;

namespace Sprint.Tests.Train.Kernels;

/// <summary>The commands <c>kernels list</c>, <c>build</c> and <c>report</c>.</summary>
[TestFixture]
public sealed class KernelsLibraryCommandTests
{
    private const string Template = "template <typename T> __device__ T helper() { return 1; }\nnamespace n { template <typename T, int N> __global__ void scale(T* x) { x[0] *= N; } }";

    private TemporaryFolder folder = null!;

    [SetUp]
    public void Create() => folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => folder.Dispose();

    [TestCase("kernels", "no command is given: choose one of list, build, report, run, profile, or see sprint kernels --help")]
    [TestCase("kernels fly", "'fly' is no command: choose one of list, build")]
    [TestCase("kernels list --all", "'--all' is no option of sprint kernels list: it has --sources, --json; see sprint kernels list --help")]
    [TestCase("kernels list --sources {folder}/none", "{folder}/none does not exist")]
    public void A_mistake_is_one_line(string line, params string[] parts) => SprintCommand.Refuse([.. line.Split(' ').Select(Place)], [.. parts.Select(Place)]);

    [TestCase("kernels build --arch 75", "--arch 75: NVRTC", "compiles the kernels for 80")]
    [TestCase("kernels build --arch fast", "--arch 'fast' is no architecture: write 80, sm_80 or 8.0")]
    [TestCase("kernels build --kernel k<int>", "--kernel k<int> is for a file of your own")]
    [TestCase("kernels build -DX=1", "-D and -I are for a file of your own: name it, or leave them out")]
    [TestCase("kernels build {folder}/t.cu --arch 80", "--out must name the folder for the cubins of {folder}/t.cu")]
    [TestCase("kernels build {folder}/t.cu --arch 80 --out {folder}/cubins", "has no kernel: declare one __global__")]
    [TestCase("kernels build {folder}/t.cu --arch 80 --out {folder}/cubins --kernel scale<text>", "has no kernel 'scale<text>', and NVRTC makes none of that name")]
    [TestCase("kernels report {folder}/t.cu --arch 80", "there is no kernel to report: declare one __global__")]
    [TestCase("kernels report {folder}/t.cu --arch 80 --kernel helper<int>", "has no kernel 'helper<int>', and NVRTC makes none of that name")]
    [TestCase("kernels report {folder}/t.cu --sources {folder}", "--sources {folder} is for the engine's kernels, and {folder}/t.cu is a file of your own")]
    [TestCase("kernels report -I {folder}", "-D and -I are for a file of your own")]
    [TestCase("kernels report random.cu --arch 80 --kernel absent", "no kernel has 'absent' in its name: there are random_normal; random_uniform")]
    [TestCase("kernels build absent.cu", "there is no file 'absent.cu', and no source of the engine's of that name: choose one of", "token_drop.cu")]
    [TestCase("kernels build --prebuilt --arch 80", "leave out SOURCE, --arch, --kernel and --sources")]
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
        folder.Write("t.cu", Template);
        SprintCommand.Refuse([.. line.Split(' ').Select(Place)], [.. parts.Select(Place)]);
    }

    [Test]
    public void An_empty_folder_of_sources_is_told() => SprintCommand.Refuse(["kernels", "list", "--sources", ""], "--sources is empty: name the folder that holds your .cu files");

    [Test]
    public void Help_of_a_group_has_one_line_for_each_command_and_that_of_a_command_its_examples()
    {
        string group = SprintCommand.Succeed("kernels", "--help");
        Assert.That(group, Does.Contain("Run a kernel of any CUDA file or PTX").And.Not.Contain("sprint kernels run mine.cu").And.Not.Contain("TYPE:VALUE"));
        Assert.That(SprintCommand.Succeed("kernels", "run", "--help"), Does.Contain("sprint kernels run mine.cu").And.Contain("TYPE:VALUE"));
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

    [Test]
    public void Templates_are_instantiated_for_a_report_and_for_cubins()
    {
        CudaRequirements.RequireNvrtc();
        string path = folder.Write("t.cu", Template);
        using JsonDocument report = JsonDocument.Parse(SprintCommand.Succeed("kernels", "report", path, "--arch", "80,90", "--kernel", "n::scale<float,4>", "--json"));
        JsonElement[] rows = [.. report.RootElement.EnumerateArray()];
        Assert.That(rows.Select(static row => row.GetProperty("architecture").GetString()), Is.EqualTo(new[] { "sm_80", "sm_90" }));
        Assert.That(rows.Select(static row => row.GetProperty("signature").GetString()), Has.All.EqualTo("n::scale<float, 4>(float*)"));
        Assert.That(rows.Select(static row => row.GetProperty("registers").GetInt32()), Has.All.InRange(1, 255));
        string cubins = Path.Combine(folder.Path, "cubins");
        string output = SprintCommand.Succeed("kernels", "build", path, "--arch", "80,86", "--kernel", "n::scale<double, 2>", "--out", cubins);
        Assert.That(output, Does.Contain("n::scale<double, 2>(double*)"));
        Assert.That(Directory.GetFiles(cubins).Select(Path.GetFileName).Order(), Is.EqualTo(new[] { "t-sm_80.cubin", "t-sm_86.cubin" }));
        Assert.That(KernelImageReader.TryReadParameters(File.ReadAllBytes(Path.Combine(cubins, "t-sm_86.cubin")), "_ZN1n5scaleIdLi2EEEvPT_", out KernelParameter[]? parameters), Is.True);
        Assert.That(parameters, Has.Length.EqualTo(1));
    }

    /// <summary>Where shared memory, of which most is dynamic, leaves room for fewer blocks than registers do.</summary>
    [Test]
    public void A_report_of_the_engine_counts_the_shared_memory_of_its_launches()
    {
        CudaRequirements.RequireNvrtc();
        using JsonDocument report = JsonDocument.Parse(SprintCommand.Succeed("kernels", "report", "attention_forward.cu", "--arch", "80,86", "--json"));
        (string, int, int)[] rows =
        [
            .. report.RootElement.EnumerateArray()
                .Where(static row => row.GetProperty("source").GetString() == "attention_forward.cu -DHEAD_SIZE=72 -DQUERY_TILE=64")
                .Select(static row => (row.GetProperty("architecture").GetString()!, row.GetProperty("dynamic_shared_bytes").GetInt32(), row.GetProperty("resident_blocks").GetInt32())),
        ];
        Assert.That(rows, Is.EqualTo(new[] { ("sm_80", 36_864, 4), ("sm_86", 36_864, 2) }));
    }

    [Test]
    public void A_source_of_the_engine_is_reported_by_its_name()
    {
        CudaRequirements.RequireNvrtc();
        string output = SprintCommand.Succeed("kernels", "report", "random.cu", "--arch", "80");
        Assert.That(output, Does.Contain("random_normal").And.Contain("random_uniform").And.Not.Contain("adamw"));
    }

    [Test]
    public void The_list_is_there_for_machines()
    {
        folder.Write("mine.cu", "");
        using JsonDocument json = JsonDocument.Parse(SprintCommand.Succeed("kernels", "list", "--sources", folder.Path, "--json"));
        JsonElement[] sources = [.. json.RootElement.GetProperty("sources").EnumerateArray()];
        Assert.That(sources.Single(static source => source.GetProperty("name").GetString() == "mine.cu").GetProperty("file").GetString(), Is.EqualTo(Path.Combine(folder.Path, "mine.cu")));
        Assert.That(
            sources.SelectMany(static source => source.GetProperty("specialisations").EnumerateArray()).Count(), Is.EqualTo(KernelCatalog.All.Count));
    }

    private string Place(string text) => text.Replace("{folder}", folder.Path, StringComparison.Ordinal);
}
