using System.CommandLine;

namespace Sprint.Train;

/// <summary>The command <c>kernels</c>: the engine's CUDA kernels, and those of any other file.</summary>
internal static class KernelsCommand
{
    internal static Command Create() => new(
        "kernels",
        """
        List, compile and inspect the engine's CUDA kernels; run and profile the kernels of any CUDA file, also without a GPU.
        Examples:
          sprint kernels list
          sprint kernels run scale.cu --grid 4 --block 256 --arg f32[1024]=iota --arg f32:0.5 --arg i32:1024
        """)
    {
        KernelsListCommand.Create(),
        KernelsBuildCommand.Create(),
        KernelsReportCommand.Create(),
        KernelsRunCommand.Create(),
        KernelsProfileCommand.Create(),
    };
}
