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
