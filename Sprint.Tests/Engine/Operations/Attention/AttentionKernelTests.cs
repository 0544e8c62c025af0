using NUnit.Framework;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;
using Sprint.Engine.Operations;

namespace Sprint.Tests.Engine.Operations.Attention;

/// <summary>Fused attention's kernels, executed from NVRTC's PTX, against double precision.</summary>
[TestFixture]
public sealed class AttentionKernelTests
{
    // Batch, tokens, heads, head size: one token, ragged tiles, more tokens than a tile of queries, every kind of head.
    private static readonly int[][] Shapes =
    [
        [1, 1, 1, 72], [2, 16, 2, 32], [1, 17, 3, 36], [2, 64, 2, 72], [1, 64, 1, 64], [1, 113, 2, 72], [1, 147, 1, 64], [1, 147, 2, 36],
        [1, 70, 1, 128], [1, 129, 1, 100], [1, 65, 1, 80], [1, 256, 1, 72],
    ];

    private static IEnumerable<object[]> Cases =>
        from shape in Shapes
        from norm in (bool[])[true, false]
        from ids in (bool[])[true, false]
        where shape[1] <= 64 || norm == ids
        select new object[] { shape[0], shape[1], shape[2], shape[3], norm, ids };

    private static readonly string[] Elements = [KernelCatalog.FloatElement, KernelCatalog.BFloat16Element];

    [TestCaseSource(nameof(Cases))]
    public void In_bfloat16_errors_are_at_most_twice_those_of_the_plain_implementation(int batch, int tokens, int heads, int headSize, bool norm, bool ids)
    {
        AttentionSample sample = new(KernelCatalog.BFloat16Element, batch, tokens, heads, headSize, norm, ids);
        using EmulatedAttention attention = new(sample);
        AttentionComparison.AssertRight(sample, attention.Run());
    }

    [TestCaseSource(nameof(Cases))]
    public void In_float32_values_and_gradients_agree_with_double_precision(int batch, int tokens, int heads, int headSize, bool norm, bool ids)
    {
        AttentionSample sample = new(KernelCatalog.FloatElement, batch, tokens, heads, headSize, norm, ids);
        using EmulatedAttention attention = new(sample);
        AttentionComparison.AssertRight(sample, attention.Run());
    }

    // With the shapes above, heads of each remainder by 16 on each side of the sizes at which AttentionTiles changes its tiles: 80, and in bfloat16 96. Two tiles of rows, one row in the second.
    [TestCase(KernelCatalog.FloatElement, 76)]
    [TestCase(KernelCatalog.FloatElement, 88)]
    [TestCase(KernelCatalog.FloatElement, 124)]
    [TestCase(KernelCatalog.BFloat16Element, 76)]
    [TestCase(KernelCatalog.BFloat16Element, 84)]
    [TestCase(KernelCatalog.BFloat16Element, 88)]
    [TestCase(KernelCatalog.BFloat16Element, 92)]
    [TestCase(KernelCatalog.BFloat16Element, 96)]
    [TestCase(KernelCatalog.BFloat16Element, 104)]
    [TestCase(KernelCatalog.BFloat16Element, 124)]
    public void Heads_of_every_kind_are_right(string element, int headSize)
    {
        int tokens = new AttentionTiles(element, 1, 1, 1, headSize).Rows + 1;
        AttentionSample sample = new(element, 1, tokens, 1, headSize, Norm: true, UsesIds: true);
        using EmulatedAttention attention = new(sample);
        AttentionComparison.AssertRight(sample, attention.Run());
    }

    // The emulator stops at races and at reads of what was never written.
    [Test]
    public void Bits_do_not_depend_on_the_order_in_which_warps_run([ValueSource(nameof(Elements))] string element, [Values(1, 2, 3)] int seed)
    {
        AttentionSample sample = new(element, 2, 147, 2, 72, Norm: true, UsesIds: true);
        using EmulatedAttention first = new(sample), other = new(sample, (ulong)seed);
        AttentionComparison.AssertSame(other.Run(), first.Run());
    }

    // Four times the tokens are four times the blocks with four times the turns: conflicts only grow with the blocks if no turn has any.
    [Test]
    public void The_main_loops_have_no_bank_conflicts([Values(32, 64, 72, 128)] int headSize, [ValueSource(nameof(Elements))] string element)
    {
        AttentionSample small = new(element, 1, 128, 1, headSize, Norm: true, UsesIds: true);
        using EmulatedAttention few = new(small), many = new(small with { Tokens = 512 });
        few.Run();
        many.Run();
        foreach ((string kernel, LaunchStatistics statistics) in many.Statistics)
            Assert.That(statistics.SharedBankConflicts, Is.EqualTo(4 * few.Statistics[kernel].SharedBankConflicts), kernel);
        if (element == KernelCatalog.FloatElement)
        {
            return;
        }

        Assert.That(many.Statistics["attention_forward"].SharedBankConflicts, Is.Zero);
        Assert.That(many.Statistics["attention_backward_dkv"].TensorFlops, Is.EqualTo(2L * 4 * 512 * 512 * headSize), "products without padding");
    }
}
