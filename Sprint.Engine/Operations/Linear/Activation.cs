namespace Sprint.Engine.Operations;

/// <summary>An elementwise function applied to the result of a <see cref="Linear"/> layer while it is still in cache.</summary>
public enum Activation
{
    /// <summary>The identity.</summary>
    None,

    /// <summary>GELU in its tanh form: <c>x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))</c>.</summary>
    Gelu,

    /// <summary>SiLU: <c>x / (1 + e^-x)</c>.</summary>
    Silu,
}
