using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>Machine code as read from cubins, and what must be in that of the engine's kernels.</summary>
public class MachineCodeTests
{
    private const string Spilling = """
        extern "C" __global__ void indexed(float* x, int n) {
            float values[64];
            for (int i = 0; i < 64; i++) values[i] = x[i * n];
            for (int i = 0; i < 64; i++) x[i] = values[i * n & 63];
        }
        """;

    private const string Streaming = """
        extern "C" __global__ void wide(const float4* x, float4* y, float4** z) { y[threadIdx.x] = x[threadIdx.x]; *z[threadIdx.x] = *z[threadIdx.x + 1]; }
        extern "C" __global__ void narrow(const float2* x, float* y) { y[threadIdx.x] = x[threadIdx.x].x + x[threadIdx.x].y; }
        """;

    private const string Multiplying = """
        extern "C" __global__ void product(const uint4* x, float4* y) {
            __shared__ uint4 tile[64];
            unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(tile + threadIdx.x));
            asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(address), "l"(x + threadIdx.x));
            asm volatile("cp.async.ca.shared.global [%0], [%1], 8;" :: "r"(address + 512), "l"(x + threadIdx.x + 32));
            asm volatile("cp.async.commit_group;\n cp.async.wait_group 0;");
            __syncthreads();
            unsigned a0, a1, a2, a3, b0, b1;
            asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(a0), "=r"(a1), "=r"(a2), "=r"(a3) : "r"(address));
            asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];" : "=r"(b0), "=r"(b1) : "r"(address));
            float4 sum = y[threadIdx.x];
            for (int i = 0; i < 3; i++) {
                asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                    : "+f"(sum.x), "+f"(sum.y), "+f"(sum.z), "+f"(sum.w) : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
            }
            asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
                : "+f"(sum.x), "+f"(sum.y), "+f"(sum.z), "+f"(sum.w) : "r"(a0), "r"(a1), "r"(b0));
            y[threadIdx.x] = sum;
        }
        """;

    private static readonly Version StoredVersion = new(11, 8);
    private static readonly Lazy<Version?> DisassemblerVersion = new(ReadDisassemblerVersion);

    // Instructions, HMMA, LDGSTS, LDSM, LDL and STL, LDG of 128 bits, STG of 128 bits.
    private static readonly StoredCounts[] Stored =
    [
        new(80, "3068b24fdac30fbd", new("narrow", 24, 0, 0, 0, 0, 0, 0)),
        new(80, "6e1af3278a958447", new("product", 40, 4, 2, 2, 0, 1, 1)),
        new(80, "830630c6a38cec7b", new("wide", 24, 0, 0, 0, 0, 2, 2)),
        new(80, "b2a8337d13acb6a6", new("indexed", 480, 0, 0, 0, 79, 0, 0)),
        new(86, "437ceb4ea0834671", new("wide", 24, 0, 0, 0, 0, 2, 2)),
        new(86, "73635671047d6269", new("narrow", 24, 0, 0, 0, 0, 0, 0)),
        new(86, "97d3c5b697b0af6b", new("product", 40, 4, 2, 2, 0, 1, 1)),
        new(86, "cc58b19adccbeb88", new("indexed", 480, 0, 0, 0, 79, 0, 0)),
        new(89, "437ceb4ea0834671", new("wide", 24, 0, 0, 0, 0, 2, 2)),
        new(89, "73635671047d6269", new("narrow", 24, 0, 0, 0, 0, 0, 0)),
        new(89, "97d3c5b697b0af6b", new("product", 40, 4, 2, 2, 0, 1, 1)),
        new(89, "cc58b19adccbeb88", new("indexed", 480, 0, 0, 0, 79, 0, 0)),
        new(90, "02ebfe9aa9e12d23", new("narrow", 24, 0, 0, 0, 0, 0, 0)),
        new(90, "6b22cc13cbb74956", new("indexed", 480, 0, 0, 0, 79, 0, 0)),
        new(90, "b2536dd83ef7067f", new("product", 40, 4, 2, 2, 0, 1, 1)),
        new(90, "cd0236850a82de91", new("wide", 32, 0, 0, 0, 0, 2, 2)),
    ];

