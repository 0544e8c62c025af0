using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Network;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;
using Tensor = TorchSharp.torch.Tensor;

namespace Sprint.Bench.Peers.Torch;

/// <summary>libtorch through TorchSharp.</summary>
internal sealed class TorchPeer : IPeer
{
    private const double Tolerance = 1e-4;

    /// <summary>Loads libtorch.</summary>
    /// <param name="threads">Threads that it may use.</param>
    public TorchPeer(int threads)
    {
        set_num_threads(threads);
        random.manual_seed(0);
    }

    /// <inheritdoc/>
    public string Name => $"libtorch {__version__}";

    /// <inheritdoc/>
    public IPeerStep CreateStep(ModelConfiguration model, int batch, out double difference)
    {
        using CpuDevice device = new();
        using SprintTransformer network = new(device, model);
        using RopeTable rope = new(device, model.GridSide, model.GridSide, model.HeadSize, model.RopeTheta);
        Randomize(network);
        Dictionary<string, Parameter> weights = network.Parameters.All.ToDictionary(
            static parameter => parameter.Name,
            static parameter => new Parameter(tensor(parameter.Value.ToArray(), Dimensions(parameter.Value.Shape)), parameter.Trainable));
        TorchModel peer = new(model, weights, Table(rope.Cosines), Table(rope.Sines));
        difference = Difference(network, peer, model);
        return difference <= Tolerance
            ? new TorchStep(model, peer, weights.Values, batch)
            : throw new SprintException($"libtorch's model does not compute what Sprint's does: their velocities differ by {difference:E1} of the largest, more than {Tolerance:E0}");
    }

    /// <inheritdoc/>
    public Action CreateProduct(int m, int n, int k)
    {
        (Tensor a, Tensor b) = (randn(m, k), randn(n, k));
        return () =>
        {
            using var off = no_grad();
            using Tensor transposed = b.t();
            using Tensor product = a.matmul(transposed);
        };
    }

    /// <summary>Fresh weights are zero in places, where any two models agree: all of them get random numbers.</summary>
    private static void Randomize(SprintTransformer network)
    {
        Random numbers = new(1);
        foreach (Engine.Parameter parameter in network.Parameters.All)
        {
            float[] values = new float[parameter.Value.Count];
            for (int i = 0; i < values.Length; i++)
                values[i] = (parameter.Name.EndsWith("norm.weight", StringComparison.Ordinal) ? 1 : 0) + (0.2f * (numbers.NextSingle() - 0.5f));
            parameter.Value.CopyFrom<float>(values);
            parameter.UpdateShadow();
        }
    }

    private static double Difference(SprintTransformer network, TorchModel peer, ModelConfiguration model)
    {
        Random numbers = new(2);
        Shape shape = new(2, model.InChannels, model.ContextSize, model.ContextSize);
        float[] images = [.. Enumerable.Range(0, (int)shape.Count).Select(_ => numbers.NextSingle() - 0.5f)];
        using Engine.Tensor image = network.Device.From(shape, images);
        using Engine.Tensor times = network.Device.From(new Shape(2), [0.25f, 0.75f]);
        using Engine.Tensor labels = network.Device.From(new Shape(2), [0, model.NumClasses - 1]);
        Capture seen = new();
        network.Forward(null, image, times, labels, TokenSelection.Dense, seen).Dispose();
        using var off = no_grad();
        using Tensor output = peer.Forward(
            tensor(seen.Values["tokens_in"], [2, model.Tokens, model.PatchFeatures]), tensor([0.25f, 0.75f]), tensor([0L, model.NumClasses - 1]), ids: null);
        float[] own = seen.Values["final_tokens"];
        float[] other = output.data<float>().ToArray();
        return own.Zip(other, static (x, y) => (double)Math.Abs(x - y)).Max() / own.Max(static x => Math.Abs(x));
    }

    private static Tensor Table(Engine.Tensor table) => tensor(table.ToArray(), Dimensions(table.Shape));

    private static long[] Dimensions(Shape shape) => [.. Enumerable.Range(0, shape.Rank).Select(i => (long)shape[i])];

    private sealed class Capture : IActivationObserver
    {
        public Dictionary<string, float[]> Values { get; } = [];

        public void Observe(string name, Engine.Tensor value)
        {
            if (name is "tokens_in" or "final_tokens")
                Values[name] = value.ToArray();
        }
    }
}
