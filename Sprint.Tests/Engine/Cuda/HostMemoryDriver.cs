using System.Runtime.InteropServices;
using NUnit.Framework;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>
/// A driver for tests of what stands above the interface: its device memory is host memory, it runs nothing, but it keeps account of every
/// object and refuses what a real driver refuses: calls without a current context, and objects freed twice or never made.
/// </summary>
internal sealed class HostMemoryDriver : ICudaDriver
{
    [ThreadStatic]
    private static int pushed;

    private readonly Lock gate = new();
    private readonly Dictionary<nint, string> alive = [];
    private nint next = 1000;

    public List<string> Calls { get; } = [];

    public KernelParameter[]? Parameters { get; set; }

    public byte[] LaunchedArguments { get; private set; } = [];

    public CudaException? NextLaunchFailure { get; set; }

    /// <summary>The kind of object of which no more can be made: "memory", "pinned", "event" ...</summary>
    public string? Exhausted { get; set; }

    public CudaException? NextSynchronizationFailure { get; set; }

    /// <summary>Whether launches pass without a trace, for tests of what a launch itself allocates.</summary>
    public bool IsQuiet { get; set; }

    public string Name => "host";

    public Version DriverVersion { get; } = new(12, 0);

    public int DeviceCount => 1;

    public bool HasMemoryPool { get; set; } = true;

    public bool HasGraphs { get; set; } = true;

    /// <summary>What was made and not freed, by kind.</summary>
    public IReadOnlyList<string> Alive
    {
        get
        {
            lock (gate)
            {
                return [.. alive.Values.Order()];
            }
        }
    }

    public static int PushedOnThisThread => pushed;

    public CudaDeviceProperties GetDeviceProperties(int ordinal) => TestDevices.Create(80) with { HasMemoryPools = HasMemoryPool };

    public ContextHandle RetainContext(int ordinal) => new(Make("context"));

    public void ReleaseContext(int ordinal)
    {
        lock (gate)
        {
            nint context = alive.Single(static pair => pair.Value == "context").Key;
            Assert.That(alive, Has.Count.EqualTo(1), "the context goes last");
            alive.Remove(context);
        }
    }

    public void PushContext(ContextHandle context)
    {
        lock (gate)
        {
            if (alive.GetValueOrDefault(context.Value) != "context")
            {
                throw new CudaException($"Context {context} was pushed before it was retained, or after its release.");
            }
        }

        pushed++;
    }

    public void PopContext() => pushed--;

    public void SynchronizeContext() => Record("synchronize context");

    public CudaMemoryInformation GetMemoryInformation() => new(1, 2);

    public DeviceModuleHandle LoadModule(ReadOnlySpan<byte> image, string name) => new(Make("module"));

    public void UnloadModule(DeviceModuleHandle module) => Drop(module.Value, "module");

    public FunctionHandle GetFunction(DeviceModuleHandle module, string entryPoint)
    {
        Use(module.Value, "module");
        return new FunctionHandle(42);
    }

    public bool TryGetGlobal(DeviceModuleHandle module, string variable, out DevicePointer pointer, out long bytes)
    {
        (pointer, bytes) = (new DevicePointer(64), 16);
        return variable == "present";
    }

    public KernelParameter[]? GetParameters(DeviceModuleHandle module, FunctionHandle function, string entryPoint) => Parameters;

    public int GetFunctionAttribute(FunctionHandle function, FunctionAttribute attribute) => attribute switch
    {
        FunctionAttribute.MaximumThreadsPerBlock => 512,
        FunctionAttribute.StaticSharedBytes => 1024,
        FunctionAttribute.Registers => 40,
        _ => 0,
    };

    public void SetFunctionAttribute(FunctionHandle function, FunctionAttribute attribute, int value) => Record($"{attribute} = {value}");

    public int GetMaximumActiveBlocks(FunctionHandle function, int blockThreads, int dynamicSharedBytes) => 5;

    public void Launch(in KernelLaunch launch)
    {
        if (IsQuiet)
        {
            return;
        }

        Record($"launch {launch.Name} {launch.Grid} {launch.Block} {launch.DynamicSharedBytes}");
        LaunchedArguments = launch.Arguments.ToArray();
        if (NextLaunchFailure is { } failure)
        {
            NextLaunchFailure = null;
            throw failure;
        }
    }

    public unsafe DevicePointer Allocate(long bytes)
    {
        RequireLeft("memory");
        nint memory = (nint)NativeMemory.AlignedAlloc((nuint)bytes, 256);
        Add(memory, "memory");
        return new DevicePointer((ulong)memory);
    }

    public unsafe void Free(DevicePointer pointer)
    {
        Drop((nint)pointer.Address, "memory");
        NativeMemory.AlignedFree((void*)pointer.Address);
    }

