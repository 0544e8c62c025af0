using Sprint.Engine.Cuda;

namespace Sprint.Engine;

/// <summary>
/// Work that a <see cref="CudaDevice"/> captures as a CUDA graph. The first two runs launch it piece by piece: they compile and load kernels and fetch
/// memory, none of which a capture may do. The third is captured, and from then on a run is one launch of the graph. The graph's kernels have
/// their addresses built in, so the memory of the work comes from a cache of its own, which nothing else uses as long as the graph lives.
/// </summary>
internal sealed class CudaReplay : ReplayedWork
{
    private const int RunsBeforeCapture = 2;

    private readonly CudaDevice device;
    private readonly Action undo;
    private AccountChange cost = AccountChange.None;
    private CudaGraphExecutable? graph;
    private int runs;

    /// <summary>Prepares the work.</summary>
    /// <param name="device">The device.</param>
    /// <param name="work">What to run.</param>
    /// <param name="undo">Puts what the host noted of the work back to what it was before, where a capture was broken off.</param>
    /// <param name="createMemory">Makes a cache of its own.</param>
    public CudaReplay(CudaDevice device, Action work, Action undo, Func<CudaReplay, BlockCache> createMemory)
        : base(work)
    {
        this.device = device;
        this.undo = undo;
        Memory = createMemory(this);
    }

    /// <summary>Where the work's tensors take their memory from.</summary>
    public BlockCache Memory { get; }

    /// <summary>Whether the work runs or is captured right now.</summary>
    public bool IsRunning { get; private set; }

    /// <inheritdoc/>
    public override void Run()
    {
        if (graph is not null)
        {
            graph.Launch(device.Stream);
            device.Account.Apply(cost);
            return;
        }

        IsRunning = true;
        using CudaDevice.MemoryScope scope = device.AllocateFrom(Memory);
        try
        {
            if (Problem is not null || runs < RunsBeforeCapture || !device.Context.Driver.HasGraphs)
            {
                Work();
                runs++;
            }
            else
            {
                CaptureAndLaunch();
            }
        }
        finally
        {
            IsRunning = false;
        }
    }

    /// <summary>Gives up graph and memory, which others need: the next runs are as the first.</summary>
    public void Forget()
    {
        graph?.Dispose();
        graph = null;
        runs = 0;
        Memory.Trim();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        Forget();
        device.Remove(this);
        base.Dispose(disposing);
    }

    private void CaptureAndLaunch()
    {
        AccountSnapshot before = device.Account.Snapshot();
        try
        {
            using CudaGraph captured = device.Capture(Work);
            graph = captured.Instantiate();
        }
        catch (SprintException refusal) when (refusal is not CudaException { IsContextLost: true })
        {
            // What can be captured depends on driver, libraries and free memory. The work itself runs without it, and says itself what is wrong with it.
            Problem = refusal.Message;
            device.Account.Apply(before.ChangeTo(device.Account).Reversed());
            undo();
            Work();
            return;
        }

        cost = before.ChangeTo(device.Account);
        Captures++;
        device.LaunchCaptured(graph);
    }
}
