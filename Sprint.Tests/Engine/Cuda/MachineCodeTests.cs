using System.Diagnostics;
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
    public void KernelsHaveTheInstructionsThatTheyAreWrittenFor(
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
    public void EveryKernelNamedHereExists()
    {
        string[] all = [.. KernelCatalog.All.SelectMany(static specialization => specialization.EntryPoints)];
        Assert.That(MemoryBound.Concat(Products), Is.SubsetOf(all));
        Assert.That(Reductions, Is.SubsetOf(MemoryBound));
    }

    [Test]
    public void AStackIsSeen([ValueSource(nameof(Architectures))] int architecture)
    {
        CompiledProgram program = Compile(Spilling, architecture);
        Assert.That(program.Resources.Single().StackBytes, Is.EqualTo(256));
        Assert.That(MachineCode.Read(program, "indexed").LocalAccesses, Is.GreaterThanOrEqualTo(32));
    }

    [Test]
    public void OnlyAccessesOf16BytesAreWide([ValueSource(nameof(Architectures))] int architecture)
    {
        CompiledProgram program = Compile(Streaming, architecture);
        MachineCode wide = MachineCode.Read(program, "wide"), narrow = MachineCode.Read(program, "narrow");
        Assert.That((wide.WideLoads, wide.WideStores, wide.LocalAccesses, wide.TensorProducts), Is.EqualTo((2, 2, 0, 0)));
        Assert.That((narrow.WideLoads, narrow.WideStores), Is.EqualTo((0, 0)));
    }

    [Test]
    public void WhatIsNoMachineCodeIsRefusedInASentence()
    {
        Assert.That(
            static () => MachineCode.Read(new CompiledProgram { Target = CudaTarget.Ptx(80), Image = default }, "k"),
            Throws.InstanceOf<SprintException>().With.Message.EqualTo("compute_80 is no machine code of sm_70 to sm_90, whose encoding is known."));
        Assert.That(
            static () => MachineCode.Read(new CompiledProgram { Target = CudaTarget.Cubin(80), Image = new byte[100] }, "k"),
            Throws.InstanceOf<SprintException>().With.Message.EqualTo("The cubin has no kernel k."));
    }

    /// <summary>NVIDIA's own disassembler, where it is installed, counts the same; the tests above do not need it.</summary>
    [Test]
    public void CountsAreThoseOfNvdisasm([ValueSource(nameof(Architectures))] int architecture)
    {
        KernelLibrary library = new(new KernelLibraryOptions(), CudaRequirements.RequireNvrtc(), null);
        KernelSpecialization[] specializations =
        [
            KernelCatalog.AttentionBackward(KernelCatalog.BFloat16Element, 72), KernelCatalog.MatrixProduct(KernelCatalog.BFloat16Element, 64),
            KernelCatalog.AdamW, KernelCatalog.AdaptiveLayerNorm(KernelCatalog.BFloat16Element),
        ];
        foreach (CompiledProgram program in specializations.Select(of => library.Get(of, CudaTarget.Cubin(architecture)).Program).Append(Compile(Spilling, architecture)))
        {
            string listing = Disassemble(program);
            foreach (string kernel in program.Resources.Select(static kernel => kernel.Kernel))
            {
                string own = Regex.Match(listing, $@"\.section\s+\.text\.{kernel},.*?(?=\.section\s|\z)", RegexOptions.Singleline).Value;
                string[] operations = [.. Regex.Matches(own, @"^\s+/\*[0-9a-f]+\*/\s+(?:@\S+\s+)?(?<operation>[A-Z0-9_.a-z]+)", RegexOptions.Multiline).Select(static match => match.Groups["operation"].Value)];
                int Count(string pattern) => operations.Count(operation => Regex.IsMatch(operation, pattern));

                // The listing of sm_90 leaves out the padding behind the last instruction.
                MachineCode code = MachineCode.Read(program, kernel);
                Assert.That(code.Instructions, Is.InRange(operations.Length, operations.Length + 8), kernel);
                Assert.That(
                    code,
                    Is.EqualTo(new MachineCode(
                        kernel, code.Instructions, Count(@"^HMMA\."), Count(@"^LDGSTS\."), Count(@"^LDSM\."), Count(@"^(LDL|STL)\b"), Count(@"^LDG?\..*128"), Count(@"^STG?\..*128"))));
            }
        }
    }

    private static CompiledProgram Compile(string source, int architecture) =>
        CudaRequirements.RequireNvrtc().Compile(new CudaSource("k.cu", source), new CudaCompilerOptions { Target = CudaTarget.Cubin(architecture) });

    private static string Disassemble(CompiledProgram program)
    {
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".cubin");
        File.WriteAllBytes(file, program.Image.Span);
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("nvdisasm", ["-c", file]) { RedirectStandardOutput = true })!;
            string listing = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.That(process.ExitCode, Is.Zero);
            return listing;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Ignore("needs nvdisasm of the CUDA toolkit to compare with");
            throw;
        }
        finally
        {
            File.Delete(file);
        }
    }
}
