using System.Runtime.Intrinsics;
using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary>Adds a bias to each row.</summary>
internal readonly unsafe struct BiasEpilogue(float* bias) : IMatrixEpilogue
{
    public void Apply(float* row, int rowIndex, int column, int count)
    {
        for (int i = 0; i < count; i += Lanes.Count)
        {
            Lanes.Contribute(Lanes.Load(bias + column + i, count - i), row + i, count - i, accumulate: true);
        }
    }
}

/// <summary>Adds a bias where there is one, stores the sum where it is asked for, and applies the activation.</summary>
internal readonly unsafe struct ActivationEpilogue<TActivation>(float* bias, float* preactivation, int columns) : IMatrixEpilogue
    where TActivation : struct, IElementwiseFunction
{
    public void Apply(float* row, int rowIndex, int column, int count)
    {
        long start = ((long)rowIndex * columns) + column;
        for (int i = 0; i < count; i += Lanes.Count)
        {
            int left = count - i;
            Vector512<float> sum = Lanes.Load(row + i, left);
            if (bias != null)
            {
                sum += Lanes.Load(bias + column + i, left);
            }

            if (preactivation != null)
            {
                Lanes.Store(sum, preactivation + start + i, left);
            }

            Lanes.Store(default(TActivation).Apply(sum, sum), row + i, left);
        }
    }
}

/// <summary>GELU of the first vector.</summary>
internal readonly struct GeluFunction : IElementwiseFunction
{
    public Vector512<float> Apply(Vector512<float> first, Vector512<float> second) => VectorMath.Gelu(first);
}

/// <summary>SiLU of the first vector.</summary>
internal readonly struct SiluFunction : IElementwiseFunction
{
    public Vector512<float> Apply(Vector512<float> first, Vector512<float> second) => VectorMath.Silu(first);
}

/// <summary>The first vector times the derivative of GELU at the second.</summary>
internal readonly struct GeluDerivativeFunction : IElementwiseFunction
{
    public Vector512<float> Apply(Vector512<float> first, Vector512<float> second) => first * VectorMath.GeluDerivative(second);
}

/// <summary>The first vector times the derivative of SiLU at the second.</summary>
internal readonly struct SiluDerivativeFunction : IElementwiseFunction
{
    public Vector512<float> Apply(Vector512<float> first, Vector512<float> second) => first * VectorMath.SiluDerivative(second);
}
