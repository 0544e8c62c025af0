using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>What a block is executed with: warps, shared and local memory, barriers. Blocks run one after another.</summary>
internal sealed unsafe partial class BlockExecutor : IDisposable
{
    private const int MinimumSlice = 64;
    private const int SliceSpread = 2048;

    // A block that has spent this many instructions and looked so often at what others write, one in so many, waits for them; sooner if it saw no news.
    private const long WaitingInstructions = 1 << 14;
    private const long IdleInstructions = 1 << 11;
    private const int WaitingInterval = 64;
    private const long LongInstructions = 1 << 24;

    // Before a warp's budget is spent its block has given way so often at least.
    private const int TurnsOfBudget = 64;

    // After about so much news a warp gives way, and after so much, each time more, its block.
    private const long LooksOfWarp = 4;
    private const long FirstLooksOfTurn = 2;

    private const long MaximumFrameBytes = 512L << 20;

    private readonly Warp[] warps;
    private readonly Dictionary<DecodedFunction, Stack<Frame>> frames = [];
    private readonly long turnInstructions;
    private ulong random;
    private ulong lookRandom;
    private long frameBytes;
    private long news;
    private long newsBefore;
    private long looksOfWarp;
    private long looksOfBlock;
    private long looksOfTurn;

    public BlockExecutor(LaunchContext launch)
    {
        Launch = launch;
        turnInstructions = Math.Clamp(launch.Options.InstructionBudget / TurnsOfBudget, 1, LongInstructions);
        KernelProgram program = launch.Program;
        BlockCounts = (long*)NativeMemory.AllocZeroed((nuint)program.BlockCount * 2 + 2, sizeof(long));
        GuardCounts = (long*)NativeMemory.AllocZeroed((nuint)program.GuardCount * 2 + 2, sizeof(long));
        Counters = launch.Options.Counters ? new AccessCounters() : null;
        long threads = ((long)launch.BlockSize.Count + 31) / 32 * 32;
        Clocks = launch.CheckRaces || launch.CheckGlobalRaces ? new WarpClocks((int)threads / 32, program.UsesFence) : null;
        GlobalRaces = launch.CheckGlobalRaces ? launch.CreateRaceDetector(Clocks!) : null;
        Shared = new SharedMemory(launch.Shared, program.RaceGranule, launch.CheckRaces ? Clocks : null);
        localBytes = threads * launch.LocalBytes;
        Local = (byte*)NativeMemory.AlignedAlloc((nuint)localBytes + 64, 64);
        LocalInitialised = (byte*)NativeMemory.AlignedAlloc((nuint)localBytes + 64, 64);
        warps = new Warp[threads / 32];
        for (int k = 0; k < warps.Length; k++)
            warps[k] = new Warp(this, k);
    }

    private readonly long localBytes;

    // For one whose constructor found no memory.
    ~BlockExecutor() => Free();

    public LaunchContext Launch { get; }

    public long* BlockCounts { get; private set; }

    public long* GuardCounts { get; private set; }

    public AccessCounters? Counters { get; }

    public SharedMemory Shared { get; }

    /// <summary>The order of the block's warps, null if no races are looked for.</summary>
    public WarpClocks? Clocks { get; }

    /// <summary>The detector of races in global memory, null if they are not looked for.</summary>
    public GlobalRaceDetector? GlobalRaces { get; }

    public byte* Local { get; private set; }

    public byte* LocalInitialised { get; private set; }

    /// <summary>How often a warp came to a barrier some of whose lanes had returned before.</summary>
    public long PartialBarriers { get; set; }

    /// <summary>How often a member mask named lanes that had returned before.</summary>
    public long PartialMasks { get; set; }

    /// <summary>The block that is executed.</summary>
    public LaunchIndex Position { get; private set; }

    /// <summary>What the block printed.</summary>
    public StringBuilder Output { get; } = new();

    /// <summary>The number of the block in the grid, X fastest.</summary>
    public long Rank { get; private set; }

    /// <summary>Why the block's turn ended.</summary>
    public TurnEnd End { get; private set; }

    /// <summary>Whether a warp of the block saw something new in its turn, by an atomic or volatile read.</summary>
    public bool HasNews => news != newsBefore;

    /// <summary>Whether the block has ended.</summary>
    public bool IsFinished => End == TurnEnd.Finished;

    /// <summary>How often the blocks so far have read global memory atomically or past caches, as who waits for another block does.</summary>
    public long Polls { get; private set; }

