using NUnit.Framework;
using Sprint.Model.Checkpoints;
using Sprint.Tests.Engine.Cuda;

namespace Sprint.Tests.Train.Kernels;

/// <content>Arguments against the C++ types of the parameters.</content>
public sealed partial class KernelsRunTests
{
    [Test]
    public void Types_of_a_mangled_kernel_are_checked()
    {
        CudaRequirements.RequireNvrtc();
        string path = folder.Write("typed.cu", "struct P { int a; float b; };\n__global__ void typed(P p, const float4* x, unsigned short* bits, long long n, bool flag) { if (flag) bits[0] = p.a + (int)n + (int)x[0].x; }");
        string run = $"run {path} --grid 1 --block 1 --arg bytes:0500000000000000";
        string output = Succeed($"{run} --arg f32[4]=ones --arg bf16[2]=poison --arg i64:2 --arg bool:true");
        Assert.That(Row(output, "arg2"), Does.EndWith(" 0 1"), "5 + 2 + 1 in 16 bits, and one element never written");
        const string Signature = "of typed(P, const float4*, unsigned short*, long long, bool) is of type";
        Refuse($"{run} --arg f64[4]=ones --arg bf16[2]=poison --arg i64:2 --arg bool:true", $"argument 1 'f64[4]=ones' is a buffer of f64, but parameter 1 {Signature} const float4*: write f32[4]=ones");
        Refuse($"{run} --arg f32[6]=ones --arg bf16[2]=poison --arg i64:2 --arg bool:true", $"argument 1 'f32[6]=ones' is a buffer of 6 elements, but parameter 1 {Signature} const float4*: write a multiple of 4 elements");
        Refuse($"{run} --arg f32[4]=ones --arg f32[2]=zeros --arg i64:2 --arg bool:true", $"parameter 2 {Signature} unsigned short*: write u16[2]=zeros");
        Refuse($"{run} --arg f32[4]=ones --arg u64:7 --arg i64:2 --arg bool:true", $"argument 2 'u64:7' is u64 by value, but parameter 2 {Signature} unsigned short*: write u16[1024]=zeros, or u64:0 for a null pointer");
        Refuse($"{run} --arg f32[4]=ones --arg bf16[2]=zeros --arg f32[4]=ones --arg bool:true", $"argument 3 'f32[4]=ones' is a buffer of f32, but parameter 3 {Signature} long long: write i64:1");
        Refuse($"{run} --arg f32[4]=ones --arg bf16[2]=zeros --arg u64:9223372036854775808 --arg bool:true", $"is beyond i64, but parameter 3 {Signature} long long: write i64:-9223372036854775808 for the same bits");
        Refuse($"{run} --arg f32[4]=ones --arg bf16[2]=zeros --arg i64:2 --arg u8:1", $"argument 4 'u8:1' is u8, but parameter 4 {Signature} bool: write bool:true");
        Refuse($"run {path} --grid 1 --block 1 --arg f64:5 --arg f32[4]=ones --arg bf16[2]=zeros --arg i64:2 --arg bool:true", $"argument 0 'f64:5' is f64, but parameter 0 {Signature} P (8 bytes): write struct:{{ARG,ARG,...}} of 8 bytes, or bytes: and 16 hexadecimal digits");
        Refuse($"run {path} --grid 1 --block 1 --arg bytes:05 --arg f32[4]=ones --arg bf16[2]=zeros --arg i64:2 --arg bool:true", $"argument 0 'bytes:05' is 1 byte, but parameter 0 {Signature} P (8 bytes): write struct:{{ARG,ARG,...}} of 8 bytes, or bytes: and 16 hexadecimal digits");
        Refuse($"{run} --arg f64:0 --arg bf16[2]=zeros --arg i64:2 --arg bool:true", $"argument 1 'f64:0' is f64 by value, but parameter 1 {Signature} const float4*: write f32[1024]=zeros, or u64:0 for a null pointer");

        void Refuse(string line, string part) => SprintCommand.Refuse(["kernels", .. Split(line)], part);
    }

    [TestCase("f64[4]=normal", "write f32[4]=normal")]
    [TestCase("@{folder}/in.safetensors#ids", "is a buffer of i32", "name a tensor that is stored as f32")]
    [TestCase("@{folder}/in.safetensors#wide", "is a buffer of f64", "write f32[2,2]@{folder}/in.safetensors#wide")]
    public void The_compiler_tells_the_types_of_an_extern_C_kernel(string argument, params string[] parts)
    {
        CudaRequirements.RequireNvrtc();
        string path = folder.Write("k.cu", "#define REAL real\ntypedef float real;\nextern \"C\" __global__ void k(const REAL* x, float* y) { y[0] = x[0]; }");
        var writer = new SafetensorsWriter();
        writer.Add("ids", [4], new[] { 5, 6, 7, 8 });
        writer.AddBytes("wide", SafetensorsDataType.F64, [2, 2], new byte[32]);
        writer.Save(Path.Combine(folder.Path, "in.safetensors"));
        string run = $"run {path} --grid 1 --block 1";
        Succeed($"{run} --arg f32[4]=ones --arg f32[1]=poison");
        Succeed($"{run} --arg f32[4]@{{folder}}/in.safetensors#wide --arg f32[1]=poison");
        SprintCommand.Refuse(["kernels", .. Split($"{run} --arg {argument} --arg f32[1]=poison")], [Place($"argument 0 '{argument}'"), "but parameter 0 of k(const REAL* x, float* y) is of type const float*: ", .. parts.Select(Place)]);
    }
}
