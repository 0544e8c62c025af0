namespace Sprint.Engine.Operations;

/// <summary>
/// AdamW with clipping by the global norm and an exponential moving average, over all trainable parameters in one pass:
/// clip, <c>m = b1 m + (1-b1) g</c>, <c>v = b2 v + (1-b2) g^2</c>,
/// <c>p = p (1 - lr wd) - lr (m / (1-b1^k)) / (sqrt(v / (1-b2^k)) + eps)</c>, average, and p rounded to its bfloat16 shadow where it has one.
/// Frozen parameters are left alone.
/// Source: SPRINT.md section 4.
/// </summary>
public sealed class AdamW : IDisposable
{
    private const string Name = "adamw";
    private readonly Device device;
    private readonly List<AdamWState> states = [];
    private readonly long shadowBytes;
    private bool measured;

    /// <summary>Creates the optimizer: moments zero, averages copies of the values as they are now.</summary>
    /// <param name="device">Where the parameters live.</param>
    /// <param name="parameters">All parameters; frozen ones are skipped.</param>
    public AdamW(Device device, IEnumerable<Parameter> parameters)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(parameters);
        this.device = device;
        try
        {
            foreach (Parameter parameter in parameters)
            {
                if (parameter.Trainable)
                {
                    AdamWState state = new(parameter);
                    states.Add(state);
                    state.Begin();
                    Elements += parameter.Value.Count;
                    shadowBytes += parameter.Shadow.Bytes;
                }
            }

            Norm = device.Allocate(new Shape(1), ElementType.Float32, MemoryCategory.Optimizer);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Each trainable parameter with its moments and average, in the order of the parameters.</summary>
    public IReadOnlyList<AdamWState> States => states;

    /// <summary>How many numbers are learned.</summary>
    public long Elements { get; }

    /// <summary>(1): the global norm of the gradients before clipping, as <see cref="MeasureNorm"/> found it.</summary>
    public Tensor Norm { get; }

    /// <summary>Computes <see cref="Norm"/> of the gathered gradients.</summary>
    public void MeasureNorm()
    {
        foreach (AdamWState state in states)
        {
            // A parameter that no backward pass reached has a zero gradient, not an undefined one.
            _ = state.Parameter.Gradient;
        }

        using Account.Scope scope = device.Account.Enter(ComputePass.Optimizer, device.Account.Part);
        if (device.Dispatch(new OperationCost("gradient norm", 0, 2 * Elements, sizeof(float) * Elements, Norm.Bytes)))
        {
            device.Kernels<IAdamWKernels>().GradientNorm(states, Norm);
        }

        measured = true;
    }

    /// <summary>Applies the gathered gradients, clipped by <see cref="Norm"/>, and forgets them. A norm that is not finite changes nothing.</summary>
    /// <param name="settings">The numbers of this update.</param>
    /// <exception cref="InvalidOperationException"><see cref="MeasureNorm"/> was not called for these gradients.</exception>
    public void Update(in AdamWSettings settings)
    {
        Configure(settings);
        Update();
    }

    /// <summary>Sets the numbers of the updates that follow; work that is replayed (<see cref="Device.Replay"/>) reads them anew each time.</summary>
    /// <param name="settings">The numbers.</param>
    public void Configure(in AdamWSettings settings)
    {
        if (device.Executes)
        {
            device.Kernels<IAdamWKernels>().Configure(settings);
        }
    }

    /// <summary>Applies the gathered gradients with the numbers that <see cref="Configure"/> set, and forgets them.</summary>
    /// <exception cref="InvalidOperationException"><see cref="MeasureNorm"/> was not called for these gradients.</exception>
    public void Update()
    {
        if (!measured)
        {
            throw new InvalidOperationException($"{Name}: call {nameof(MeasureNorm)} before each {nameof(Update)}");
        }

        var cost = new OperationCost(Name, 0, 18 * Elements, 5 * sizeof(float) * Elements, (4 * sizeof(float) * Elements) + shadowBytes);
        using Account.Scope scope = device.Account.Enter(ComputePass.Optimizer, device.Account.Part);
        if (device.Dispatch(cost))
        {
            device.Kernels<IAdamWKernels>().Update(states, Norm);
        }

        ForgetGradients();
    }

    /// <summary>Makes the next backward pass start anew.</summary>
    public void ForgetGradients()
    {
        measured = false;
        foreach (AdamWState state in states)
        {
            state.Parameter.ForgetGradient();
        }
    }

    /// <summary>Sets the moments to zero, as for a new run; values and averages stay.</summary>
    public void ResetMoments()
    {
        foreach (AdamWState state in states)
        {
            state.ResetMoments();
        }
    }

    /// <summary>Exchanges values and averages: once to draw samples, once more to go on training.</summary>
    public void SwapAverages()
    {
        foreach (AdamWState state in states)
        {
            using Tensor values = device.Allocate(state.Average.Shape);
            device.Copy(state.Parameter.Value, values);
            device.Copy(state.Average, state.Parameter.Value);
            device.Copy(values, state.Average);
            state.Parameter.UpdateShadow();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (device.Executes)
        {
            device.Kernels<IAdamWKernels>().Forget(states);
        }

        foreach (AdamWState state in states)
        {
            state.Dispose();
        }

        Norm.Dispose();
    }
}
