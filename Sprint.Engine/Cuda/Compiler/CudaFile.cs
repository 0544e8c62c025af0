using System.Text;

namespace Sprint.Engine.Cuda;

/// <summary>A file of anyone's that holds kernels: CUDA C++ source, or PTX that NVRTC, nvcc or clang made of one.</summary>
public sealed partial class CudaFile
{
    private const long MostBytes = 64L << 20;
    private const int ChunkBytes = 1 << 16;
    private const int QuotedCharacters = 20;

    /// <summary>The file that NVRTC says errors of name expressions are in.</summary>
    private const string NameExpressionFile = "__nv_name_map";

    // The headers of a source of the engine's, which has no folder; null for a file.
    private readonly IReadOnlyDictionary<string, string>? headers;

    private CudaFile(string path, string text, bool isPtx, IReadOnlyDictionary<string, string>? headers = null)
    {
        Path = path;
        Text = text;
        IsPtx = isPtx;
        this.headers = headers;
    }

    /// <summary>The path as it was given.</summary>
    public string Path { get; }

    /// <summary>The file's text.</summary>
    public string Text { get; }

    /// <summary>Whether the text is PTX rather than a source to be compiled.</summary>
    public bool IsPtx { get; }

    /// <summary>Reads a file. PTX is known by its text, not by the file's name.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="SprintException">There is no such file, it cannot be read, or it is neither a source nor PTX.</exception>
    public static CudaFile Read(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        byte[] bytes;
        try
        {
            if (Directory.Exists(path) || !File.Exists(path))
            {
                throw new SprintException(Directory.Exists(path) ? $"{path} is a folder: name a .cu or .ptx file in it" : $"there is no file {path}: name a .cu or .ptx file");
            }

            // A device or pipe has no length to ask for.
            using FileStream file = File.OpenRead(path);
            using MemoryStream content = new();
            byte[] chunk = new byte[ChunkBytes];
            for (int read = file.Read(chunk); read > 0; read = file.Read(chunk))
            {
                content.Write(chunk, 0, read);
                if (content.Length > MostBytes)
                {
                    throw new SprintException($"{path} has more bytes than any CUDA source or PTX ({MostBytes})");
                }
            }

            bytes = content.ToArray();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SprintException($"{path} cannot be read: {failure.Message}", failure);
        }

        return Interpret(path, bytes);
    }

    /// <summary>Makes a loadable image of the file and finds the kernel in it.</summary>
    /// <param name="kernel">
    /// The kernel's exact name, or as its author wrote it (<see cref="KernelName.Find"/>); template arguments may be given that the source does not
    /// instantiate itself, as in scale&lt;float&gt;. Null for the only kernel of the file.
    /// </param>
    /// <param name="options">How to compile a source; nothing for PTX, which is taken as it is. Include folders are looked in after the file's own.</param>
    /// <param name="compiler">The compiler, asked for only where the file is a source.</param>
    /// <exception cref="CudaCompilationException">The source has errors.</exception>
    /// <exception cref="SprintException">There is no such kernel, or several answer to the name.</exception>
    public CudaFileImage Compile(string? kernel, CudaCompilerOptions options, Func<ICudaCompiler> compiler)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(compiler);
        if (IsPtx)
        {
            IReadOnlyList<string> inText = EntryPointsOf(Text);
            KernelName found = Choose(inText, kernel);
            return new CudaFileImage(Encoding.UTF8.GetBytes(Text), found, inText, found.ParameterTypes, null);
        }

