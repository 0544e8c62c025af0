using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Sprint.Engine.Cuda;

/// <summary>NVRTC: compiles CUDA C++ at run time. Usable from any thread; needs no GPU and no driver.</summary>
public sealed unsafe class CudaRuntimeCompiler : ICudaCompiler
{
    /// <summary>The oldest NVRTC that knows what the kernels use.</summary>
    public static readonly Version MinimumVersion = new(11, 8);

    private static readonly Lock Gate = new();
    private static CudaRuntimeCompiler? instance;

    private CudaRuntimeCompiler()
    {
        CudaLibraryFinder.System.Require(CudaLibrary.Compiler);
        Check(NvrtcApi.nvrtcVersion(out int major, out int minor));
        Version = new Version(major, minor);
        if (Version < MinimumVersion)
        {
            throw new SprintException($"NVRTC {Version} is too old for the kernels: {CudaLibrary.Compiler.HowToGet} ({MinimumVersion} or newer).");
        }

        Check(NvrtcApi.nvrtcGetNumSupportedArchs(out int count));
        int[] architectures = new int[count];
        fixed (int* pointer = architectures)
        {
            Check(NvrtcApi.nvrtcGetSupportedArchs(pointer));
        }

        Array.Sort(architectures);
        SupportedArchitectures = architectures;
    }

    /// <inheritdoc/>
    public Version Version { get; }

    /// <inheritdoc/>
    public IReadOnlyList<int> SupportedArchitectures { get; }

    /// <summary>Finds NVRTC on this machine.</summary>
    /// <exception cref="SprintException">It is not installed, or too old: the sentence says how to get it.</exception>
    public static CudaRuntimeCompiler Load()
    {
        lock (Gate)
        {
            return instance ??= new CudaRuntimeCompiler();
        }
    }

    /// <summary>Finds NVRTC on this machine, where it is installed.</summary>
    /// <param name="compiler">The compiler.</param>
    /// <param name="reason">Why there is none, as a sentence.</param>
    public static bool TryLoad([NotNullWhen(true)] out CudaRuntimeCompiler? compiler, [NotNullWhen(false)] out string? reason)
    {
        try
        {
            (compiler, reason) = (Load(), null);
            return true;
        }
        catch (SprintException missing)
        {
            (compiler, reason) = (null, missing.Message);
            return false;
        }
    }

    /// <inheritdoc/>
    public CompiledProgram Compile(CudaSource source, CudaCompilerOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        CheckTarget(options.Target);
        NvrtcProgram program = Create(source);
        try
        {
            foreach (string expression in options.NameExpressions)
            {
                Check(NvrtcApi.nvrtcAddNameExpression(program, expression), expression);
            }

            string log = Build(program, source, options);
            bool ptx = options.Target.Kind == CudaImageKind.Ptx;
            return new CompiledProgram
            {
                Target = options.Target,
                Image = ptx ? RelativePaths(ReadPtx(program)) : ReadCubin(program),
                Log = KernelResources.StripReport(log),
                Resources = KernelResources.Parse(log),
                LoweredNames = options.NameExpressions.ToDictionary(static name => name, name => ReadLoweredName(program, name)),
            };
        }
        finally
        {
            _ = NvrtcApi.nvrtcDestroyProgram(ref program);
        }
    }

    private static NvrtcProgram Create(CudaSource source)
    {
        using Utf8StringArray text = new([source.Text, source.Name]);
        using Utf8StringArray headers = new([.. source.Headers.Values]);
        using Utf8StringArray names = new([.. source.Headers.Keys]);
        Check(
            NvrtcApi.nvrtcCreateProgram(out NvrtcProgram program, text.Pointer[0], text.Pointer[1], source.Headers.Count, headers.Pointer, names.Pointer),
            source.Name);
        return program;
    }

    private static string Build(NvrtcProgram program, CudaSource source, CudaCompilerOptions options)
    {
        IReadOnlyList<string> arguments = options.ToArguments();
        using Utf8StringArray table = new(arguments);
        int result = NvrtcApi.nvrtcCompileProgram(program, arguments.Count, table.Pointer);
        string log = ReadLog(program);
        if (result == NvrtcApi.CompilationError)
        {
            throw new CudaCompilationException(source.Name, log);
        }

        Check(result, $"{source.Name} with {string.Join(' ', arguments)}: {log.Trim()}", nameof(NvrtcApi.nvrtcCompileProgram));
        return log;
    }

    private static string ReadLog(NvrtcProgram program)
    {
        Check(NvrtcApi.nvrtcGetProgramLogSize(program, out nuint size));
        byte[] text = new byte[Math.Max(1, size)];
        fixed (byte* pointer = text)
        {
            Check(NvrtcApi.nvrtcGetProgramLog(program, pointer));
        }

        return Encoding.UTF8.GetString(text.AsSpan().TrimEnd((byte)0)).ReplaceLineEndings("\n");
    }

    private static byte[] ReadPtx(NvrtcProgram program)
    {
        Check(NvrtcApi.nvrtcGetPTXSize(program, out nuint size));
        byte[] image = new byte[size];
        fixed (byte* pointer = image)
        {
            Check(NvrtcApi.nvrtcGetPTX(program, pointer));
        }

        return image.AsSpan().TrimEnd((byte)0).ToArray();
    }

    private static byte[] ReadCubin(NvrtcProgram program)
    {
        Check(NvrtcApi.nvrtcGetCUBINSize(program, out nuint size));
        byte[] image = new byte[size];
        fixed (byte* pointer = image)
        {
            Check(NvrtcApi.nvrtcGetCUBIN(program, pointer));
        }

        return image;
    }

    private static string ReadLoweredName(NvrtcProgram program, string expression)
    {
        Check(NvrtcApi.nvrtcGetLoweredName(program, expression, out nint name), expression);
        return Marshal.PtrToStringUTF8(name)!;
    }

    // NVRTC puts the current folder before the names of sources that exist in memory only; the same source must give the same PTX anywhere.
    private static byte[] RelativePaths(byte[] ptx)
    {
        string folder = Environment.CurrentDirectory.Replace('\\', '/').TrimEnd('/') + "/";
        string text = Encoding.UTF8.GetString(ptx);
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith("\t.file", StringComparison.Ordinal))
            {
                lines[i] = lines[i].Replace('\\', '/').Replace("//", "/", StringComparison.Ordinal).Replace($"\"{folder}", "\"", StringComparison.Ordinal);
            }
        }

        return Encoding.UTF8.GetBytes(string.Join('\n', lines));
    }

    private void CheckTarget(CudaTarget target)
    {
        if (!SupportedArchitectures.Contains(target.Architecture))
        {
            throw new SprintException($"NVRTC {Version} does not know {target.Name}: it compiles for {string.Join(", ", SupportedArchitectures)}.");
        }
    }

    private static void Check(int result, string? about = null, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result == NvrtcApi.Success)
        {
            return;
        }

        string function = CudaCall.FunctionName(call);
        string name = Marshal.PtrToStringUTF8(NvrtcApi.nvrtcGetErrorString(result)) ?? "an unknown error";
        throw new CudaException($"{function} failed with {name} ({result}){(about is null ? "" : $" for {about}")}.")
        {
            ErrorCode = result,
            ErrorName = name,
            Call = function,
        };
    }
}
