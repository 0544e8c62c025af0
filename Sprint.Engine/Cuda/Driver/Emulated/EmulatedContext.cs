using Sprint.Engine.Emulation;

namespace Sprint.Engine.Cuda;

/// <summary>
/// The primary context of an emulated device: its memory, its objects, its streams. Callers hold <see cref="Gate"/>.
/// Handles are never given out twice in a process, so that an object of another context, or one that was freed, is known as such.
/// </summary>
internal sealed class EmulatedContext : IDisposable
{
    private static long lastHandle;

    private readonly Dictionary<nint, object> objects = [];
    private readonly StreamScheduler scheduler;
    private readonly List<StreamCapture> captures = [];
    private CudaException? fault;

    public EmulatedContext(EmulatedCudaDriver driver, long memoryBytes, ulong seed)
    {
        Driver = driver;
        Memory = new EmulatedMemory(memoryBytes);
        scheduler = new StreamScheduler(seed);
        DefaultStream = scheduler.Create();
        Handle = new ContextHandle(NextHandle());
    }

    public EmulatedCudaDriver Driver { get; }

    public ContextHandle Handle { get; }

    public bool IsLost => fault is not null;

    public Lock Gate { get; } = new();

    public EmulatedMemory Memory { get; }

    public EmulatedStream DefaultStream { get; }

    /// <summary>Page-locked host memory by its address.</summary>
    public SortedList<nint, PinnedMemory> Pinned { get; } = [];

    public nint Add(object item)
    {
        nint handle = NextHandle();
        objects.Add(handle, item);
        return handle;
    }

    public T Get<T>(nint handle)
        where T : class => objects.GetValueOrDefault(handle) as T ?? throw Unknown<T>();

    public T Remove<T>(nint handle)
        where T : class
    {
        T item = Get<T>(handle);
        objects.Remove(handle);
        return item;
    }

    /// <summary>The functions of a module go with it.</summary>
    public void RemoveFunctions(EmulatedModule module)
    {
        foreach (nint handle in objects.Where(pair => pair.Value is EmulatedFunction function && function.Module == module).Select(static pair => pair.Key).ToList())
        {
            objects.Remove(handle);
        }
    }

    public EmulatedStream GetStream(StreamHandle handle) => handle == default ? DefaultStream : Get<EmulatedStream>(handle.Value);

    public EmulatedStream CreateStream() => scheduler.Create();

    public void DestroyStream(EmulatedStream stream)
    {
        if (stream.Capture is { } capture && capture.IsOrigin(stream))
        {
            EndCapture(capture);
        }

        scheduler.Abandon(stream);
    }

    /// <summary>Throws what lost the context, if anything did.</summary>
    public void RequireUsable()
    {
        if (fault is not null)
        {
            throw Copy(fault);
        }
    }

    /// <summary>Puts work into a stream, or into what is being captured from it.</summary>
    public static void Enqueue(EmulatedStream stream, StreamOperation operation)
    {
        if (stream.Capture is { } capture)
        {
            capture.Add(stream, operation);
        }
        else
        {
            stream.Pending.Enqueue(operation);
        }
    }

    public void Run(EmulatedStream stream) => Guard(() => scheduler.RunUntil(stream, static stream => stream.Pending.Count == 0));

    public void Run(EventRecord record) => Guard(() => scheduler.RunUntil(record.Stream, _ => record.IsReached));

    public void RunAll() => Guard(scheduler.RunAll);

    /// <summary>Time passes: something that the stream waits for has ended.</summary>
    public void RunOne(EmulatedStream stream) => Guard(() => scheduler.RunOne(stream));

    public StreamCapture BeginCapture(EmulatedStream stream)
    {
        StreamCapture capture = new(stream);
        captures.Add(capture);
        return capture;
    }

    public void EndCapture(StreamCapture capture)
    {
        captures.Remove(capture);
        capture.Release();
    }

    /// <summary>Refuses what a capture on this thread forbids, and spoils the capture.</summary>
    public void RefuseInCapture(string call)
    {
        if (captures.Find(static capture => capture.ThreadId == Environment.CurrentManagedThreadId) is { } capture)
        {
            throw capture.Spoil($"{call} is not possible while a stream is captured: it would not be part of the graph");
        }
    }

    public void Dispose()
    {
        objects.Clear();
        scheduler.Clear();
        Memory.Dispose();
        foreach (PinnedMemory pinned in Pinned.Values)
        {
            pinned.Free();
        }

        Pinned.Clear();
    }

    private static nint NextHandle() => (nint)Interlocked.Increment(ref lastHandle);

    private void Guard(Action run)
    {
        try
        {
            run();
        }
        catch (CudaException failure)
        {
            // Nothing that was still waiting can be relied on, as on a GPU.
            fault = failure;
            scheduler.Clear();
            throw;
        }
    }

    private static CudaException Copy(CudaException fault) => new(fault.Message, fault)
    {
        ErrorCode = fault.ErrorCode,
        ErrorName = fault.ErrorName,
        Call = fault.Call,
        KernelName = fault.KernelName,
        Grid = fault.Grid,
        Block = fault.Block,
        IsContextLost = true,
    };

    private static CudaException Unknown<T>()
    {
        string kind = typeof(T).Name.Replace("Emulated", "", StringComparison.Ordinal).ToLowerInvariant();
        return new CudaException($"A handle ({kind}) was used that is of another context or was destroyed.") { ErrorCode = DriverStatus.InvalidHandle, ErrorName = "CUDA_ERROR_INVALID_HANDLE" };
    }
}