    public DevicePointer AllocateAsync(long bytes, StreamHandle stream)
    {
        UseStream(stream);
        return Allocate(bytes);
    }

    public void FreeAsync(DevicePointer pointer, StreamHandle stream)
    {
        UseStream(stream);
        Record("free in stream");
        Free(pointer);
    }

    public void TrimMemoryPool() => Record("trim");

    public nint AllocatePinned(long bytes)
    {
        RequireLeft("pinned");
        nint memory = Marshal.AllocHGlobal((nint)bytes);
        Add(memory, "pinned");
        return memory;
    }

    public void FreePinned(nint pointer)
    {
        Drop(pointer, "pinned");
        Marshal.FreeHGlobal(pointer);
    }

    public void CopyToDevice(DevicePointer destination, nint source, long bytes, StreamHandle stream) => Copy((nint)destination.Address, source, bytes);

    public void CopyToHost(nint destination, DevicePointer source, long bytes, StreamHandle stream) => Copy(destination, (nint)source.Address, bytes);

    public void CopyOnDevice(DevicePointer destination, DevicePointer source, long bytes, StreamHandle stream) =>
        Copy((nint)destination.Address, (nint)source.Address, bytes);

    public unsafe void Fill(DevicePointer destination, uint value, int elementBytes, long count, StreamHandle stream)
    {
        Record("fill");
        NativeMemory.Fill((void*)destination.Address, (nuint)(elementBytes * count), (byte)value);
    }

    public void Discard(DevicePointer destination, long bytes, StreamHandle stream) => Record("discard");

    public StreamHandle CreateStream() => new(Make("stream"));

    public void DestroyStream(StreamHandle stream) => Drop(stream.Value, "stream");

    public void SynchronizeStream(StreamHandle stream)
    {
        UseStream(stream);
        Record("synchronize stream");
        if (NextSynchronizationFailure is { } failure)
        {
            NextSynchronizationFailure = null;
            throw failure;
        }
    }

    public bool IsStreamIdle(StreamHandle stream) => true;

    public void WaitForEvent(StreamHandle stream, EventHandle handle) => Use(handle.Value, "event");

    public EventHandle CreateEvent(bool timing) => new(Make("event"));

    public void DestroyEvent(EventHandle handle) => Drop(handle.Value, "event");

    public void RecordEvent(EventHandle handle, StreamHandle stream) => Use(handle.Value, "event");

    public void SynchronizeEvent(EventHandle handle) => Use(handle.Value, "event");

    public bool IsEventReached(EventHandle handle) => true;

    public float GetElapsedMilliseconds(EventHandle start, EventHandle end) => 1.5f;

    public void BeginCapture(StreamHandle stream) => Record("begin capture");

    public GraphHandle EndCapture(StreamHandle stream)
    {
        Record("end capture");
        return new GraphHandle(Make("graph"));
    }

    public void DestroyGraph(GraphHandle graph) => Drop(graph.Value, "graph");

    public GraphExecutableHandle InstantiateGraph(GraphHandle graph) => new(Make("executable"));

    public void DestroyGraphExecutable(GraphExecutableHandle executable) => Drop(executable.Value, "executable");

    public void LaunchGraph(GraphExecutableHandle executable, StreamHandle stream) => Record("launch graph");

    private unsafe void Copy(nint destination, nint source, long bytes)
    {
        Record("copy");
        Buffer.MemoryCopy((void*)source, (void*)destination, bytes, bytes);
    }

    private void RequireLeft(string kind)
    {
        if (Exhausted == kind)
        {
            throw new CudaException($"There is no {kind} left.") { ErrorCode = DriverStatus.OutOfMemory };
        }
    }

    private nint Make(string kind)
    {
        RequireLeft(kind);
        lock (gate)
        {
            alive.Add(++next, kind);
            return next;
        }
    }

    private void Add(nint value, string kind)
    {
        Record("allocate " + kind);
        lock (gate)
        {
            alive.Add(value, kind);
        }
    }

    private void Use(nint value, string kind)
    {
        lock (gate)
        {
            if (pushed < 1 || alive.GetValueOrDefault(value) != kind)
            {
                throw new CudaException($"{kind} {value} was used without a context, or after it was freed.");
            }
        }
    }

    private void UseStream(StreamHandle stream)
    {
        if (stream != default)
        {
            Use(stream.Value, "stream");
        }
    }

    private void Drop(nint value, string kind)
    {
        Use(value, kind);
        lock (gate)
        {
            alive.Remove(value);
        }
    }

    private void Record(string call)
    {
        if (pushed < 1)
        {
            throw new CudaException($"{call} without a current context.");
        }

        lock (gate)
        {
            Calls.Add(call);
        }
    }
}
