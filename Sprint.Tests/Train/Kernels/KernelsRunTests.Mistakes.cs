using NUnit.Framework;

namespace Sprint.Tests.Train.Kernels;

/// <content>What a user gives wrongly.</content>
public sealed partial class KernelsRunTests
{
    [TestCase("run {bugs} --block 1 --kernel missing_barrier", "--grid is missing: Blocks.")]
    [TestCase("run", "is missing")]
    [TestCase("run {folder}/none.cu --grid 1 --block 1", "there is no file {folder}/none.cu: name a .cu or .ptx file")]
    [TestCase("run {folder} --grid 1 --block 1", "is a folder")]
    [TestCase("run {folder}/no.ptx --grid 1 --block 1", "is not PTX: it begins with 'int main() {}'")]
    [TestCase("run {folder}/broken.ptx --grid 1 --block 1", "fly", "PTX line 6")]
    [TestCase("run {folder}/hostile.ptx --grid 1 --block 1 --arg f32[1]=zeros", "hostile.ptx")]
    [TestCase("run {bugs} --grid 1 --block 1", "kernels, so --kernel must name one of")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel absent", "has no kernel 'absent': it has", "off_by_one")]
    [TestCase("run {folder}/great.ptx --grid 1 --block 1", "Kernel k declares 80000 bytes of static shared memory, of which 49152 are the most on any GPU: use dynamic shared memory")]
    [TestCase("run {bugs} --grid 0 --block 1 --kernel missing_barrier", "--grid 0: write X, X,Y or X,Y,Z, each a whole number from 1")]
    [TestCase("run {bugs} --grid 1,2,3,4 --block 1 --kernel missing_barrier", "--grid 1,2,3,4: write")]
    [TestCase("run {bugs} --grid 1 --block x --kernel missing_barrier", "--block x: write")]
    [TestCase("run {bugs} --grid 1 --block 2000 --kernel missing_barrier --arg i32[1]=zeros", "2000 threads")]
    [TestCase("run {bugs} --grid 1,70000 --block 1 --kernel missing_barrier --arg i32[1]=zeros", "1x70000x1")]
    [TestCase("run {bugs} --grid 1 --block 1 --shared 1000000 --kernel missing_barrier --arg i32[1]=zeros", "1000000 bytes of dynamic shared memory")]
    [TestCase("run {bugs} --grid 1 --block 1 --shared -1 --kernel missing_barrier", "--shared -1 must be 0 or more")]
    [TestCase("run {bugs} --grid 1 --block 1 --seed -1 --kernel missing_barrier", "--seed -1 must be 0 or more")]
    [TestCase("run {bugs} --grid 1 --block 1 --schedule -1 --kernel missing_barrier", "--schedule -1 must be 0 or more")]
    [TestCase("run {bugs} --grid 1 --block 1 --budget 0 --kernel missing_barrier", "--budget 0 must be at least 1")]
    [TestCase("run {bugs} --grid 1 --block 1 --workers -1 --kernel missing_barrier", "--workers -1 must be from 0 (as many as there are cores) to 1024")]
    [TestCase("run {bugs} --grid 1 --block 1 --workers 5000 --kernel missing_barrier", "--workers 5000 must be from 0 (as many as there are cores) to 1024")]
    [TestCase("run {bugs} --grid 1 --block 1 --workers many --kernel missing_barrier", "--workers 'many' is not a whole number")]
    [TestCase("run {bugs} --grid 1 --block 1 --schedules 0 --kernel missing_barrier", "--schedules 0 must be at least 1")]
    [TestCase("run {bugs} --grid 1 --block 1 --schedules 2 --device cuda --kernel missing_barrier", "--schedules 2: a GPU has its own; leave the option out, or choose --device emulated")]
    [TestCase("run {bugs} --grid 1 --block 1 --device gpu --kernel missing_barrier", "device 'gpu' runs no kernels: choose emulated, cuda or cuda:N")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier", "missing_barrier takes 1 argument, but 0 are given with --arg: 8 bytes (integer or pointer)")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel off_by_one --arg i32[1]=zeros --arg i32[1]=zeros --arg f32:1", "argument 2 'f32:1' is f32, but parameter 2 of off_by_one is 4 bytes (integer or pointer): write i32:1")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel off_by_one --arg i32[1]=zeros --arg i32[1]=zeros --arg i64:1", "argument 2 'i64:1' is 8 bytes, but parameter 2 of off_by_one is 4 bytes (integer or pointer): write i32:1")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel off_by_one --arg i32[1]=zeros --arg i32[1]=zeros --arg i32[1]=zeros", "argument 2 'i32[1]=zeros' is a buffer of i32, but parameter 2 of off_by_one is 4 bytes (integer or pointer): write i32:1")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier --arg bytes:00", "argument 0 'bytes:00' is 1 byte, but parameter 0 of missing_barrier is 8 bytes (integer or pointer): write i64:1 or f32[1024]=zeros")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier --arg nonsense", "--arg 'nonsense' is no argument: write TYPE:VALUE")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier --arg i32[4]@{folder}/none.safetensors#x", "none.safetensors")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier --arg @{folder}/none.safetensors#x", "{folder}/none.safetensors", "there is no such file")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier --arg @{folder}/none", "--arg '@{folder}/none' names no tensor")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier --arg i32[4]=zeros --save out.npz", "--save 'out.npz' must end in .safetensors")]
    [TestCase("run {bugs} --grid 1 --block 1 -D 1X=2", "-D 1X=2: a macro is NAME or NAME=VALUE")]
    [TestCase("run {bugs} --grid 1 --block 1 -I{folder}/none", "-I {folder}/none: there is no such folder")]
    [TestCase("run {bugs} --grid 1 --block 1 -DX=2 --kernel missing_barrier --arg i32[4]=zeros", "-D and -I are for the compiler, and {bugs} is PTX, which is compiled already: leave them out, or give the .cu file")]
    [TestCase("run {bugs} --grid 1 --block 1 --shared 99999999999 --kernel missing_barrier", "--shared '99999999999' is not between -2147483648 and 2147483647; see")]
    [TestCase("run {bugs} --grid 1 --block 1 --budget 99999999999999999999 --kernel missing_barrier", "--budget '99999999999999999999' is not between -9223372036854775808 and 9223372036854775807; see")]
    [TestCase("run {folder}/nothing.ptx --grid 1 --block 1", "nothing.ptx is empty: it is no PTX")]
    [TestCase("run {bugs} --grid 1 --block 1 --kernel missing_barrier --arg i32[4]=zeros --save {folder}/folder.safetensors", "folder.safetensors' is a folder: name a file in it")]
    [TestCase("run {folder}/many.ptx --grid 1 --block 1", "many.ptx has 300 kernels, so --kernel must name one of k0; k1; k10; k100;", "; and 250 more")]
    [TestCase("run {folder}/many.ptx --grid 1 --block 1 --kernel absent", "has no kernel 'absent': it has k0; k1;", "; and 250 more")]
    [TestCase("run {bugs} --grid 1 --block 1 --fast", "'--fast' is no option of sprint kernels run")]
    [TestCase("profile {bugs} --grid 1 --block 1 --device cuda --kernel missing_barrier --arg i32[4]=zeros", "a GPU does not count what a kernel executes")]
    public void A_mistake_is_one_line(string line, params string[] parts) =>
        SprintCommand.Refuse(["kernels", .. Split(line)], [.. parts.Select(Place)]);

    [Test]
    public void An_empty_path_is_told() => SprintCommand.Refuse(["kernels", "run", "", "--grid", "1", "--block", "1"], "FILE is empty: name a .cu or .ptx file");
}
