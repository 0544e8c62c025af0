using System.CommandLine;
using System.Diagnostics;
using Sprint.Bench.Counting;
using Sprint.Bench.Results;
using Sprint.Bench.Steps;
using Sprint.Engine;
using Sprint.Engine.Cpu;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;

namespace Sprint.Bench.Peers;

/// <summary>The command <c>peers</c>: training steps and matrix products beside libtorch, in turn in one run.</summary>
internal static class PeersCommand
{
    private const int BlockLength = 5;
    private const int Pause = 300;
    private static readonly double[] CustomaryRatios = [0, 0.75];

    /// <summary>Creates the command.</summary>
    /// <returns>The command, to be added to the root.</returns>
    public static Command Create()
    {
        StepModelOptions model = new();
        Option<int> batch = Arguments.Number("--batch", "Images in a step.", 32, 1, 1 << 16);
        Option<int> threads = Arguments.Threads();
        Option<int> steps = Arguments.Number("--steps", "How many steps of each are measured.", 15, 1, 100_000);
        Option<int> warmup = Arguments.Number("--warmup", "How many steps of each run before.", 4, 0, 100_000);
        OutputOptions output = new(hasChart: false);
        Command command = new(
            "peers",
            $"""
            Times training steps and the matrix products of linear layers beside libtorch on the CPU, in turn in one run, after checking that both compute the same velocity
            from the same weights. libtorch is built in only on request:
              {PeerLibrary.HowToBuild}
            Examples:
              peers
              peers --hidden 256 --heads 4 --side 16 --patch 2 --batch 16 --mid 8 --drop 0,0.75 --json peers.json
            """) { batch, threads, steps, warmup };
        model.AddTo(command);
        output.AddTo(command);
        command.SetAction(result =>
        {
            output.Check(result);
            IPeer peer = PeerLibrary.Load(result.GetValue(threads));
            double[] ratios = result.GetResult(model.Drop)!.Implicit ? CustomaryRatios : result.GetValue(model.Drop)!;
            StepRequest request = new(model.Read(result), ratios, result.GetValue(batch), Trains: true, result.GetValue(steps), result.GetValue(warmup), Profiles: false);
            output.Write(Run(peer, request, result.GetValue(threads)), result);
            return 0;
        });
        return command;
    }

    /// <summary>Measures.</summary>
    /// <param name="peer">The other library.</param>
    /// <param name="request">What.</param>
    /// <param name="threads">Threads of both.</param>
    public static BenchResults Run(IPeer peer, StepRequest request, int threads)
    {
        using CpuDevice device = new(threads);
        using StepRunner own = new(device, request.Model, request.Batch, trains: true);
        using IPeerStep other = peer.CreateStep(request.Model, request.Batch, out double difference);
        DropPattern[] patterns = [.. request.Ratios.Select(ratio => ModelOptions.Pattern(request.Model, ratio))];
        (int M, int N, int K)[] products = Products(request.Model, request.Batch);
        int turns = request.Rounds + request.Warmup;
        Pair[] pairs = ProgressDisplay.Run($"{patterns.Length * turns} steps and {products.Length * turns} products of each", (patterns.Length + products.Length) * turns, done => (Pair[])
        [
            .. patterns.Select(pattern => Time($"step drop {Text.Ratio(1 - ((double)pattern.KeptTokens / pattern.Tokens))} batch {request.Batch}", 0, () => own.Run(pattern), () => other.Run(pattern), request, done)),
            .. products.Select(product => Time(peer, product, threads, request, done)),
        ]);
        return new BenchResults
        {
            Command = "peers",
            Title = "Beside libtorch",
            Subject = $"{FlopsCommand.Describe(request.Model, own.Parameters)}, batch {request.Batch}, float32; {peer.Name}",
            Device = $"cpu: {threads} threads each",
            Measurements =
            [
                .. pairs.SelectMany(static pair => new[]
                {
                    Measurement.Of($"{pair.Name}: Sprint", "s", Better.Lower, pair.Own),
                    Measurement.Of($"{pair.Name}: peer", "s", Better.Lower, pair.Peer),
                }),
            ],
            Tables = [Table(pairs, peer)],
            Notes =
            [
                $"medians of {request.Rounds} runs of each, {BlockLength} of one and of the other in turn; the ratio is the median of the runs' ratios, above 1 where Sprint is faster",
                $"velocities from the same weights differ by {difference:E1} of the largest",
                "the peer pads the sparse path and drops tokens at random; both clip gradients; Sprint's step includes the moving average, the peer's does not",
            ],
        };
    }

    /// <summary>The products of a model's linear layers over all rows.</summary>
    private static (int M, int N, int K)[] Products(ModelConfiguration model, int batch)
    {
        (int rows, int width) = (batch * model.Tokens, model.HiddenSize);
        return [(rows, 3 * width, width), (rows, width, width), (rows, model.MlpWidth, width), (rows, width, model.MlpWidth)];
    }

    private static Pair Time(IPeer peer, (int M, int N, int K) product, int threads, StepRequest request, Action done)
    {
        using GemmOperands operands = new(product.M, product.N, product.K, "nt");
        using WorkerPool pool = new(threads);
        return Time(
            $"product {product.M} x {product.N} x {product.K}", 2.0 * product.M * product.N * product.K, () => operands.Multiply(pool, "none"), peer.CreateProduct(product.M, product.N, product.K), request, done);
    }

    /// <summary>
    /// Blocks of runs of one and of the other in turn: threads of a library wait actively for a while for its next work, and would take the cores from the other's, so each block
    /// begins with a pause and with a run that is not measured.
    /// </summary>
    private static Pair Time(string name, double flops, Action own, Action other, StepRequest request, Action done)
    {
        Pair pair = new(name, flops, new double[request.Rounds], new double[request.Rounds]);
        for (int i = 0; i < request.Warmup; i++)
        {
            own();
            other();
            done();
        }

        for (int first = 0; first < request.Rounds; first += BlockLength)
        {
            int last = Math.Min(first + BlockLength, request.Rounds);
            Block(own, pair.Own.AsSpan(first..last));
            Block(other, pair.Peer.AsSpan(first..last));
            for (int i = first; i < last; i++)
                done();
        }

        return pair;
    }

    private static void Block(Action action, Span<double> seconds)
    {
        Thread.Sleep(Pause);
        action();
        foreach (ref double measured in seconds)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            measured = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    private static ResultTable Table(IReadOnlyList<Pair> pairs, IPeer peer) => new(
        $"Sprint and {peer.Name}",
        ["what", "Sprint", "+/-", peer.Name, "+/-", "ratio", "from", "to", "GFLOP/s, Sprint", "GFLOP/s, peer"],
        [.. pairs.Select(static pair =>
        {
            (Spread own, Spread other) = (Spread.Of(pair.Own), Spread.Of(pair.Peer));
            Spread ratio = Spread.Of([.. pair.Peer.Zip(pair.Own, static (theirs, ours) => theirs / ours)]);
            return (IReadOnlyList<string>)
            [
                pair.Name, Text.Seconds(own.Median), Text.Percent(own.Relative), Text.Seconds(other.Median), Text.Percent(other.Relative),
                Text.Significant(ratio.Median), Text.Significant(ratio.Lower), Text.Significant(ratio.Upper),
                pair.Flops > 0 ? $"{pair.Flops / own.Median / 1e9:F1}" : "", pair.Flops > 0 ? $"{pair.Flops / other.Median / 1e9:F1}" : "",
            ];
        })]);

    private sealed record Pair(string Name, double Flops, double[] Own, double[] Peer);
}
