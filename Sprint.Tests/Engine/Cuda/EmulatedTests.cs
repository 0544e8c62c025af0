using NUnit.Framework;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>The runtime on the emulated device.</summary>
[TestFixture(0ul)]
[TestFixture(1ul)]
[TestFixture(0x9e3779b97f4a7c15ul)]
public sealed class EmulatedRuntimeTests(ulong seed) : RuntimeConformance
{
    private protected override CudaContext Open() => CudaContext.Emulated(new EmulationOptions { ScheduleSeed = seed });
}

/// <summary>Token dropping on the emulated device.</summary>
[TestFixture(0ul)]
[TestFixture(1ul)]
[TestFixture(0x9e3779b97f4a7c15ul)]
public sealed class EmulatedTokenDropTests(ulong seed) : TokenDropConformance
{
    private protected override CudaContext Open() => CudaContext.Emulated(new EmulationOptions { ScheduleSeed = seed });
}

/// <summary>Adaptive layer norm on the emulated device.</summary>
[TestFixture(0ul)]
[TestFixture(1ul)]
[TestFixture(0x9e3779b97f4a7c15ul)]
public sealed class EmulatedAdaptiveLayerNormTests(ulong seed) : AdaptiveLayerNormConformance
{
    private protected override CudaContext Open() => CudaContext.Emulated(new EmulationOptions { ScheduleSeed = seed });
}