    // What they spend their time with is reading or writing tensors.
    private static readonly string[] MemoryBound =
    [
        "adamw_gradient_norm", "adamw_update", "adaptive_layer_norm_forward", "adaptive_layer_norm_backward", "attention_backward_prepare", "elements_add", "elements_widen",
        "silu_forward", "silu_backward", "cosine_loss_forward", "cosine_loss_backward", "flow_matching_interpolate", "flow_matching_loss", "flow_matching_loss_backward", "gated_residual_forward",
        "gated_residual_backward", "linear_backward_activation", "linear_backward_bias", "label_embedding_forward", "label_embedding_backward", "matrix_product_reduce",
        "fusion_gather_backward", "fusion_constant_forward", "swiglu_backward", "tokens_gather_forward", "tokens_gather_backward", "tokens_scatter_forward",
        "tokens_scatter_backward_input", "tokens_scatter_backward_fill",
    ];

    // Those that write a vector of sums, or one number, for much that they read.
    private static readonly string[] Reductions =
        ["adamw_gradient_norm", "attention_backward_prepare", "cosine_loss_forward", "flow_matching_loss", "linear_backward_bias", "fusion_constant_forward", "tokens_scatter_backward_fill"];

    private static readonly string[] Products =
        ["attention_forward", "attention_backward_dkv", "attention_backward_dq", "matrix_product_forward", "matrix_product_backward_input", "matrix_product_backward_weight"];

    private static readonly int[] Architectures = [80, 86, 89, 90];

    /// <summary>
    /// On every architecture, without NVIDIA's disassembler: no stack; tensor cores and asynchronous copies in products and attention; accesses of
    /// 16 bytes in what is bound by memory.
    /// </summary>
    [Test]
    public void Kernels_have_the_instructions_that_they_are_written_for(
        [ValueSource(typeof(KernelCatalog), nameof(KernelCatalog.All))] KernelSpecialization specialization, [ValueSource(nameof(Architectures))] int architecture)
    {
        KernelLibrary library = new(new KernelLibraryOptions(), CudaRequirements.RequireNvrtc(), null);
        CompiledProgram program = library.Get(specialization, CudaTarget.Cubin(architecture)).Program;
        Assert.That(program.Log, Is.Empty);
        Assert.That(program.Resources.Select(static kernel => kernel.Kernel), Is.EquivalentTo(specialization.EntryPoints));
        foreach (KernelResources kernel in program.Resources)
        {
            MachineCode code = MachineCode.Read(program, kernel.Kernel);
            string what = $"{kernel.Kernel} on sm_{architecture}: {code}";
            Assert.That((kernel.StackBytes, kernel.SpillStoreBytes, kernel.SpillLoadBytes, code.LocalAccesses), Is.EqualTo((0, 0, 0, 0)), what);
            bool isLarge = specialization.Name == "matrix_product-bfloat16-128" || kernel.Kernel.StartsWith("attention_", StringComparison.Ordinal);
            Assert.That(kernel.Registers, Is.InRange(1, isLarge ? 255 : 128), what);

            bool isFloat = specialization.Name.Contains("float-", StringComparison.Ordinal) && !specialization.Name.Contains("bfloat16", StringComparison.Ordinal);
            bool isProduct = Products.Contains(kernel.Kernel);
            Assert.That(code.TensorProducts, isProduct && !isFloat ? Is.GreaterThanOrEqualTo(6) : Is.Zero, what);
            Assert.That(code.MatrixLoads, isProduct && !isFloat ? Is.Positive : Is.Zero, what);

            // float32 operands stored along their depth are turned on their way through registers.
            bool isTurned = isFloat && kernel.Kernel == "matrix_product_forward";
            Assert.That(code.AsynchronousCopies, isProduct && !isTurned ? Is.Positive : Is.Zero, what);
            if (MemoryBound.Contains(kernel.Kernel) || isTurned)
            {
                Assert.That(code.WideLoads, Is.Positive, what);
            }

            if (MemoryBound.Except(Reductions).Contains(kernel.Kernel) || isProduct)
            {
                Assert.That(code.WideStores, Is.Positive, what);
            }
        }
    }

