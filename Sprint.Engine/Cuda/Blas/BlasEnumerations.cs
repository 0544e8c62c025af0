using System.Diagnostics.CodeAnalysis;

namespace Sprint.Engine.Cuda;

/// <summary>How an element of a matrix is stored; the values are cudaDataType's.</summary>
public enum CudaElementType
{
    /// <summary>IEEE binary32.</summary>
    [SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "The field's word for it.")]
    Float32 = 0,

    /// <summary>The upper half of a binary32.</summary>
    BFloat16 = 14,
}

/// <summary>How float32 products may be computed; the values are cublasMath_t's.</summary>
public enum CudaMathMode
{
    /// <summary>float32 products in float32, bfloat16 products on tensor cores with float32 accumulation.</summary>
    Standard = 0,

    /// <summary>As <see cref="Standard"/>, with the prescribed precision everywhere inside.</summary>
    Pedantic = 2,

    /// <summary>float32 products on tensor cores, with inputs rounded to 10 fraction bits.</summary>
    TensorFloat32 = 3,
}

/// <summary>cublasOperation_t.</summary>
internal enum BlasOperation
{
    None = 0,
    Transpose = 1,
}

/// <summary>cublasComputeType_t.</summary>
internal enum BlasComputeType
{
    Float32 = 68,
}

/// <summary>What becomes of a product's sums s; the values are cublasLtEpilogue_t's.</summary>
[Flags]
internal enum BlasEpilogue
{
    /// <summary>A bias is added first.</summary>
    Bias = 4,

    /// <summary>result = GELU(s), by the hyperbolic tangent.</summary>
    Gelu = 32,

    /// <summary>result = s GELU'(auxiliary).</summary>
    GeluDerivative = 64,

    /// <summary>There is another matrix: GELU's argument, which GELU writes and its derivative reads.</summary>
    Auxiliary = 128,
}

/// <summary>cublasLtMatmulDescAttributes_t.</summary>
internal enum CublasLtAttribute
{
    TransposeFirst = 3,
    TransposeSecond = 4,
    Epilogue = 7,
    Bias = 8,
    Auxiliary = 11,
    LeadingAuxiliary = 12,
}

/// <summary>cublasLtMatmulPreferenceAttributes_t.</summary>
internal enum CublasLtPreference
{
    WorkspaceBytes = 1,
    AlignmentFirst = 5,
    AlignmentSecond = 6,
    AlignmentAddend = 7,
    AlignmentResult = 8,
}
