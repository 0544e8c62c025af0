using NUnit.Framework;
using Sprint.Engine;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>Damaged modules of real code are refused, stopped or executed: never another exception, an endless run or gigabytes.</summary>
public sealed class HostileFuzzTests
{
    private static readonly string[] Modules = ["ordinary", "bugs", "language", "debug", "idioms", "headers"];

    [Test]
    public void A_damaged_module_is_refused_or_runs_to_an_end_or_a_clean_fault([Range(0, 11)] int seed)
    {
        string module = Modules[seed % Modules.Length];
        string ptx = EmulatorHarness.Resource(module);
        for (int run = 0; run < 12; run++)
            Run(PtxMutation.Apply(ptx, new Random(seed * 1000 + run)), new Random(run));
    }

    internal static void Run(string ptx, Random random)
    {
        using EmulatedMemory memory = new(256 << 20);
        EmulatedModule module;
        try
        {
            module = new EmulatedModule(PtxModule.Parse(ptx, "damaged"), memory);
        }
        catch (SprintException error)
        {
            Assert.That(error.Message, Is.Not.Empty);
            return;
        }
        ulong data = memory.Allocate(1 << 16);
        memory.Fill(data, 0, 1 << 16);
        foreach (string name in module.Module.Kernels.OrderBy(_ => random.Next()).Take(6))
            Launch(module, name, data);
    }

    private static void Launch(EmulatedModule module, string name, ulong data)
    {
        try
        {
            EmulatedKernel kernel = module.GetKernel(name);
            byte[] parameters = new byte[kernel.ParameterBytes];
            foreach ((int offset, int bytes) in kernel.Parameters)
                BitConverter.TryWriteBytes(parameters.AsSpan(offset, Math.Min(bytes, 8)), bytes == 8 ? data : 40);
            EmulationOptions options = new() { InstructionBudget = 5_000, Workers = 1, Counters = true };
            new EmulatedLaunch(kernel, new(2), new(64), 1024, parameters, options).Run();
        }
        catch (SprintException error)
        {
            Assert.That(error.Message, Is.Not.Empty);
        }
    }
}
