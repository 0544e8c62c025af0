using NUnit.Framework;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>The runtime on a real GPU; ignored where there is none.</summary>
[TestFixture]
[Category("Gpu")]
public sealed class GpuRuntimeTests : RuntimeConformance
{
    private protected override CudaContext Open() => CudaRequirements.RequireGpu();
}

/// <summary>Token dropping on a real GPU; ignored where there is none.</summary>
[TestFixture]
[Category("Gpu")]
public sealed class GpuTokenDropTests : TokenDropConformance
{
    private protected override CudaContext Open() => CudaRequirements.RequireGpu();
}

/// <summary>Adaptive layer norm on a real GPU; ignored where there is none.</summary>
[TestFixture]
[Category("Gpu")]
public sealed class GpuAdaptiveLayerNormTests : AdaptiveLayerNormConformance
{
    private protected override CudaContext Open() => CudaRequirements.RequireGpu();
}
