using NUnit.Framework;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

[TestFixture]
public sealed class KernelTemplateTests
{
    [TestCase("template<class T> __global__ void k(T* x) {}", "k<class T>", "k<float>")]
    [TestCase("template <typename T, int N>\n__global__ void __launch_bounds__(128, 2) k(T* x, int (*rows)[N])\n{\n}", "k<typename T, int N>", "k<float, 4>")]
    [TestCase("template<bool B, std::size_t N, Mode M> static __global__ void k();", "k<bool B, std::size_t N, Mode M>", "k<true, 4, M>")]
    [TestCase("template<class T, class U = pair<T, (4 > 3)>, int N = 2> __global__ void k(T* x) {}", "k<class T, class U = pair<T, (4 > 3)>, int N = 2>", "k<float>")]
    [TestCase("template<template<class> class C, class... A> __global__ void k(A... a) {}", "k<template<class> class C, class... A>", "k<C, float>")]
    [TestCase("namespace a { namespace b::c { struct S { int x; }; template<class T> __global__ void k(T* x) {} } }", "a::b::c::k<class T>", "a::b::c::k<float>")]
    [TestCase("namespace a { int f() { return 1; } }\nnamespace { inline namespace v { template<class T> __global__ void k(T* x) {} } }", "v::k<class T>", "v::k<float>")]
    [TestCase("template<class T> __device__ T f(T x) { return x; }\ntemplate<class T> struct S {};\ntemplate __global__ void k<float>(float*);\n__global__ void k(int* x) {}", null, null)]
    [TestCase("template<class T", null, null)]
    [TestCase("}}}} template<class T> {{{", null, null)]
    public void TemplatesOfKernelsAreReadOutOfASource(string code, string? declaration, string? example)
    {
        IReadOnlyList<KernelTemplate> found = KernelTemplate.FindAll(code);
        Assert.That(found.Select(static template => template.Declaration), Is.EqualTo(declaration is null ? (string[])[] : [declaration]));
        Assert.That(found.Select(static template => template.Example), Is.EqualTo(example is null ? (string[])[] : [example]));
    }

    [TestCase("scale<float>", "scale<float>")]
    [TestCase("mine::scale<float>(float*, int)", "(void(*)(float*, int))mine::scale<float>")]
    [TestCase("scale<float>(int (*)(float)) ", "(void(*)(int (*)(float)))scale<float>")]
    [TestCase("(void(*)(float*))scale<float>", "(void(*)(float*))scale<float>")]
    [TestCase("scale)", "scale)")]
    public void ASignatureIsACast(string kernel, string expression) => Assert.That(KernelTemplate.ExpressionOf(kernel), Is.EqualTo(expression));
}
