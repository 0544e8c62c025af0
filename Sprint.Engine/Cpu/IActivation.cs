using System.Runtime.Intrinsics;

namespace Sprint.Engine.Cpu;

/// <summary>An elementwise function with its derivative.</summary>
internal interface IActivation
{
    /// <summary>The function's value.</summary>
    static abstract Vector512<float> Value(Vector512<float> x);

    /// <summary>The function's derivative.</summary>
    static abstract Vector512<float> Derivative(Vector512<float> x);
}

/// <summary>GELU in its tanh form: <c>x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))</c>.</summary>
internal readonly struct GeluActivation : IActivation
{
    /// <inheritdoc/>
    public static Vector512<float> Value(Vector512<float> x) => VectorMath.Gelu(x);

    /// <inheritdoc/>
    public static Vector512<float> Derivative(Vector512<float> x) => VectorMath.GeluDerivative(x);
}

/// <summary>SiLU: <c>x / (1 + exp(-x))</c>.</summary>
internal readonly struct SiluActivation : IActivation
{
    /// <inheritdoc/>
    public static Vector512<float> Value(Vector512<float> x) => VectorMath.Silu(x);

    /// <inheritdoc/>
    public static Vector512<float> Derivative(Vector512<float> x) => VectorMath.SiluDerivative(x);
}
