namespace Sprint.Engine.Cuda;

/// <summary>A compiler from CUDA C++ to PTX or machine code.</summary>
public interface ICudaCompiler
{
    /// <summary>Its version, e.g. 11.8.</summary>
    Version Version { get; }

    /// <summary>The architectures it knows, ascending: 80 for compute capability 8.0.</summary>
    IReadOnlyList<int> SupportedArchitectures { get; }

    /// <summary>Compiles a source.</summary>
    /// <param name="source">The source and its headers.</param>
    /// <param name="options">How to compile.</param>
    /// <exception cref="CudaCompilationException">The source has errors.</exception>
    /// <exception cref="SprintException">An option or the target is not known to the compiler.</exception>
    CompiledProgram Compile(CudaSource source, CudaCompilerOptions options);
}
