using NUnit.Framework;
using Sprint.Bench.Peers;
using Sprint.Bench.Results;
using Sprint.Bench.Steps;
using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Tests.Bench;

/// <summary>The comparison with another library; the library itself is built in only on request.</summary>
internal sealed class PeersCommandTests
{
    private static readonly ModelConfiguration Model = new() { ContextSize = 8, HiddenSize = 16, NumHeads = 2, EncoderDepth = 1, MiddleDepth = 1, DecoderDepth = 1 };

    [Test]
    public void Without_the_library_the_command_says_how_to_build_it_in() => Assert.That(
        () => PeerLibrary.Load(1),
        Throws.TypeOf<SprintException>().With.Message.EqualTo(
            "this program was built without libtorch, which is 600 MB to download: build it in with dotnet run -c Release --project Sprint.Bench -p:Peers=true -- peers"));

    [TestCase("libstdc++.so.6: version `GLIBCXX_3.4.32' not found\n(required by x)", "libtorch cannot be loaded on this machine: it needs the libstdc++ of GCC 13")]
    [TestCase("no such file", "libtorch cannot be loaded on this machine: no such file")]
    public void A_native_library_that_cannot_be_loaded_is_explained_in_one_sentence(string reason, string sentence)
    {
        SprintException explained = PeerLibrary.CannotLoad(new TypeInitializationException("torch", new DllNotFoundException(reason)));
        Assert.That(explained.Message, Does.StartWith(sentence).And.Not.Contain("\n"));
    }

    [Test]
    public void A_library_that_was_never_there_has_no_reason_to_fail() => Assert.That(PeerLibrary.LoadingFailure(), Is.Null);

    [Test]
    public void Steps_and_products_of_both_are_measured_and_the_agreement_told()
    {
        Fake peer = new();
        BenchResults results = PeersCommand.Run(peer, new StepRequest(Model, [0, 0.75], Batch: 2, Trains: true, Rounds: 7, Warmup: 1, Profiles: false), threads: 1);
        Assert.That(results.Tables[0].Rows.Select(row => row[0]), Is.EqualTo(new[]
        {
            "step drop 0 batch 2", "step drop 0.75 batch 2", "product 32 x 48 x 16", "product 32 x 16 x 16", "product 32 x 64 x 16", "product 32 x 16 x 64",
        }));
        Assert.That(results.Measurements.Select(found => found.Samples!.Count), Is.All.EqualTo(7));

        // A warm-up, and one not measured at the start of each of two blocks.
        Assert.That(peer.Steps, Is.EqualTo(new[] { (16, 10), (4, 10) }));
        Assert.That(peer.Products, Is.EqualTo(4 * 10));
        Assert.That(results.Notes, Has.Some.Contains("differ by 1.0E-006"));
    }

    private sealed class Fake : IPeer, IPeerStep
    {
        private readonly List<int> kept = [];

        public string Name => "a peer";

        public int Products { get; private set; }

        public IEnumerable<(int Kept, int Count)> Steps => kept.GroupBy(count => count).Select(group => (group.Key, group.Count()));

        public IPeerStep CreateStep(ModelConfiguration model, int batch, out double difference)
        {
            difference = 1e-6;
            return this;
        }

        public Action CreateProduct(int m, int n, int k) => () => Products++;

        public void Run(DropPattern pattern) => kept.Add(pattern.KeptTokens);

        public void Dispose()
        {
        }
    }
}
