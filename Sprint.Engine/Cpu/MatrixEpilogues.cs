using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>Adds one value for each column: <c>C = A B + bias</c>.</summary>
internal readonly unsafe struct BiasEpilogue : IMatrixEpilogue
{
    private readonly float* bias;

    /// <summary>Creates the epilogue.</summary>
    /// <param name="bias">One value for each column of C.</param>
    public BiasEpilogue(float* bias) => this.bias = bias;

    /// <inheritdoc/>
    public void Prefetch(int rowIndex, int rows, int column, int count)
    {
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply(float* row, int rowIndex, int column, int count)
    {
        float* bias = this.bias + column;
        int i = 0;
        for (; i + 16 <= count; i += 16)
            (Vector512.Load(row + i) + Vector512.Load(bias + i)).Store(row + i);
        if (i < count)
            VectorMemory.StorePartial(VectorMemory.LoadPartial(row + i, count - i) + VectorMemory.LoadPartial(bias + i, count - i), row + i, count - i);
    }
}

/// <summary>
/// Adds a bias, keeps the sum for the backward pass and applies an activation: <c>P = A B + bias, C = f(P)</c>.
/// </summary>
/// <typeparam name="TActivation">The function f.</typeparam>
internal readonly unsafe struct ActivationEpilogue<TActivation> : IMatrixEpilogue
    where TActivation : struct, IActivation
{
    private readonly float* bias;
    private readonly float* preactivation;
    private readonly long stride;

    /// <summary>Creates the epilogue.</summary>
    /// <param name="bias">One value for each column of C, or null for none.</param>
    /// <param name="preactivation">Where P is stored, row-major, of C's shape; or null where no backward pass follows.</param>
    /// <param name="stride">Elements from one row of P to the next.</param>
    public ActivationEpilogue(float* bias, float* preactivation, long stride)
    {
        this.bias = bias;
        this.preactivation = preactivation;
        this.stride = stride;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int rowIndex, int rows, int column, int count)
    {
        if (preactivation != null)
            VectorMemory.Prefetch(preactivation + (rowIndex * stride) + column, stride, rows, count);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply(float* row, int rowIndex, int column, int count)
    {
        float* bias = this.bias == null ? null : this.bias + column;
        float* preactivation = this.preactivation == null ? null : this.preactivation + (rowIndex * stride) + column;
        int i = 0;
        for (; i + 16 <= count; i += 16)
        {
            Vector512<float> sum = Vector512.Load(row + i);
            if (bias != null)
                sum += Vector512.Load(bias + i);
            if (preactivation != null)
                sum.Store(preactivation + i);
            TActivation.Value(sum).Store(row + i);
        }

        if (i == count)
            return;

        int left = count - i;
        Vector512<float> last = VectorMemory.LoadPartial(row + i, left);
        if (bias != null)
            last += VectorMemory.LoadPartial(bias + i, left);
        if (preactivation != null)
            VectorMemory.StorePartial(last, preactivation + i, left);
        VectorMemory.StorePartial(TActivation.Value(last), row + i, left);
    }
}

/// <summary>Goes backwards through an activation: <c>C = (A B) f'(P)</c>, elementwise.</summary>
/// <typeparam name="TActivation">The function f.</typeparam>
internal readonly unsafe struct ActivationDerivativeEpilogue<TActivation> : IMatrixEpilogue
    where TActivation : struct, IActivation
{
    private readonly float* preactivation;
    private readonly long stride;

    /// <summary>Creates the epilogue.</summary>
    /// <param name="preactivation">P as the forward pass stored it, row-major, of C's shape.</param>
    /// <param name="stride">Elements from one row of P to the next.</param>
    public ActivationDerivativeEpilogue(float* preactivation, long stride)
    {
        this.preactivation = preactivation;
        this.stride = stride;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int rowIndex, int rows, int column, int count) =>
        VectorMemory.Prefetch(preactivation + (rowIndex * stride) + column, stride, rows, count);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply(float* row, int rowIndex, int column, int count)
    {
        float* preactivation = this.preactivation + (rowIndex * stride) + column;
        int i = 0;
        for (; i + 16 <= count; i += 16)
            (Vector512.Load(row + i) * TActivation.Derivative(Vector512.Load(preactivation + i))).Store(row + i);
        if (i == count)
            return;

        int left = count - i;
        Vector512<float> derivative = TActivation.Derivative(VectorMemory.LoadPartial(preactivation + i, left));
        VectorMemory.StorePartial(VectorMemory.LoadPartial(row + i, left) * derivative, row + i, left);
    }
}

/// <summary>
/// Adds a bias, keeps the sum for the backward pass and multiplies it with an activated gate: <c>X = A B + bias, C = SiLU(G) X</c>, elementwise.
/// </summary>
internal readonly unsafe struct GateEpilogue : IMatrixEpilogue
{
    private readonly float* bias;
    private readonly float* gate;
    private readonly float* linear;
    private readonly long stride;

    /// <summary>Creates the epilogue.</summary>
    /// <param name="bias">One value for each column of C, or null for none.</param>
    /// <param name="gate">G, row-major, of C's shape.</param>
    /// <param name="linear">Where X is stored, row-major, of C's shape; or null where no backward pass follows.</param>
    /// <param name="stride">Elements from one row of G, and of X, to the next.</param>
    public GateEpilogue(float* bias, float* gate, float* linear, long stride)
    {
        this.bias = bias;
        this.gate = gate;
        this.linear = linear;
        this.stride = stride;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int rowIndex, int rows, int column, int count)
    {
        VectorMemory.Prefetch(gate + (rowIndex * stride) + column, stride, rows, count);
        if (linear != null)
            VectorMemory.Prefetch(linear + (rowIndex * stride) + column, stride, rows, count);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply(float* row, int rowIndex, int column, int count)
    {
        float* bias = this.bias == null ? null : this.bias + column;
        float* gate = this.gate + (rowIndex * stride) + column;
        float* linear = this.linear == null ? null : this.linear + (rowIndex * stride) + column;
        int i = 0;
        for (; i + 16 <= count; i += 16)
        {
            Vector512<float> sum = Vector512.Load(row + i);
            if (bias != null)
                sum += Vector512.Load(bias + i);
            if (linear != null)
                sum.Store(linear + i);
            (VectorMath.Silu(Vector512.Load(gate + i)) * sum).Store(row + i);
        }

        if (i == count)
            return;

        int left = count - i;
        Vector512<float> last = VectorMemory.LoadPartial(row + i, left);
        if (bias != null)
            last += VectorMemory.LoadPartial(bias + i, left);
        if (linear != null)
            VectorMemory.StorePartial(last, linear + i, left);
        VectorMemory.StorePartial(VectorMath.Silu(VectorMemory.LoadPartial(gate + i, left)) * last, row + i, left);
    }
}
