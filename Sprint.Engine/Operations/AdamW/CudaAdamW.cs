using System.Runtime.InteropServices;
using Sprint.Engine.Cuda;

namespace Sprint.Engine.Operations;

/// <summary>
/// <see cref="AdamW"/> by the kernels of kernels/adamw.cu: one launch over pieces of all parameters. The cut into pieces is made once
/// for each optimizer and stays where it is, as captured work has its address built in.
/// </summary>
internal sealed class CudaAdamW(CudaDevice device) : IAdamWKernels
{
    private const int Threads = 256;
    private const int PieceElements = 8192;

    private readonly CudaKernelFamily kernels = new(device, static _ => KernelCatalog.AdamW);
    private readonly Dictionary<IReadOnlyList<AdamWState>, CudaDeviceVariable<Piece>?> cuts = [];
    private CudaDeviceVariable<Settings>? numbers;

    public void GradientNorm(IReadOnlyList<AdamWState> states, Tensor norm)
    {
        if (Cut(states) is not { } cut)
        {
            device.Clear(norm);
            return;
        }

        int count = (int)cut.Length;
        using Tensor partial = device.Workspace(new Shape(count));
        kernels.Launch(ElementType.Float32, "adamw_gradient_norm", count, Threads, new KernelArguments { cut, partial });
        kernels.Launch(ElementType.Float32, "adamw_gradient_norm_reduce", 1, Threads, new KernelArguments { partial, norm, count });
    }

    public void Configure(in AdamWSettings settings)
    {
        numbers ??= device.Own(new CudaDeviceVariable<Settings>(device.Context, 1));
        device.Upload(numbers, new Settings(settings));
    }

    public void Update(IReadOnlyList<AdamWState> states, Tensor norm)
    {
        if (Cut(states) is { } cut)
        {
            kernels.Launch(
                ElementType.Float32,
                "adamw_update",
                (int)cut.Length,
                Threads,
                new KernelArguments { cut, norm, numbers ?? throw new InvalidOperationException($"adamw: call {nameof(Configure)} before {nameof(Update)}") });
        }
    }

    public void Forget(IReadOnlyList<AdamWState> states)
    {
        if (cuts.Remove(states, out CudaDeviceVariable<Piece>? pieces) && pieces is not null)
        {
            device.Disown(pieces);
        }
    }

    private CudaDeviceVariable<Piece>? Cut(IReadOnlyList<AdamWState> states)
    {
        // Gradients keep their address from the first backward pass on: they belong to the parameters.
        if (cuts.TryGetValue(states, out CudaDeviceVariable<Piece>? pieces))
        {
            return pieces;
        }

        var cut = new List<Piece>();
        foreach (AdamWState state in states)
        {
            long count = state.Parameter.Value.Count;
            for (long start = 0; start < count; start += PieceElements)
            {
                cut.Add(new Piece
                {
                    Value = At(state.Parameter.Value, start),
                    Gradient = At(state.Parameter.Gradient, start),
                    First = At(state.FirstMoment, start),
                    Second = At(state.SecondMoment, start),
                    Average = At(state.Average, start),
                    Shadow = state.Parameter.Shadow.IsEmpty ? DevicePointer.Null : At(state.Parameter.Shadow, start),
                    Count = Math.Min(PieceElements, count - start),
                });
            }
        }

        if (cut.Count > 0)
        {
            pieces = device.Own(new CudaDeviceVariable<Piece>(device.Context, cut.Count));
            try
            {
                pieces.CopyToDevice(CollectionsMarshal.AsSpan(cut), stream: device.Stream);
            }
            catch
            {
                device.Disown(pieces);
                throw;
            }
        }

        cuts.Add(states, pieces);
        return pieces;
    }

    private static DevicePointer At(Tensor tensor, long element) => new((ulong)(tensor.Address + (element * tensor.ElementType.Size())));

    /// <summary>As <c>piece</c> in the kernels.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Piece
    {
        internal DevicePointer Value;
        internal DevicePointer Gradient;
        internal DevicePointer First;
        internal DevicePointer Second;
        internal DevicePointer Average;
        internal DevicePointer Shadow;
        internal long Count;
    }

    /// <summary>As <c>update_settings</c> in the kernels.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Settings(in AdamWSettings settings)
    {
        private readonly float maximumNorm = (float)settings.MaximumNorm;
        private readonly float beta1 = (float)settings.Beta1;
        private readonly float beta2 = (float)settings.Beta2;
        private readonly float oneMinusBeta1 = (float)(1 - settings.Beta1);
        private readonly float oneMinusBeta2 = (float)(1 - settings.Beta2);
        private readonly float stepSize = (float)(settings.LearningRate / (1 - Math.Pow(settings.Beta1, settings.Step)));
        private readonly float rootCorrection = (float)(1 / Math.Sqrt(1 - Math.Pow(settings.Beta2, settings.Step)));
        private readonly float epsilon = (float)settings.Epsilon;
        private readonly float keep = (float)(1 - (settings.LearningRate * settings.WeightDecay));
        private readonly float decay = (float)settings.AverageDecay;
        private readonly float oneMinusDecay = (float)(1 - settings.AverageDecay);
    }
}