    [Test]
    public void Every_kernel_named_here_exists()
    {
        string[] all = [.. KernelCatalog.All.SelectMany(static specialization => specialization.EntryPoints)];
        Assert.That(MemoryBound.Concat(Products), Is.SubsetOf(all));
        Assert.That(Reductions, Is.SubsetOf(MemoryBound));
    }

    [Test]
    public void A_stack_is_seen([ValueSource(nameof(Architectures))] int architecture)
    {
        CompiledProgram program = Compile(Spilling, architecture);
        Assert.That(program.Resources.Single().StackBytes, Is.EqualTo(256));
        Assert.That(MachineCode.Read(program, "indexed").LocalAccesses, Is.GreaterThanOrEqualTo(32));
    }

    [Test]
    public void Only_accesses_of_16_bytes_are_wide([ValueSource(nameof(Architectures))] int architecture)
    {
        CompiledProgram program = Compile(Streaming, architecture);
        MachineCode wide = MachineCode.Read(program, "wide"), narrow = MachineCode.Read(program, "narrow");
        Assert.That((wide.WideLoads, wide.WideStores, wide.LocalAccesses, wide.TensorProducts), Is.EqualTo((2, 2, 0, 0)));
        Assert.That((narrow.WideLoads, narrow.WideStores), Is.EqualTo((0, 0)));
    }

    [Test]
    public void What_is_no_machine_code_is_refused_in_a_sentence()
    {
        Assert.That(
            static () => MachineCode.Read(new CompiledProgram { Target = CudaTarget.Ptx(80), Image = default }, "k"),
            Throws.InstanceOf<SprintException>().With.Message.EqualTo("compute_80 is no machine code of sm_70 to sm_90, whose encoding is known."));
        Assert.That(
            static () => MachineCode.Read(new CompiledProgram { Target = CudaTarget.Cubin(80), Image = new byte[100] }, "k"),
            Throws.InstanceOf<SprintException>().With.Message.EqualTo("The cubin has no kernel k."));
    }

    /// <summary>
    /// NVIDIA's own disassembler counts the same in kernels that have every operation: as it did when the counts below were stored, of the same machine code; and
    /// where one is installed that knows the compiler's cubins, as it does now, there and in kernels of the engine.
    /// </summary>
    [Test]
    public void Counts_are_those_of_nvdisasm([ValueSource(nameof(Architectures))] int architecture)
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        bool hasDisassembler = false;
        foreach (CompiledProgram program in new[] { Spilling, Streaming, Multiplying }.Select(source => Compile(source, architecture)))
        {
            Dictionary<string, MachineCode>? listed = Disassemble(program);
            hasDisassembler = listed is not null;
            foreach (string kernel in program.Resources.Select(static kernel => kernel.Kernel))
            {
                MachineCode code = MachineCode.Read(program, kernel);
                if (listed is not null)
                {
                    AssertSame(code, listed[kernel]);
                }

                StoredCounts? stored = Stored.SingleOrDefault(stored => (stored.Architecture, stored.Counts.Kernel) == (architecture, kernel));
                string hash = HashOf(program, kernel);
                if (compiler.Version == StoredVersion)
                {
                    Assert.That(hash, Is.EqualTo(stored?.Hash), $"the machine code of NVRTC {StoredVersion} is another: count it with nvdisasm and store {kernel} on sm_{architecture} as \"{hash}\", {listed?[kernel]}");
                }

                if (stored is not null && hash == stored.Hash)
                {
                    AssertSame(code, stored.Counts);
                }
                else if (listed is null)
                {
                    Assert.Ignore($"needs nvdisasm of the CUDA toolkit, as new as NVRTC, to compare with, or NVRTC {StoredVersion}, for whose machine code its counts are stored; this is {compiler.Version}");
                }
            }
        }