        (CompiledProgram program, string? asked) = CompileAskingTypes(kernel, options, compiler);
        IReadOnlyList<string> entryPoints = EntryPointsOf(program);
        try
        {
            KernelName found = Choose(entryPoints, kernel);
            IReadOnlyList<string>? types = found.ParameterTypes;
            if (types is null && asked == found.Mangled)
            {
                types = Demangler.TryReadSignature(program.LoweredNames[SignatureOf(asked)], CudaHeaders.SignatureVariable);
            }

            return new CudaFileImage(program.Image, found, entryPoints, types, program);
        }
        catch (SprintException) when (kernel is not null && kernel.Contains('<', StringComparison.Ordinal))
        {
            return Instantiate(kernel, options, compiler);
        }
    }

    /// <summary>Compiles a source with a template of it instantiated.</summary>
    /// <param name="kernel">The kernel with its template arguments as C++ takes them, e.g. mine::scale&lt;float, 4&gt;.</param>
    /// <param name="options">How to compile.</param>
    /// <param name="compiler">The compiler.</param>
    /// <exception cref="CudaCompilationException">The source has errors.</exception>
    /// <exception cref="SprintException">The compiler makes no kernel of that name, or the file is PTX.</exception>
    public CudaFileImage Instantiate(string kernel, CudaCompilerOptions options, Func<ICudaCompiler> compiler)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(kernel);
        ArgumentNullException.ThrowIfNull(options);
        string expression = KernelTemplate.ExpressionOf(kernel);
        CompiledProgram program;
        try
        {
            program = Compile(options with { NameExpressions = [expression] }, compiler);
        }
        catch (CudaCompilationException failure) when (failure.Diagnostics.FirstOrDefault(static message => message.File == NameExpressionFile) is { } reason)
        {
            throw new SprintException($"{Path} has no kernel '{kernel}', and NVRTC makes none of that name: {reason.Message}; {WhatThereIs(kernel, options, compiler)}", failure);
        }

        KernelName made = KernelName.Parse(program.LoweredNames[expression]);
        IReadOnlyList<string> entryPoints = EntryPointsOf(program);
        return entryPoints.Contains(made.Mangled)
            ? new CudaFileImage(program.Image, made, entryPoints, made.ParameterTypes, program)
            : throw new SprintException($"'{kernel}' is no kernel of {Path}: it names something that is not __global__");
    }

    /// <summary>Compiles a source with the headers that files of others include.</summary>
    /// <param name="options">How to compile.</param>
    /// <param name="compiler">The compiler.</param>
    /// <exception cref="CudaCompilationException">The source has errors.</exception>
    /// <exception cref="SprintException">The file is PTX, which is compiled already.</exception>
    public CompiledProgram Compile(CudaCompilerOptions options, Func<ICudaCompiler> compiler)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(compiler);
        if (IsPtx)
        {
            throw new SprintException($"{Path} is PTX, which NVRTC does not compile: give the .cu file that it was made of");
        }

        ICudaCompiler found = compiler();
        using CudaHeaders common = CudaHeaders.Open();
        string[] own = headers is null ? [System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!] : [];
        return found.Compile(
            new CudaSource(Path, Text) { Headers = headers ?? new Dictionary<string, string>() },
            options with
            {
                IncludeFolders = common.Around([.. own, .. options.IncludeFolders]),
                Additional = [.. options.Additional, $"--pre-include={CudaHeaders.Prelude}"],
            });
    }

    /// <summary>The text of this file, or of a header that came with it, by the name that the compiler has for it; null for files that must be looked for on the disk.</summary>
    /// <param name="name">The name.</param>
    public string? FindText(string name) => name == Path ? Text : headers?.GetValueOrDefault(name);

    /// <summary>The exact names of the kernels of a compiled program, in its order.</summary>
    /// <param name="program">PTX, or machine code with the assembler's report.</param>
    public static IReadOnlyList<string> EntryPointsOf(CompiledProgram program)
    {
        ArgumentNullException.ThrowIfNull(program);
        return program.Target.Kind == CudaImageKind.Ptx
            ? EntryPointsOf(Encoding.UTF8.GetString(program.Image.Span))
            : [.. program.Resources.Select(static kernel => kernel.Kernel)];
    }

    internal static CudaFile Of(CudaSource source) => new(source.Name, source.Text, isPtx: false, source.Headers);

    internal static CudaFile Interpret(string path, byte[] bytes)
    {
        if (KernelImageReader.IsElf(bytes))
        {
            throw new SprintException($"{path} is a cubin, machine code of one GPU: give the .cu file or the PTX that it was made of");
        }

        string text = Encoding.UTF8.GetString(bytes).TrimStart('\ufeff').TrimEnd('\0');
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new SprintException($"{path} is no text: give a .cu file, or PTX");
        }

        string code = WithoutComments(text).TrimStart();
        bool isPtx = code.StartsWith(".version", StringComparison.Ordinal);
        return isPtx || !path.EndsWith(".ptx", StringComparison.OrdinalIgnoreCase)
            ? new CudaFile(path, text, isPtx)
            : throw new SprintException(code.Length == 0 ? $"{path} is empty: it is no PTX" : $"{path} is not PTX: it begins with '{code[..Math.Min(QuotedCharacters, code.Length)].ReplaceLineEndings(" ").Trim()}' where PTX has .version");
    }

    private static string SignatureOf(string kernel) => $"&{CudaHeaders.SignatureVariable}<decltype({kernel})>";

    /// <summary>
    /// Compiles, and asks the compiler for the type of an extern "C" kernel, whose name does not tell its parameters: it knows what macros and other names of
    /// types stand for. Which kernel that is, is a guess from the text; a wrong one costs a second compilation.
    /// </summary>
    private (CompiledProgram Program, string? Asked) CompileAskingTypes(string? kernel, CudaCompilerOptions options, Func<ICudaCompiler> compiler)
    {
        string code = WithoutComments(Text);
        string[] candidates = code.Contains("extern \"C\"", StringComparison.Ordinal)
            ? [.. KernelDeclaration().Matches(code).Select(static match => match.Groups["name"].Value).Where(name => kernel is null || kernel == name).Distinct()]
            : [];
        if (candidates is not [string asked])
        {
            return (Compile(options, compiler), null);
        }

        try
        {
            return (Compile(options with { NameExpressions = [SignatureOf(asked)] }, compiler), asked);
        }
        catch (CudaCompilationException failure) when (failure.Diagnostics.Any(static message => message.File == NameExpressionFile))
        {
            return (Compile(options, compiler), null);
        }
    }

    private KernelName Choose(IReadOnlyList<string> entryPoints, string? kernel)
    {
        if (kernel is null)
        {
            return entryPoints.Count == 1
                ? KernelName.Parse(entryPoints[0])
                : throw new SprintException(entryPoints.Count == 0
                    ? NoKernel()
                    : $"{Path} has {entryPoints.Count} kernels, so --kernel must name one of {KernelName.List(entryPoints.Select(KernelName.Parse))}");
        }

        try
        {
            return KernelName.Find(entryPoints, kernel, Path);
        }
        catch (SprintException) when (!kernel.Contains('<', StringComparison.Ordinal) && TemplatesOf(kernel) is [{ } template, ..])
        {
            throw new SprintException($"{Path} does not instantiate the template {template.Declaration}: give its arguments, as in --kernel \"{template.Example}\"");
        }
    }

    private string NoKernel() => TemplatesOf("") is [{ } first, ..] templates
        ? $"{Path} instantiates none of its templates: name one with its arguments, as in --kernel \"{first.Example}\", of {string.Join("; ", templates.Select(static template => template.Declaration))}"
        : $"{Path} has no kernel: declare one __global__, and instantiate it where it is a template";

    /// <summary>What might be meant by a kernel that cannot be instantiated: the template of its name, whatever its arguments or namespace, or what the file has.</summary>
    private string WhatThereIs(string kernel, CudaCompilerOptions options, Func<ICudaCompiler> compiler)
    {
        string plain = kernel.Split('<', 2)[0];
        switch (TemplatesOf(plain[(plain.LastIndexOf(':') + 1)..].Trim()))
        {
            case [{ } template]:
                return $"its template is {template.Declaration}: write --kernel \"{template.Example}\"";
            case [{ } first, ..] several:
                string types = several.All(other => other.Qualified == first.Qualified) ? "(float*, int)" : "";
                return $"its templates are {string.Join("; ", several.Select(static template => template.Declaration))}: write which, {(types.Length > 0 ? "with the types of its parameters, " : "")}as in --kernel \"{first.Example}{types}\"";
            default:
                string[] own = [.. EntryPointsOf(Compile(options, compiler)).Select(static name => KernelName.Parse(name).Signature), .. TemplatesOf("").Select(static template => template.Declaration)];
                return own.Length == 0 ? "it has no kernel" : $"it has {string.Join("; ", own)}";
        }
    }
}

/// <summary>A file made ready to be loaded, and the kernel that is meant.</summary>
/// <param name="Image">PTX text in UTF-8, or a cubin.</param>
/// <param name="Kernel">The kernel.</param>
/// <param name="EntryPoints">The exact names of all kernels of the file.</param>
/// <param name="ParameterTypes">The C++ types of the kernel's parameters, or null where neither its name nor the compiler tells: PTX of an extern "C" kernel.</param>
/// <param name="Program">What the compiler made, its warnings among it; null where the file is PTX.</param>
public sealed record CudaFileImage(ReadOnlyMemory<byte> Image, KernelName Kernel, IReadOnlyList<string> EntryPoints, IReadOnlyList<string>? ParameterTypes, CompiledProgram? Program);