    /// <summary>Puts a block at its beginning.</summary>
    /// <param name="rank">The block's number in the grid, X fastest.</param>
    public void Begin(long rank)
    {
        Rank = rank;
        End = TurnEnd.None;
        Output.Clear();
        Position = Launch.BlockAt(rank);
        random = Launch.Options.ScheduleSeed * 0x9E3779B97F4A7C15 + (ulong)rank * 0xD1B54A32D192ED03 + 1;
        lookRandom = ~random;
        looksOfTurn = FirstLooksOfTurn;
        looksOfWarp = Draw(LooksOfWarp);
        looksOfBlock = Draw(FirstLooksOfTurn);
        Shared.Reset();
        Clocks?.Reset((uint)rank & RaceEntry.BlockMask);
        GlobalRaces?.Begin(rank);
        NativeMemory.Clear(LocalInitialised, (nuint)localBytes);
        ResetBarriers();
        foreach (Warp warp in warps)
            warp.Start();
    }

    /// <summary>Executes the block to its end, or until others should have a turn: it waits for them, or has run for long.</summary>
    /// <exception cref="EmulationException">The kernel did something wrong.</exception>
    public void Advance()
    {
        Span<int> runnable = stackalloc int[32];
        long executed = 0, looked = 0, polls = Polls, news = newsBefore = this.news;
        End = TurnEnd.None;
        while (executed < turnInstructions && End == TurnEnd.None)
        {
            if (executed - looked >= WaitingInstructions || (executed - looked >= IdleInstructions && news == this.news))
            {
                if ((Polls - polls) * WaitingInterval >= executed - looked)
                {
                    End = TurnEnd.Waiting;
                    return;
                }
                looked = executed;
                polls = Polls;
                news = this.news;
            }
            int count = 0;
            for (int k = 0; k < warps.Length; k++)
            {
                if (warps[k].CanRun)
                    runnable[count++] = k;
            }
            if (count == 0)
            {
                if (!Array.TrueForAll(warps, warp => warp.Live == 0))
                    throw DescribeDeadlock();
                End = TurnEnd.Finished;
                return;
            }
            Warp next = warps[runnable[(int)(NextRandom() % (uint)count)]];
            long before = next.Executed;
            next.Run(MinimumSlice + (long)(NextRandom() % SliceSpread));
            executed += next.Executed - before;
            if (next.Live == 0)
                RecheckBarriers();
        }
    }

    /// <summary>The next number of the block's schedule.</summary>
    public ulong NextRandom() => SplitMix64.Next(ref random);

    /// <summary>
    /// Told what a warp saw by an atomic or volatile read. When that is news, now and then the warp gives way at the end of its basic block, and where the news may be of another
    /// block its own block does: what a thread does on the strength of what it saw is then tried with all that others may do in between.
    /// </summary>
    public void Look(Warp warp, bool isGlobal, ulong address, ulong value)
    {
        Polls += isGlobal ? 1 : 0;
        if (!warp.IsNews(address, value))
            return;
        news++;
        if (--looksOfWarp <= 0)
        {
            looksOfWarp = Draw(LooksOfWarp);
            warp.EndSlice();
        }
        if (isGlobal && --looksOfBlock <= 0)
        {
            looksOfBlock = Draw(looksOfTurn);
            looksOfTurn += (looksOfTurn + 3) / 4;
            End = TurnEnd.Drawn;
            warp.EndSlice();
        }
    }

    private long Draw(long mean) => 1 + (long)(SplitMix64.Next(ref lookRandom) % (ulong)(2 * mean));

    /// <summary>A frame for a call, new or used before; null if calls already hold too much memory.</summary>
    public Frame? Rent(DecodedFunction function)
    {
        if (frames.TryGetValue(function, out Stack<Frame>? free) && free.TryPop(out Frame? frame))
            return frame;
        if (frameBytes + function.FrameBytes > MaximumFrameBytes)
            return null;
        frameBytes += function.FrameBytes;
        return new Frame(function);
    }

    /// <summary>Takes a frame back whose lanes have all returned.</summary>
    public void Return(Frame frame)
    {
        if (!frames.TryGetValue(frame.Function, out Stack<Frame>? free))
            frames[frame.Function] = free = [];
        free.Push(frame);
    }

    /// <summary>A new activation's local memory was never written.</summary>
    public void ForgetLocal(int warp, uint lanes, int offset, int bytes)
    {
        for (uint rest = bytes > 0 ? lanes : 0; rest != 0; rest &= rest - 1)
        {
            long thread = warp * 32L + BitOperations.TrailingZeroCount(rest);
            NativeMemory.Clear(LocalInitialised + thread * Launch.LocalBytes + offset, (nuint)bytes);
        }
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
        Shared.Dispose();
        foreach (Warp warp in warps)
            warp.Dispose();
        foreach (Frame frame in frames.Values.SelectMany(frames => frames))
            frame.Dispose();
    }

    private void Free()
    {
        NativeMemory.Free(BlockCounts);
        NativeMemory.Free(GuardCounts);
        NativeMemory.AlignedFree(Local);
        NativeMemory.AlignedFree(LocalInitialised);
        BlockCounts = GuardCounts = null;
        Local = LocalInitialised = null;
    }
}
