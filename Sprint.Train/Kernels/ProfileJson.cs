using System.Text.Json;
using Sprint.Engine;
using Sprint.Engine.Cuda;
using Sprint.Engine.Emulation;

namespace Sprint.Train;

/// <summary>A profile for machines: one JSON object.</summary>
internal static class ProfileJson
{
    internal static string Write(LaunchRequest request, KernelRun run)
    {
        LaunchStatistics counts = run.Statistics!;
        return JsonText.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("file", request.File.Path);
            json.WriteString("kernel", run.Kernel.Mangled);
            json.WriteString("signature", run.Kernel.Signature);
            WriteExtent(json, "grid", request.Grid);
            WriteExtent(json, "block", request.Block);
            json.WriteNumber("dynamic_shared_bytes", request.SharedBytes);
            json.WriteNumber("static_shared_bytes", run.Attributes.StaticSharedBytes);
            json.WriteNumber("estimated_registers", run.Attributes.Registers);
            json.WriteNumber("occupancy", run.Occupancy.Fraction);
            json.WriteNumber("warp_instructions", counts.WarpInstructions);
            json.WriteNumber("lane_instructions", counts.LaneInstructions);
            WriteKinds(json, "warp_instructions_by_kind", counts.WarpInstructionsOf);
            WriteKinds(json, "lane_instructions_by_kind", counts.LaneInstructionsOf);
            json.WriteNumber("single_flops", counts.SingleFlops);
            json.WriteNumber("double_flops", counts.DoubleFlops);
            json.WriteNumber("half_flops", counts.HalfFlops);
            json.WriteNumber("tensor_flops", counts.TensorFlops);
            WriteTraffic(json, "global", counts.Global);
            WriteTraffic(json, "shared", counts.Shared);
            WriteTraffic(json, "local", counts.Local);
            json.WriteNumber("global_requests", counts.GlobalRequests);
            json.WriteNumber("global_sectors", counts.GlobalSectors);
            json.WriteNumber("global_ideal_sectors", counts.GlobalIdealSectors);
            json.WriteNumber("shared_requests", counts.SharedRequests);
            json.WriteNumber("shared_wavefronts", counts.SharedWavefronts);
            json.WriteNumber("shared_bank_conflicts", counts.SharedBankConflicts);
            json.WriteNumber("branches", counts.Branches);
            json.WriteNumber("divergent_branches", counts.DivergentBranches);
            json.WriteBoolean("float_atomics", counts.UsesFloatAtomics);
            WriteRoofline(json, counts);
            json.WriteString("printed", counts.Output);
            json.WriteEndObject();
        });
    }

    private static void WriteExtent(Utf8JsonWriter json, string name, Dim3 extent)
    {
        json.WriteStartArray(name);
        json.WriteNumberValue(extent.X);
        json.WriteNumberValue(extent.Y);
        json.WriteNumberValue(extent.Z);
        json.WriteEndArray();
    }

    private static void WriteKinds(Utf8JsonWriter json, string name, Func<InstructionKind, long> count)
    {
        json.WriteStartObject(name);
        foreach (InstructionKind kind in Enum.GetValues<InstructionKind>().Where(static kind => kind != InstructionKind.None))
        {
            json.WriteNumber(ProfileHints.NameOf(kind).Replace(' ', '_'), count(kind));
        }

        json.WriteEndObject();
    }

    private static void WriteTraffic(Utf8JsonWriter json, string space, SpaceTraffic traffic)
    {
        json.WriteNumber($"{space}_bytes_read", traffic.Read);
        json.WriteNumber($"{space}_bytes_written", traffic.Written);
    }

    private static void WriteRoofline(Utf8JsonWriter json, LaunchStatistics counts)
    {
        json.WriteStartObject("roofline");
        foreach (PublishedRates rates in PublishedRates.All)
        {
            Roofline roofline = Roofline.Of(counts, rates);
            json.WriteStartObject(rates.Name);
            json.WriteString("bound", roofline.Bound.Name);
            json.WriteNumber("seconds", roofline.Bound.Seconds);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
