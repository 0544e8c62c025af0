using System.Text.Json;
using System.Text.RegularExpressions;
using NUnit.Framework;
using Sprint.Model.Checkpoints;
using Sprint.Tests.Engine.Cuda;
using Sprint.Tests.Engine.Emulation;

namespace Sprint.Tests.Train.Kernels;

/// <summary>The commands <c>kernels run</c> and <c>kernels profile</c>, mostly on PTX, which needs no compiler.</summary>
[TestFixture]
public sealed partial class KernelsRunTests
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void Write()
    {
        folder = new TemporaryFolder();
        folder.Write("bugs.ptx", EmulatorHarness.Resource("bugs"));
        folder.Write("hostile.ptx", ".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 p)\n{\n.reg .b32 %r<99999999999>;\nret;\n}\n");
        folder.Write("broken.ptx", ".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry k()\n{\nfly away;\n}\n");
        folder.Write("no.ptx", "int main() {}");
        folder.Write("nothing.ptx", " \n// nothing\n");
        folder.Write("folder.safetensors/in", "");
        folder.Write("many.ptx", ".version 7.8\n.target sm_80\n.address_size 64\n" + string.Concat(Enumerable.Range(0, 300).Select(static k => $".visible .entry k{k}() {{ ret; }}\n")));
        folder.Write("great.ptx", ".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry k()\n{\n.shared .align 4 .b8 s[80000];\nret;\n}\n");
    }

    [TearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void Buffers_are_summarised_and_saved_by_their_argument()
    {
        string saved = Path.Combine(folder.Path, "out.safetensors");
        string output = Succeed("run {bugs} --kernel off_by_one_repaired --grid 2 --block 64 --arg i32[100]=iota --arg i32[101]=poison --arg i32:100 --save " + saved);
        Assert.That(Row(output, "arg0"), Is.EqualTo("arg0 i32[100] 0 99 49.5 0 0"));
        Assert.That(Row(output, "arg1"), Is.EqualTo("arg1 i32[101] 0 99 49.5 0 1"), "one element is never written");
        using SafetensorsFile file = SafetensorsFile.Open(saved);
        Assert.That(file.Entries.Select(static entry => entry.Name), Is.EqualTo(new[] { "arg0", "arg1" }));
        Assert.That(file.ReadInt32("arg1").Take(100), Is.EqualTo(Enumerable.Range(0, 100)));
    }

    [Test]
    public void A_saved_buffer_is_an_argument_with_its_own_type_and_shape()
    {
        string saved = Path.Combine(folder.Path, "out.safetensors");
        const string Launch = "run {bugs} --kernel off_by_one_repaired --grid 2 --block 64";
        Succeed($"{Launch} --arg i32[10,10]=iota --arg i32[100]=poison --arg i32:100 --save {saved}");
        Assert.That(Row(Succeed($"{Launch} --arg @{saved}#arg0 --arg i32[100]=poison --arg i32:100"), "arg0"), Is.EqualTo("arg0 i32[10,10] 0 99 49.5 0 0"));
    }

    [Test]
    public void A_schedule_of_its_own_changes_the_order_of_warps_and_no_number()
    {
        folder.Write("order.ptx", """
            .version 7.8
            .target sm_80
            .address_size 64
            .visible .entry order(.param .u64 counter, .param .u64 order, .param .u64 numbers)
            {
            .reg .pred %p; .reg .b32 %t, %u; .reg .b64 %c, %o, %b;
            ld.param.u64 %c, [counter]; ld.param.u64 %o, [order];
            mov.u32 %t, %tid.x; and.b32 %u, %t, 31; setp.ne.u32 %p, %u, 0; @%p bra END;
            atom.global.add.u32 %u, [%c], 1; mul.wide.u32 %b, %u, 4; add.u64 %o, %o, %b; shr.u32 %u, %t, 5; st.global.u32 [%o], %u;
            END: ret;
            }
            """);
        (int[] Order, float[] Numbers) Launch(string seeds)
        {
            string saved = Path.Combine(folder.Path, "out.safetensors");
            Succeed($"run {Path.Combine(folder.Path, "order.ptx")} --grid 1 --block 1024 --arg i32[1]=zeros --arg i32[32]=poison --arg f32[8]=normal --save {saved} {seeds}");
            using SafetensorsFile file = SafetensorsFile.Open(saved);
            return (file.ReadInt32("arg1"), file.ReadFloats("arg2"));
        }

        (int[] order, float[] numbers) = Launch("--seed 3");
        Assert.That(order, Is.EquivalentTo(Enumerable.Range(0, 32)));
        (int[] same, float[] sameNumbers) = Launch("--seed 3 --schedule 3");
        Assert.That(same, Is.EqualTo(order));
        Assert.That(sameNumbers, Is.EqualTo(numbers));
        (int[] other, float[] otherNumbers) = Launch("--seed 3 --schedule 4");
        Assert.That(other, Is.Not.EqualTo(order).And.EquivalentTo(order));
        Assert.That(otherNumbers, Is.EqualTo(numbers));
    }

    [Test]
    public void The_number_of_workers_changes_neither_result_nor_report_nor_profile_nor_fault()
    {
        string saved = Path.Combine(folder.Path, "out.safetensors");
        string races = folder.Write("races.ptx", EmulatorHarness.Resource("races"));
        string[][] told = [.. new[] { 1, 2, 7 }.Select(workers => new[]
        {
            Succeed($"run {races} --workers {workers} --kernel blocks_meet --grid 24 --block 64 --arg i32[1536]=poison --arg u32[1]=zeros --arg i32[3072]=poison --save {saved}"),
            Convert.ToHexString(File.ReadAllBytes(saved)),
            Succeed($"profile {{bugs}} --workers {workers} --kernel off_by_one_repaired --grid 24 --block 64 --arg i32[1536]=iota --arg i32[1536]=poison --arg i32:1536 --json"),
            Address().Replace(Run($"run {{bugs}} --workers {workers} --kernel off_by_one --grid 24 --block 64 --arg i32[640]=iota --arg i32[640]=poison --arg i32:640").Error, "ADDRESS"),
        })];
        Assert.That(told[0][3], Does.Contain("in kernel off_by_one, block (10,0,0), thread (0,0,0)"), "the first of the blocks at fault");
        Assert.That(told[1], Is.EqualTo(told[0]));
        Assert.That(told[2], Is.EqualTo(told[0]));
    }

    [Test]
    public void A_profile_counts_what_ran()
    {
        const string Launch = "{bugs} --kernel off_by_one_repaired --grid 2 --block 64 --arg i32[128]=iota --arg i32[128]=poison --arg i32:128";
        string output = Succeed($"profile {Launch}");
        Assert.That(Row(output, "global bytes read"), Is.EqualTo("global bytes read 512"));
        Assert.That(output, Does.Contain("100.0 % sector efficiency").And.Contain("bound by memory"));

        using JsonDocument json = JsonDocument.Parse(Succeed($"profile {Launch} --json"));
        JsonElement root = json.RootElement;
        Assert.That(root.GetProperty("kernel").GetString(), Is.EqualTo("off_by_one_repaired"));
        Assert.That(root.GetProperty("grid").EnumerateArray().Select(static extent => extent.GetInt32()), Is.EqualTo(new[] { 2, 1, 1 }));
        Assert.That(root.GetProperty("global_bytes_written").GetInt64(), Is.EqualTo(512));
        Assert.That(root.GetProperty("global_sectors").GetInt64(), Is.EqualTo(32), "128 numbers of 4 bytes, read and written, in sectors of 32 bytes");
        Assert.That(root.GetProperty("roofline").GetProperty("A100").GetProperty("bound").GetString(), Is.EqualTo("memory"));
        Assert.That(root.GetProperty("roofline").GetProperty("A100").GetProperty("seconds").GetDouble(), Is.EqualTo(1024 / 1555e9).Within(1e-15));
    }

    [GeneratedRegex("0x[0-9A-F]+")]
    private static partial Regex Address();

    private CommandResult Run(string line) => SprintCommand.Run(["kernels", .. Split(line)]);

    private string Succeed(string line) => SprintCommand.Succeed(["kernels", .. Split(line)]);

    private string[] Split(string line) => [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Place)];

    private string Place(string text) => text
        .Replace("{bugs}", Path.Combine(folder.Path, "bugs.ptx"), StringComparison.Ordinal)
        .Replace("{folder}", folder.Path, StringComparison.Ordinal);

    /// <summary>The row of a table that begins so, with single spaces.</summary>
    private static string Row(string output, string beginning) =>
        output.Split('\n').Select(static line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Trim()).First(line => line.StartsWith(beginning, StringComparison.Ordinal));
}
