namespace Sprint.Engine.Cuda;

/// <summary>What a kernel parameter holds, as far as the compiled image or the argument's type tells.</summary>
public enum KernelParameterKind
{
    /// <summary>Only the size is known: a cubin does not say more, and a structure by value is just bytes.</summary>
    Bytes,

    /// <summary>An integer or a pointer (PTX .u, .s and .b types).</summary>
    IntegerOrPointer,

    /// <summary>A floating-point number (PTX .f types).</summary>
    FloatingPoint,
}

/// <summary>Where one parameter of a kernel lies in the block of its arguments.</summary>
/// <param name="Offset">Offset in bytes from the start of the argument block.</param>
/// <param name="Size">Size in bytes.</param>
/// <param name="Kind">What it holds.</param>
public readonly record struct KernelParameter(int Offset, int Size, KernelParameterKind Kind)
{
    /// <summary>Whether an argument of that kind and size may be given for this parameter.</summary>
    internal bool Accepts(KernelParameter argument) =>
        Size == argument.Size
        && (Kind == argument.Kind || Kind == KernelParameterKind.Bytes || argument.Kind == KernelParameterKind.Bytes);

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        KernelParameterKind.IntegerOrPointer => $"{Size} bytes (integer or pointer)",
        KernelParameterKind.FloatingPoint => $"{Size} bytes (floating point)",
        _ => $"{Size} bytes",
    };
}
