using Sprint.Engine;
using Sprint.Engine.Operations;
using Sprint.Model.Checkpoints;
using Sprint.Model.Network;
using Sprint.Model.Sampling;

namespace Sprint.Model.Verification;

/// <summary>The samplers' latents and the model's outputs at each step, for each case in the file's metadata.</summary>
internal sealed class GoldenSampling(Func<bool, SprintTransformer> loadModel, SafetensorsFile file)
{
    private const int MaximumSteps = 100_000;

    internal IReadOnlyList<GoldenCase> Run(string name)
    {
        SamplerKind kind = name switch
        {
            "sample_ode" => SamplerKind.Ode,
            "sample_sde" => SamplerKind.Sde,
            _ => throw new SprintException($"{file.Path}: sampler '{name["sample_".Length..]}' is not known: there are ode and sde"),
        };
        IReadOnlyList<GoldenSamplingCase> cases = GoldenSamplingCase.ReadAll(file);
        using SprintTransformer model = loadModel(false);
        return [.. cases.Select(settings => Run($"{name} {settings.Name}", settings, model, kind))];
    }

    private GoldenCase Run(string name, GoldenSamplingCase settings, SprintTransformer model, SamplerKind kind)
    {
        var comparisons = new List<TensorComparison>();
        string key = settings.Name;
        var outputs = new List<float>();
        var guided = new GuidedModel(model, file.Labels("y", model.Configuration))
        {
            Guidance = settings.PathDrop ? GuidanceKind.Pdg : GuidanceKind.Cfg,
            Scale = settings.Scale,
            Low = settings.Low,
            High = settings.High,
            ModelEvaluated = (_, values) => outputs.AddRange(values.Span),
        };
        double[] state = [.. file.ReadFloats("latents").Select(value => (double)value)];
        Require("latents", state.Length, guided.StateLength, state.Length == guided.StateLength);
        int steps = file.Integer("num_steps", 1, MaximumSteps);
        var observer = new Observer(file, key, outputs, comparisons);
        float[] noise = kind == SamplerKind.Sde ? file.ReadFloats("noise") : [];
        if (kind == SamplerKind.Sde)
        {
            // The last step adds none.
            long wanted = (steps - 1) * (long)state.Length;
            Require("noise", noise.Length, wanted, noise.Length >= wanted);
        }

        Sampler.Run(guided, state, kind, steps, FlowPath.Linear, Draw, observer);
        comparisons.Add(TensorComparison.Absolute($"{key}.t_model", observer.Times.ToArray(), file.ReadFloats($"{key}.t_model"), GoldenTolerances.Output));
        comparisons.Add(TensorComparison.Absolute($"{key}.final", Narrow(state), file.ReadFloats($"{key}.final"), GoldenTolerances.Latent));
        return new GoldenCase(name, comparisons);

        void Require(string tensor, long numbers, long wanted, bool enough)
        {
            if (!enough)
            {
                throw new SprintException($"{file.Path}: tensor '{tensor}' holds {numbers} numbers where {wanted} are wanted");
            }
        }

        void Draw(int step, Span<double> values)
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = noise[(step * values.Length) + i];
            }
        }
    }

    private static float[] Narrow(ReadOnlySpan<double> values)
    {
        var narrow = new float[values.Length];
        for (int i = 0; i < narrow.Length; i++)
        {
            narrow[i] = (float)values[i];
        }

        return narrow;
    }

    private sealed class Observer(SafetensorsFile file, string key, List<float> outputs, List<TensorComparison> comparisons)
        : ISamplerObserver
    {
        internal List<float> Times { get; } = [];

        public void Step(int step, double time, ReadOnlySpan<double> state)
        {
            Times.Add((float)time);
            Compare("x", Narrow(state), GoldenTolerances.Latent);
            Compare("v", outputs.ToArray(), GoldenTolerances.Output);
            outputs.Clear();

            void Compare(string tensor, float[] actual, double tolerance)
            {
                string name = $"{key}.step.{step}.{tensor}";
                comparisons.Add(TensorComparison.Absolute(name, actual, file.ReadFloats(name), tolerance) with { Trajectory = tensor });
            }
        }
    }
}
