using System.Runtime.InteropServices;

namespace Sprint.Engine.Cuda;

/// <summary>A program of NVRTC.</summary>
/// <param name="Value">The library's own value.</param>
internal readonly record struct NvrtcProgram(nint Value);

/// <summary>The functions of NVRTC that the engine calls, under the very names that the library exports. Each returns an nvrtcResult.</summary>
internal static unsafe partial class NvrtcApi
{
    public const int Success = 0;
    public const int CompilationError = 6;

    private const string Library = CudaLibrary.CompilerKey;

    static NvrtcApi() => CudaLibraryResolver.Register();

    [LibraryImport(Library)]
    public static partial nint nvrtcGetErrorString(int result);

    [LibraryImport(Library)]
    public static partial int nvrtcVersion(out int major, out int minor);

    [LibraryImport(Library)]
    public static partial int nvrtcGetNumSupportedArchs(out int count);

    [LibraryImport(Library)]
    public static partial int nvrtcGetSupportedArchs(int* architectures);

    [LibraryImport(Library)]
    public static partial int nvrtcCreateProgram(out NvrtcProgram program, byte* source, byte* name, int headerCount, byte** headers, byte** headerNames);

    [LibraryImport(Library)]
    public static partial int nvrtcDestroyProgram(ref NvrtcProgram program);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int nvrtcAddNameExpression(NvrtcProgram program, string expression);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int nvrtcGetLoweredName(NvrtcProgram program, string expression, out nint name);

    [LibraryImport(Library)]
    public static partial int nvrtcCompileProgram(NvrtcProgram program, int optionCount, byte** options);

    [LibraryImport(Library)]
    public static partial int nvrtcGetProgramLogSize(NvrtcProgram program, out nuint size);

    [LibraryImport(Library)]
    public static partial int nvrtcGetProgramLog(NvrtcProgram program, byte* log);

    [LibraryImport(Library)]
    public static partial int nvrtcGetPTXSize(NvrtcProgram program, out nuint size);

    [LibraryImport(Library)]
    public static partial int nvrtcGetPTX(NvrtcProgram program, byte* ptx);

    [LibraryImport(Library)]
    public static partial int nvrtcGetCUBINSize(NvrtcProgram program, out nuint size);

    [LibraryImport(Library)]
    public static partial int nvrtcGetCUBIN(NvrtcProgram program, byte* cubin);
}
