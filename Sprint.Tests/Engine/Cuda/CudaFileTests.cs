using System.Text;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

public class CudaFileTests
{
    private const string Kernel = "\nextern \"C\" __global__ void k(float* x) { x[0] = 1; }\n";

    [Test]
    public void OrdinaryIncludesOfTheStandardLibraryCompile()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        string[] headers =
        [
            "algorithm", "assert.h", "cassert", "cfloat", "cinttypes", "climits", "cmath", "cstddef", "cstdint", "cstdio", "cstdlib", "cstring", "cuda.h", "float.h",
            "inttypes.h", "limits.h", "math.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "time.h", "cuda_runtime.h", "device_launch_parameters.h",
        ];
        string path = folder.Write("all.cu", string.Concat(headers.Select(static header => $"#include <{header}>\n")) + """
            extern "C" __global__ void k(float* x, uint64_t* y, std::size_t n) {
                x[0] = std::sqrt(x[0]) + std::max(x[1], 1.0f) + std::min(x[1], 1.0f) + std::pow(x[2], 2.0f) + INFINITY + FLT_MAX + float(M_PI) + NAN;
                y[0] = UINT64_MAX - INT_MAX - LONG_MAX - CHAR_BIT - UINT32_MAX - offsetof(float4, y);
                std::int32_t small = std::abs(-3) + INT8_MIN;
                assert(n > 0);
                printf("%d\n", small);
            }
            """);
        CudaFileImage image = CudaFile.Read(path).Compile(null, new CudaCompilerOptions(), () => compiler);
        Assert.That(image.Kernel.Mangled, Is.EqualTo("k"));
        Assert.That(image.Program!.Log, Is.Empty);
    }

    [Test]
    public void ConstantsOfMathNeedNoIncludeAsWithNvcc()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        string path = folder.Write("bare.cu", """extern "C" __global__ void k(float* x) { x[0] = -INFINITY; x[1] = NAN; x[2] = float(M_PI); }""");
        CudaFileImage image = CudaFile.Read(path).Compile(null, new CudaCompilerOptions(), () => compiler);
        Assert.That(image.Program!.Log, Is.Empty);
    }

    [Test]
    public void EachHeaderOfTheEngineCompilesOnItsOwn([Values("stdint.h", "cstdint", "inttypes.h", "cinttypes", "stddef.h", "cstddef", "limits.h", "climits", "float.h", "cfloat", "math.h", "cmath", "cstdio", "cstdlib", "cstring", "algorithm")] string header)
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        string path = folder.Write("one.cu", $"#include <{header}>\n#include <{header}>{Kernel}");
        Assert.That(CudaFile.Read(path).Compile("k", new CudaCompilerOptions(), () => compiler).Program!.Log, Is.Empty);
    }

    [Test]
    public void HeadersOfTheFileAndOfTheUserAreFoundInThisOrder()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        folder.Write("own.cuh", "#define OWN 1\n#include \"detail/more.cuh\"");
        folder.Write("detail/more.cuh", "#define MORE 1");
        folder.Write("include/user.cuh", "#define USER 1");
        folder.Write("include/own.cuh", "#error the file's own comes first");
        string path = folder.Write("k.cu", $"#include \"own.cuh\"\n#include <user.cuh>\n#if OWN + MORE + USER + GIVEN != 7\n#error not all\n#endif{Kernel}");
        CudaCompilerOptions options = new() { IncludeFolders = [Path.Combine(folder.Path, "include")], Macros = [new CudaMacro("GIVEN", "4")] };
        Assert.That(CudaFile.Read(path).Compile(null, options, () => compiler).EntryPoints, Is.EqualTo(new[] { "k" }));
    }

    [Test]
    public void TheToolkitIsFoundByItsFolder()
    {
        using TemporaryFolder folder = new();
        folder.Write("include/cuda_runtime.h", "");
        using CudaHeaders headers = CudaHeaders.Open(name => name == "CUDA_PATH" ? folder.Path : null);
        Assert.That(headers.ToolkitFolder, Is.EqualTo(Path.Combine(folder.Path, "include")));
        IReadOnlyList<string> around = headers.Around(["user"]);
        Assert.That(around, Has.Count.EqualTo(4));
        Assert.That(around.Skip(1).Take(2), Is.EqualTo(new[] { "user", headers.ToolkitFolder }));
        Assert.That(File.Exists(Path.Combine(around[0], "stdint.h")) && File.Exists(Path.Combine(around[3], "cuda_runtime.h")), Is.True);
    }

    [Test]
    public void TemporaryHeadersAreDeleted()
    {
        CudaHeaders headers = CudaHeaders.Open(static _ => null);
        string folder = headers.Around([])[0];
        Assert.That(folder, Does.Exist);
        headers.Dispose();
        Assert.That(folder, Does.Not.Exist);
    }

    [TestCase("#include <iostream>", "NVRTC compiles device code only and has no header of host code such as iostream: put what needs it between #ifndef __CUDACC_RTC__ and #endif, or make PTX of the file with nvcc -ptx -lineinfo -arch=sm_80, or with clang, and run that.")]
    [TestCase("#include <vector>", "has no header of host code such as vector: put what needs it")]
    [TestCase("#include <atomic>", "NVRTC brings no atomic: include <cuda/std/atomic> of libcu++, which is part of the CUDA toolkit's headers")]
    [TestCase("int main() { return 0; }", "line 1 of {path} begins a function of the host, and NVRTC compiles device code only")]
    [TestCase("__device__ void f() { float* p; cudaMalloc(&p, 4); }", "cudaMalloc is a function of the host")]
    [TestCase("#include \"absent.cuh\"", "absent.cuh was not found: name its folder with -I")]
    [TestCase("#include <cuda_absent.h>", "cuda_absent.h is part of the CUDA toolkit: install its headers (nvidia-cuda-dev of Debian and Ubuntu")]
    [TestCase("#include <cuda/std/absent>", "cuda/std/absent is part of libcu++")]
    public void CommonErrorsComeWithAdvice(string line, string advice)
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        string path = folder.Write("k.cu", line + Kernel);
        CudaCompilationException failure = Assert.Throws<CudaCompilationException>(() => CudaFile.Read(path).Compile(null, new CudaCompilerOptions(), () => compiler))!;
        Assert.That(failure.Message, Does.Contain(advice.Replace("{path}", path, StringComparison.Ordinal)));
        Assert.That(failure.Message, Does.EndWith(failure.Log).And.Contain("error: "), "the log stays");
    }

    [Test]
    public void HostCodeBehindTheGuardIsNoHindrance()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        string path = folder.Write("k.cu", $"#ifndef __CUDACC_RTC__\n#include <iostream>\nint main() {{ k<<<1, 1>>>(nullptr); }}\n#endif{Kernel}");
        Assert.That(CudaFile.Read(path).Compile(null, new CudaCompilerOptions(), () => compiler).Kernel.Plain, Is.EqualTo("k"));
    }

    [Test]
    public void TemplatesAreInstantiatedByTheirName()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        CudaFile file = CudaFile.Read(folder.Write("k.cu", "namespace n { template <typename T, int N> __global__ void scale(T* x) { x[0] *= N; } }"));
        Assert.That(file.Compile("n::scale<double, 3>", new CudaCompilerOptions(), () => compiler).Kernel.Signature, Is.EqualTo("n::scale<double, 3>(double*)"));
        Assert.That(
            () => file.Compile("scale", new CudaCompilerOptions(), () => compiler),
            Throws.InstanceOf<SprintException>().With.Message.EndsWith("does not instantiate the template n::scale<typename T, int N>: give its arguments, as in --kernel \"n::scale<float, 4>\""));
        Assert.That(
            () => file.Compile("n::scale", new CudaCompilerOptions(), () => compiler),
            Throws.InstanceOf<SprintException>().With.Message.EndsWith("does not instantiate the template n::scale<typename T, int N>: give its arguments, as in --kernel \"n::scale<float, 4>\""));
        Assert.That(
            () => file.Compile(null, new CudaCompilerOptions(), () => compiler),
            Throws.InstanceOf<SprintException>().With.Message.EndsWith("instantiates none of its templates: name one with its arguments, as in --kernel \"n::scale<float, 4>\", of n::scale<typename T, int N>"));
    }

    [TestCase("extern \"C\" __global__ void k(T const* __restrict__ x, const int n, unsigned long m) {}", "const double*|int|unsigned long")]
    [TestCase("extern \"C\" __global__ void __launch_bounds__(64) k() {}", "")]
    [TestCase("extern \"C\" { __global__ void k(float4* v, float (*rows)[4]) {} __global__ void other(int) {} }", "float4*|float (*)[4]")]
    [TestCase("#define K extern \"C\" __global__ void k\nK(int* x) {}", null)]
    [TestCase("extern \"C\" { namespace n { __global__ void k(int* x) {} } }", null)]
    [TestCase("extern \"C\" {\n#if 1\n__global__ void k(int* x) {}\n#else\n__global__ void k(float* x) {}\n#endif\n}", "int*")]
    [TestCase("extern \"C\" __device__ int f(); __global__ void k(int* x) {} __global__ void k(float* x, int) {}", "float*|int", "k(float*, int)")]
    public void TheTypesOfParametersAreTheCompilers(string source, string? types, string kernel = "k")
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        CudaFile file = CudaFile.Read(folder.Write("k.cu", $"typedef double T;\n{source}"));
        CudaFileImage image = file.Compile(kernel, new CudaCompilerOptions(), () => compiler);
        Assert.That(image.ParameterTypes is { } found ? string.Join('|', found) : null, Is.EqualTo(types));
        Assert.That(image.Program!.Log, Is.Empty);
        Assert.That(image.Kernel.Plain, Is.EqualTo("k"));
    }

    [TestCase("k<float>", "has no kernel 'k<float>', and NVRTC makes none of that name: type name is not allowed; it has k; t<typename T>; n::u<class T>; n::o<class T>; n::o<class T>")]
    [TestCase("t<absent>", "has no kernel 't<absent>', and NVRTC makes none of that name: identifier \"absent\" is undefined; its template is t<typename T>: write --kernel \"t<float>\"")]
    [TestCase("t<4>", "cannot determine which instance of function template \"t\" is intended; its template is t<typename T>: write --kernel \"t<float>\"")]
    [TestCase("t<int, int>", "cannot determine which instance of function template \"t\" is intended; its template is t<typename T>: write --kernel \"t<float>\"")]
    [TestCase("u<int>", "identifier \"u\" is undefined; its template is n::u<class T>: write --kernel \"n::u<float>\"")]
    [TestCase("n::absent<int>", "namespace \"n\" has no member \"absent\"; it has k; t<typename T>; n::u<class T>; n::o<class T>; n::o<class T>")]
    [TestCase("n::o<int>", "cannot determine which instance of overloaded function \"n::o\" is intended; its templates are n::o<class T>; n::o<class T>: write which, with the types of its parameters, as in --kernel \"n::o<float>(float*, int)\"")]
    public void AnInstantiationThatTheCompilerRefusesIsOneSentence(string kernel, string sentence)
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        const string Templates = "template <typename T> __global__ void t(T* x) {} namespace n { template <class T> __global__ void u(T* x) {} template <class T> __global__ void o(T* x) {} template <class T> __global__ void o(T* x, int n) {} }";
        CudaFile file = CudaFile.Read(folder.Write("k.cu", Templates + Kernel));
        Assert.That(
            () => file.Compile(kernel, new CudaCompilerOptions(), () => compiler),
            Throws.InstanceOf<SprintException>().With.Message.EndsWith(sentence).And.Not.InstanceOf<CudaCompilationException>());
    }

    [Test]
    public void AnOverloadedTemplateIsNamedWithTheTypesOfItsParameters()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        CudaFile file = CudaFile.Read(folder.Write("k.cu", "template <class T> __global__ void o(T* x) {} template <class T> __global__ void o(T* x, int (*f)(T)) {}"));
        Assert.That(file.Compile("o<float>(float*)", new CudaCompilerOptions(), () => compiler).Kernel.Mangled, Is.EqualTo("_Z1oIfEvPT_"));
        Assert.That(file.Compile("o<int>(int*, int (*)(int))", new CudaCompilerOptions(), () => compiler).Kernel.Mangled, Is.EqualTo("_Z1oIiEvPT_PFiS0_E"));
    }

    [Test]
    public void NamesThatNvccDeclaresBeforeEveryFileAreThereAndLinesStayTheirOwn()
    {
        CudaRuntimeCompiler compiler = CudaRequirements.RequireNvrtc();
        using TemporaryFolder folder = new();
        const string Names = "extern \"C\" __global__ void k(uint* x, ushort* y, ulong* z) { x[0] = y[0] + z[0]; }\ntypedef unsigned int uint;\n";
        Assert.That(CudaFile.Read(folder.Write("names.cu", Names)).Compile("k", new CudaCompilerOptions(), () => compiler).Program!.Log, Is.Empty);
        CudaFile wrong = CudaFile.Read(folder.Write("wrong.cu", Names + "uint f(absent);"));
        Assert.That(
            () => wrong.Compile("k", new CudaCompilerOptions(), () => compiler),
            Throws.InstanceOf<CudaCompilationException>().With.Message.Contains("wrong.cu(3): error"));
    }

    [Test]
    public void PtxIsTakenAsItIsAndKnownByItsText()
    {
        const string Ptx = "//\n// .entry not_this\n//\n/* nor .entry this */ .version 7.8\n.target sm_80\n.address_size 64\n.visible .entry first()\n{ ret; }\n.entry second() { ret; }\n";
        CudaFile file = CudaFile.Interpret("x.txt", Encoding.UTF8.GetBytes(Ptx + "\0"));
        Assert.That(file.IsPtx, Is.True);
        CudaFileImage image = file.Compile("second", new CudaCompilerOptions(), static () => throw new InvalidOperationException("PTX needs no compiler"));
        Assert.That(image.EntryPoints, Is.EqualTo(new[] { "first", "second" }));
        Assert.That(() => file.Compile(null, new CudaCompilerOptions(), static () => null!), Throws.InstanceOf<SprintException>().With.Message.EqualTo("x.txt has 2 kernels, so --kernel must name one of first; second"));
        Assert.That(() => file.Compile(new CudaCompilerOptions(), static () => null!), Throws.InstanceOf<SprintException>().With.Message.Contains("is PTX, which NVRTC does not compile"));
    }

    [Test]
    public void WhatIsNeitherSourceNorPtxIsNamed()
    {
        using TemporaryFolder folder = new();
        Assert.That(() => CudaFile.Read(Path.Combine(folder.Path, "none.cu")), Throws.InstanceOf<SprintException>().With.Message.Contains("there is no file").And.Message.Contains("none.cu"));
        Assert.That(() => CudaFile.Read(folder.Path), Throws.InstanceOf<SprintException>().With.Message.Contains("is a folder"));
        Assert.That(() => CudaFile.Read(folder.Write("x.ptx", "int main() {}\n// more than twenty characters")), Throws.InstanceOf<SprintException>().With.Message.Contains("is not PTX: it begins with 'int main() {}' where PTX has .version"));
        Assert.That(() => CudaFile.Read(folder.Write("x.ptx", "\u007fELF\u0002")), Throws.InstanceOf<SprintException>().With.Message.Contains("is a cubin"));
        Assert.That(() => CudaFile.Read(folder.Write("x.cu", "a\0b")), Throws.InstanceOf<SprintException>().With.Message.Contains("is no text"));
    }

    [Test]
    public void AFileWithoutEndIsRefused()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("needs /dev/zero");
        }

        Assert.That(() => CudaFile.Read("/dev/zero"), Throws.InstanceOf<SprintException>().With.Message.EqualTo("/dev/zero has more bytes than any CUDA source or PTX (67108864)"));
    }

    [FsCheck.NUnit.Property(MaxTest = 500)]
    public void NoTextMakesTheReaderOfPtxFail(FsCheck.NonNull<string> noise)
    {
        CudaFile file = CudaFile.Interpret("x.ptx", Encoding.UTF8.GetBytes(".version 7.8 " + noise.Get.Replace('\0', '/')));
        Assert.That(() => file.Compile("absent", new CudaCompilerOptions(), static () => null!), Throws.InstanceOf<SprintException>());
    }

    [Test]
    public void TheDeclarationOfAnExternCKernelIsFound()
    {
        CudaFile file = CudaFile.Interpret("x.cu", Encoding.UTF8.GetBytes("// __global__ void k(int wrong)\nextern \"C\" __global__ void __launch_bounds__(64) k(\n  const float* x, // x\n  int n)\n{ }"));
        Assert.That(file.FindDeclaration(KernelName.Parse("k")), Is.EqualTo("const float* x, int n"));
        Assert.That(file.FindDeclaration(KernelName.Parse("other")), Is.Null);
    }
}
