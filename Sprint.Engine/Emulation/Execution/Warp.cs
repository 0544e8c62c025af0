using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>A warp: 32 lanes that share instructions. The fields are what handlers touch on every instruction.</summary>
internal sealed unsafe partial class Warp
{
    public const int StagedBytes = 32 * 16;

    /// <summary>Registers of the current frame.</summary>
    public byte* Registers;

    /// <summary>Lanes that execute now.</summary>
    public uint Active;

    /// <summary>Groups of lanes that are elsewhere or wait.</summary>
    public int PendingCount;

    /// <summary>Instructions until the warp gives way to another.</summary>
    public long Slice;

    /// <summary>Executions and lane executions of every basic block, shared by the warps of a worker.</summary>
    public readonly long* BlockCounts;

    /// <summary>Executions and lane executions of every guarded instruction.</summary>
    public readonly long* GuardCounts;

    /// <summary>Lanes that have taken part in the block's work: they stored something or came to a barrier.</summary>
    public uint Worked;

    /// <summary>Lanes that have come to an instruction of several lanes: a shuffle, a vote, <c>bar.warp.sync</c>.</summary>
    public uint Exchanged;

    /// <summary>Scratch: the address of every lane.</summary>
    public readonly ulong* Addresses;

    /// <summary>Scratch: where on the host the bytes of every lane's access are.</summary>
    public readonly byte** Host;

    /// <summary>Scratch: what every lane is about to store, where that is in no register.</summary>
    public readonly byte* Staged;

    public readonly BlockExecutor Block;

    public readonly LaunchContext Launch;

    public readonly int Index;

    /// <summary>The detector of races in global memory between the warp's lanes, null if they are not looked for.</summary>
    public readonly LaneRaceDetector? LaneRaces;

    /// <summary>Access counters, null unless asked for.</summary>
    public readonly AccessCounters? Counters;

    private Frame frame;
    private long sliceLength;
    private readonly (ulong Address, ulong Value)[] seen = new (ulong, ulong)[4];

    public Warp(BlockExecutor block, int index)
    {
        Block = block;
        Launch = block.Launch;
        Index = index;
        BlockCounts = block.BlockCounts;
        GuardCounts = block.GuardCounts;
        Counters = block.Counters;
        LaneRaces = block.GlobalRaces is { } races ? new LaneRaceDetector(races, block.Clocks!, index, Launch.Program) : null;
        Addresses = (ulong*)NativeMemory.AlignedAlloc(32 * 16 + StagedBytes, 64);
        Host = (byte**)(Addresses + 32);
        Staged = (byte*)(Host + 32);
        frame = new Frame(Launch.Program.Kernel);
        Registers = frame.Registers;
    }

    ~Warp() => Free();

    /// <summary>Lanes that are threads of the block.</summary>
    public uint Valid { get; private set; }

    /// <summary>Lanes whose thread has ended.</summary>
    public uint Exited { get; private set; }

    /// <summary>Lanes whose thread still runs or waits.</summary>
    public uint Live => Valid & ~Exited;

    public Frame Frame => frame;

    /// <summary>Instructions executed so far.</summary>
    public long Executed { get; private set; }

    /// <summary>Puts the warp at the beginning of its kernel for a new block.</summary>
    public void Start()
    {
        int threads = (int)Math.Min(32, (long)Launch.BlockSize.Count - Index * 32L);
        Valid = threads == 32 ? Lanes.All : (1u << threads) - 1;
        Exited = 0;
        Worked = Exchanged = 0;
        Executed = 0;
        Array.Clear(seen);
        while (frame.Parent is not null)
            frame = frame.Parent;
        frame.Live = Valid;
        frame.Prepare(this);
        ResetSynchronization();
        ResetRotation();
        LaneRaces?.Reset();
        FollowsUndefined = false;
        PendingCount = 0;
        Active = Valid;
        Push(Launch.Program.Kernel.Entry, Valid, WaitKind.None, 0);
    }

    /// <summary>Executes until the slice is used up, every lane waits, or all have ended.</summary>
    public void Run(long slice)
    {
        Slice = slice;
        sliceLength = slice;
        Instruction* instruction = SelectNext();
        if (FollowsUndefined)
            instruction = undefined!.Run(instruction);
        while (instruction != null)
            instruction = instruction->Handler(this, instruction);
        Executed += sliceLength - Slice;
        if (Executed > Launch.Options.InstructionBudget)
        {
            throw Fault(PendingCount > 0 ? pending[0].Pc : null, LowestLane(PendingCount > 0 ? pending[0].Mask : Valid), EmulationFault.InstructionBudget,
                $"A warp executed {Executed} instructions, more than the budget of {Launch.Options.InstructionBudget}; the kernel may never end");
        }
    }

    /// <summary>Whether the warp saw something else when it last looked there, or has looked at much since.</summary>
    public bool IsNews(ulong address, ulong value)
    {
        ref (ulong Address, ulong Value) last = ref seen[(int)(address >> 2) & 3];
        if (last.Address == address && last.Value == value)
            return false;
        last = (address, value);
        return true;
    }

    /// <summary>Gives way to other warps at the end of the basic block.</summary>
    public void EndSlice()
    {
        sliceLength -= Math.Max(Slice, 0);
        Slice = Math.Min(Slice, 0);
    }

