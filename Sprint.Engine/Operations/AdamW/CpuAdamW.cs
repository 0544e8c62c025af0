using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary>
/// <see cref="AdamW"/> on the CPU: one run over pieces of all parameters, each number read and written once. The cut into
/// pieces is made once and kept.
/// </summary>
internal sealed unsafe class CpuAdamW(CpuDevice device) : IAdamWKernels
{
    private const int Piece = 8192;
    private Piecewise[] pieces = [];
    private IReadOnlyList<AdamWState>? cutFor;
    private AdamWSettings settings;

    public void GradientNorm(IReadOnlyList<AdamWState> states, Tensor norm)
    {
        Cut(states);
        using Tensor partials = device.Workspace(new Shape(pieces.Length));
        fixed (Piecewise* all = pieces)
        {
            var job = new NormJob(all, (float*)partials.Address);
            device.Pool.Run(ref job, pieces.Length);
        }

        double sum = 0;
        for (int i = 0; i < pieces.Length; i++)
        {
            sum += ((float*)partials.Address)[i];
        }

        *(float*)norm.Address = (float)Math.Sqrt(sum);
    }

    public void Configure(in AdamWSettings settings) => this.settings = settings;

    public void Update(IReadOnlyList<AdamWState> states, Tensor norm)
    {
        float measured = *(float*)norm.Address;
        if (!float.IsFinite(measured))
        {
            return;
        }

        Cut(states);
        double clip = Math.Min(1, settings.MaximumNorm / (measured + 1e-6));
        fixed (Piecewise* all = pieces)
        {
            var job = new UpdateJob(all, settings, (float)clip);
            device.Pool.Run(ref job, pieces.Length);
        }
    }

    public void Forget(IReadOnlyList<AdamWState> states)
    {
        if (ReferenceEquals(cutFor, states))
        {
            (pieces, cutFor) = ([], null);
        }
    }

    private void Cut(IReadOnlyList<AdamWState> states)
    {
        // Gradients keep their address from the first backward pass on: they belong to the parameters.
        if (ReferenceEquals(cutFor, states))
        {
            return;
        }

        var cut = new List<Piecewise>();
        foreach (AdamWState state in states)
        {
            long count = state.Parameter.Value.Count;
            for (long start = 0; start < count; start += Piece)
            {
                cut.Add(new Piecewise
                {
                    Value = (float*)state.Parameter.Value.Address + start,
                    Gradient = (float*)state.Parameter.Gradient.Address + start,
                    First = (float*)state.FirstMoment.Address + start,
                    Second = (float*)state.SecondMoment.Address + start,
                    Average = (float*)state.Average.Address + start,
                    Count = (int)Math.Min(Piece, count - start),
                });
            }
        }

        pieces = [.. cut];
        cutFor = states;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Piecewise
    {
        internal float* Value;
        internal float* Gradient;
        internal float* First;
        internal float* Second;
        internal float* Average;
        internal int Count;
    }

    private readonly struct NormJob(Piecewise* pieces, float* partials) : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            Piecewise piece = pieces[index];
            Vector512<float> sum = default;
            for (int i = 0; i < piece.Count; i += Lanes.Count)
            {
                Vector512<float> gradient = Lanes.Load(piece.Gradient + i, piece.Count - i);
                sum = Vector512.FusedMultiplyAdd(gradient, gradient, sum);
            }

            partials[index] = Lanes.Sum(sum);
        }
    }

    private readonly struct UpdateJob : IWorkerJob
    {
        private readonly Piecewise* pieces;
        private readonly float clip;
        private readonly float beta1;
        private readonly float beta2;
        private readonly float oneMinusBeta1;
        private readonly float oneMinusBeta2;
        private readonly float stepSize;
        private readonly float rootCorrection;
        private readonly float epsilon;
        private readonly float keep;
        private readonly float decay;
        private readonly float oneMinusDecay;

        internal UpdateJob(Piecewise* pieces, in AdamWSettings settings, float clip)
        {
            this.pieces = pieces;
            this.clip = clip;
            (beta1, beta2) = ((float)settings.Beta1, (float)settings.Beta2);
            (oneMinusBeta1, oneMinusBeta2) = ((float)(1 - settings.Beta1), (float)(1 - settings.Beta2));
            stepSize = (float)(settings.LearningRate / (1 - Math.Pow(settings.Beta1, settings.Step)));
            rootCorrection = (float)(1 / Math.Sqrt(1 - Math.Pow(settings.Beta2, settings.Step)));
            epsilon = (float)settings.Epsilon;
            keep = (float)(1 - (settings.LearningRate * settings.WeightDecay));
            decay = (float)settings.AverageDecay;
            oneMinusDecay = (float)(1 - settings.AverageDecay);
        }

        public void Execute(int index, int worker)
        {
            Piecewise piece = pieces[index];
            for (int i = 0; i < piece.Count; i += Lanes.Count)
            {
                int left = piece.Count - i;
                Vector512<float> gradient = Lanes.Load(piece.Gradient + i, left) * clip;
                Vector512<float> first = (Lanes.Load(piece.First + i, left) * beta1) + (gradient * oneMinusBeta1);
                Vector512<float> second = (Lanes.Load(piece.Second + i, left) * beta2) + (gradient * gradient * oneMinusBeta2);
                Vector512<float> denominator = (Vector512.Sqrt(second) * rootCorrection) + Vector512.Create(epsilon);
                Vector512<float> value = (Lanes.Load(piece.Value + i, left) * keep) - (first / denominator * stepSize);
                Vector512<float> average = (Lanes.Load(piece.Average + i, left) * decay) + (value * oneMinusDecay);
                Lanes.Store(first, piece.First + i, left);
                Lanes.Store(second, piece.Second + i, left);
                Lanes.Store(value, piece.Value + i, left);
                Lanes.Store(average, piece.Average + i, left);
            }
        }
    }
}
