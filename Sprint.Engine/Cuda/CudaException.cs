namespace Sprint.Engine.Cuda;

/// <summary>A failure of CUDA: which call failed, with which error, and for a launch of which kernel, grid and block.</summary>
public class CudaException : SprintException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">One clear sentence.</param>
    public CudaException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the error and keeps what caused it.</summary>
    /// <param name="message">One clear sentence.</param>
    /// <param name="innerException">The cause.</param>
    public CudaException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The library's status, or 0 where the engine itself found the error.</summary>
    public int ErrorCode { get; init; }

    /// <summary>The status' name, e.g. CUDA_ERROR_OUT_OF_MEMORY, or empty.</summary>
    public string ErrorName { get; init; } = "";

    /// <summary>The call that failed, as it stands in the code, or empty.</summary>
    public string Call { get; init; } = "";

    /// <summary>The kernel that was launched, or null.</summary>
    public string? KernelName { get; init; }

    /// <summary>The launch's grid in blocks, or null.</summary>
    public Dim3? Grid { get; init; }

    /// <summary>The launch's block in threads, or null.</summary>
    public Dim3? Block { get; init; }

    /// <summary>Whether the device's context is lost, so that the process must start anew to use the device again.</summary>
    public bool IsContextLost { get; init; }
}