    /// <summary>Instructions executed so far, the current slice included.</summary>
    public long Clock() => Executed + sliceLength - Slice;

    public static int LowestLane(uint mask) => System.Numerics.BitOperations.TrailingZeroCount(mask) & 31;

    /// <summary>The error of one lane at an instruction.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public EmulationException Fault(Instruction* instruction, int lane, EmulationFault fault, string detail)
        => new(fault, detail, Site(instruction, lane));

    /// <summary>Where an instruction and a lane are.</summary>
    public EmulationSite Site(Instruction* instruction, int lane)
    {
        KernelProgram program = Launch.Program;
        PtxModule module = program.Module.Module;
        InstructionInfo info = instruction == null ? default : NearestInfo(program, instruction);
        PtxInstruction? source = info.Source;
        bool located = source is not null && source.Location.Line > 0;
        bool inlined = source is { Location.CallerLine: > 0 };
        return new EmulationSite(
            Module: module.Name,
            Kernel: program.Kernel.Syntax.Name,
            Function: info.Function,
            Block: Block.Position,
            Thread: lane >= 0 ? Launch.BlockSize.At((ulong)(Index * 32 + lane)) : null,
            SourceFile: located ? module.Files.GetValueOrDefault(source!.Location.File) : null,
            SourceLine: located ? source!.Location.Line : null,
            Instruction: source?.Text,
            PtxLine: source?.Line,
            CallerFile: inlined ? module.Files.GetValueOrDefault(source!.Location.CallerFile) : null,
            CallerLine: inlined ? source!.Location.CallerLine : null);
    }

    /// <summary>"kernel.cu:12" or the PTX line of an instruction.</summary>
    public string Place(Instruction* instruction)
    {
        EmulationSite site = Site(instruction, -1);
        return site.SourceFile is not null ? $"{site.SourceFile}:{site.SourceLine}" : $"PTX line {site.PtxLine}";
    }

    /// <summary>"a load of 4 bytes", of an access of the warp with a number of <see cref="AccessSites"/>.</summary>
    public string DescribeAccess(AccessKind kind, int bytes, uint site)
        => Launch.Program.Sites.Find(site) is (var copy, >= 0)
            ? $"the read of {bytes} bytes that the asynchronous copy at {Place(Launch.Program.Code + copy)} makes at any time until this wait,"
            : $"a {MemoryAccess.Describe(kind)} of {bytes} bytes";

    /// <summary>" at kernel.cu:12", of an access with such a number; nothing if it is unknown.</summary>
    public string DescribeSite(uint site)
    {
        (int access, int wait) = Launch.Program.Sites.Find(site);
        string place = access < 0 ? string.Empty : $" at {Place(Launch.Program.Code + access)}";
        return wait < 0 ? place : $"{place}, an asynchronous copy that reads at any time until the wait at {Place(Launch.Program.Code + wait)},";
    }

    /// <summary>Writes the 32 lanes of a special register.</summary>
    public void FillSpecial(SpecialRegister register, uint* lanes)
    {
        LaunchIndex size = Launch.BlockSize;
        for (int lane = 0; lane < 32; lane++)
        {
            LaunchIndex thread = size.At((ulong)(Index * 32 + lane));
            lanes[lane] = register switch
            {
                SpecialRegister.ThreadX => thread.X,
                SpecialRegister.ThreadY => thread.Y,
                SpecialRegister.ThreadZ => thread.Z,
                SpecialRegister.BlockSizeX => size.X,
                SpecialRegister.BlockSizeY => size.Y,
                SpecialRegister.BlockSizeZ => size.Z,
                SpecialRegister.BlockX => Block.Position.X,
                SpecialRegister.BlockY => Block.Position.Y,
                SpecialRegister.BlockZ => Block.Position.Z,
                SpecialRegister.GridX => Launch.Grid.X,
                SpecialRegister.GridY => Launch.Grid.Y,
                SpecialRegister.GridZ => Launch.Grid.Z,
                SpecialRegister.Lane => (uint)lane,
                SpecialRegister.WarpIndex => (uint)Index,
                SpecialRegister.WarpCount => (uint)((size.Count + 31) / 32),
                SpecialRegister.LaneMaskEqual => 1u << lane,
                SpecialRegister.LaneMaskLess => (1u << lane) - 1,
                SpecialRegister.LaneMaskLessOrEqual => (uint)((2ul << lane) - 1),
                SpecialRegister.LaneMaskGreater => ~(uint)((2ul << lane) - 1),
                SpecialRegister.LaneMaskGreaterOrEqual => ~((1u << lane) - 1),
                SpecialRegister.GridWorkspaceHigh => (uint)(Launch.GridWorkspace >> 32),
                SpecialRegister.GridWorkspaceLow => (uint)Launch.GridWorkspace,
                SpecialRegister.DynamicSharedSize => (uint)Launch.DynamicSharedBytes,
                SpecialRegister.TotalSharedSize => (uint)Launch.SharedBytes,
                SpecialRegister.MultiprocessorCount => 1,
                _ => 0,
            };
        }
    }

    // The entry of a basic block has no text of its own: what follows it has.
    private static InstructionInfo NearestInfo(KernelProgram program, Instruction* instruction)
    {
        long index = instruction - program.Code;
        while (index < program.Info.Length - 1 && program.Info[index].Source is null)
            index++;
        return program.Info[index];
    }
}