        if (hasDisassembler)
        {
            KernelLibrary library = new(new KernelLibraryOptions(), compiler, null);
            KernelSpecialization[] specializations =
            [
                KernelCatalog.AttentionBackward(KernelCatalog.BFloat16Element, 72), KernelCatalog.MatrixProduct(KernelCatalog.BFloat16Element, 64),
                KernelCatalog.AdamW, KernelCatalog.AdaptiveLayerNorm(KernelCatalog.BFloat16Element),
            ];
            foreach (CompiledProgram program in specializations.Select(of => library.Get(of, CudaTarget.Cubin(architecture)).Program))
            {
                foreach ((string kernel, MachineCode listed) in Disassemble(program)!)
                {
                    AssertSame(MachineCode.Read(program, kernel), listed);
                }
            }
        }
    }

    // The listing of sm_90 leaves out the padding behind the last instruction.
    private static void AssertSame(MachineCode code, MachineCode listed)
    {
        Assert.That(code.Instructions, Is.InRange(listed.Instructions, listed.Instructions + 8), code.Kernel);
        Assert.That(code with { Instructions = listed.Instructions }, Is.EqualTo(listed));
    }

    private static string HashOf(CompiledProgram program, string kernel)
    {
        Assert.That(KernelImageReader.TryFindSection(program.Image.Span, ".text." + kernel, out ReadOnlySpan<byte> text));
        return Convert.ToHexStringLower(SHA256.HashData(text))[..16];
    }

    private static CompiledProgram Compile(string source, int architecture) =>
        CudaRequirements.RequireNvrtc().Compile(new CudaSource("k.cu", source), new CudaCompilerOptions { Target = CudaTarget.Cubin(architecture) });

    /// <summary>What nvdisasm lists of each kernel, or null where none is installed that is as new as the compiler: an older one does not read its cubins.</summary>
    private static Dictionary<string, MachineCode>? Disassemble(CompiledProgram program)
    {
        if (DisassemblerVersion.Value is not { } version || version < CudaRequirements.RequireNvrtc().Version)
        {
            return null;
        }

        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".cubin");
        File.WriteAllBytes(file, program.Image.Span);
        try
        {
            string listing = Output("-c", file);
            return program.Resources.ToDictionary(static kernel => kernel.Kernel, kernel => Count(listing, kernel.Kernel));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static Version? ReadDisassemblerVersion()
    {
        try
        {
            return Version.Parse(Regex.Match(Output("--version"), @"release (\d+\.\d+)").Groups[1].Value);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static string Output(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("nvdisasm", arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero);
        return output;
    }

    private static MachineCode Count(string listing, string kernel)
    {
        string own = Regex.Match(listing, $@"\.section\s+\.text\.{kernel},.*?(?=\.section\s|\z)", RegexOptions.Singleline).Value;
        string[] operations = [.. Regex.Matches(own, @"^\s+/\*[0-9a-f]+\*/\s+(?:@\S+\s+)?(?<operation>[A-Z0-9_.a-z]+)", RegexOptions.Multiline).Select(static match => match.Groups["operation"].Value)];
        return new MachineCode(
            kernel, operations.Length, Of(@"^HMMA\."), Of(@"^LDGSTS\."), Of(@"^LDSM\."), Of(@"^(LDL|STL)\b"), Of(@"^LDG?\..*128"), Of(@"^STG?\..*128"));

        int Of(string pattern) => operations.Count(operation => Regex.IsMatch(operation, pattern));
    }

    /// <summary>What nvdisasm counted.</summary>
    /// <param name="Architecture">For which the kernel was compiled.</param>
    /// <param name="Hash">The first half of the SHA-256 of its machine code.</param>
    /// <param name="Counts">What is in it.</param>
    private sealed record StoredCounts(int Architecture, string Hash, MachineCode Counts);
}
