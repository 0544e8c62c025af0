using System.Runtime.Intrinsics;
using Sprint.Engine.Emulation.Decoding;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Registers of which one half is undefined and the other is not.</summary>
internal sealed unsafe partial class UndefinedTracker
{
    private void Pack(UndefinedStep step, ushort* origins, uint lanes)
    {
        Vector512<ushort> lower = Of(origins, step.Sources[0]), upper = Of(origins, step.Sources[1]);
        Set(origins, step.Targets, lanes, Vector512.Max(lower, upper));
        SetDefinedHalves(step.Targets, lanes, Defined(lower), Defined(upper));
    }

    private void Unpack(UndefinedStep step, ushort* origins, uint lanes)
    {
        int source = step.Sources[0];
        Vector512<ushort> value = Of(origins, source);
        uint lower = warp.Frame.DefinedHalves[2 * source], upper = warp.Frame.DefinedHalves[2 * source + 1];
        Set(origins, step.Targets.AsSpan(0, 1), lanes, Vector512.AndNot(value, Lanes.Mask<ushort>(lower, 0)));
        Set(origins, step.Targets.AsSpan(1), lanes, Vector512.AndNot(value, Lanes.Mask<ushort>(upper, 0)));
    }

    private void PassOnHalves(UndefinedStep step, ushort* origins, uint lanes)
    {
        uint lower = uint.MaxValue, upper = uint.MaxValue;
        foreach (int register in step.Sources)
        {
            uint defined = Defined(Of(origins, register));
            lower &= defined | warp.Frame.DefinedHalves[2 * register];
            upper &= defined | warp.Frame.DefinedHalves[2 * register + 1];
        }
        PassOn(step, origins, lanes);
        SetDefinedHalves(step.Targets, lanes, lower, upper);
    }

    private void SetDefinedHalves(ReadOnlySpan<int> registers, uint lanes, uint lower, uint upper)
    {
        foreach (int register in registers)
        {
            if (register < 0)
                continue;
            uint* halves = warp.Frame.DefinedHalves + 2 * register;
            halves[0] = halves[0] & ~lanes | lower & lanes;
            halves[1] = halves[1] & ~lanes | upper & lanes;
        }
    }

    private static uint Defined(Vector512<ushort> origins) => (uint)Vector512.Equals(origins, Vector512<ushort>.Zero).ExtractMostSignificantBits();
}
