using System.Runtime.InteropServices;

namespace Sprint.Engine.Cuda;

/// <content>Streams, events, graphs.</content>
internal static partial class DriverApi
{
    [LibraryImport(Library)]
    public static partial int cuStreamCreate(out StreamHandle stream, StreamFlags flags);

    [LibraryImport(Library)]
    public static partial int cuStreamDestroy_v2(StreamHandle stream);

    [LibraryImport(Library)]
    public static partial int cuStreamSynchronize(StreamHandle stream);

    [LibraryImport(Library)]
    public static partial int cuStreamQuery(StreamHandle stream);

    [LibraryImport(Library)]
    public static partial int cuStreamWaitEvent(StreamHandle stream, EventHandle handle, uint flags);

    [LibraryImport(Library)]
    public static partial int cuEventCreate(out EventHandle handle, EventFlags flags);

    [LibraryImport(Library)]
    public static partial int cuEventDestroy_v2(EventHandle handle);

    [LibraryImport(Library)]
    public static partial int cuEventRecord(EventHandle handle, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial int cuEventSynchronize(EventHandle handle);

    [LibraryImport(Library)]
    public static partial int cuEventQuery(EventHandle handle);

    [LibraryImport(Library)]
    public static partial int cuEventElapsedTime(out float milliseconds, EventHandle start, EventHandle end);

    [LibraryImport(Library)]
    public static partial int cuStreamBeginCapture_v2(StreamHandle stream, CaptureMode mode);

    [LibraryImport(Library)]
    public static partial int cuStreamEndCapture(StreamHandle stream, out GraphHandle graph);

    [LibraryImport(Library)]
    public static partial int cuGraphDestroy(GraphHandle graph);

    [NewerDriver("11.4")]
    [LibraryImport(Library)]
    public static partial int cuGraphInstantiateWithFlags(out GraphExecutableHandle executable, GraphHandle graph, ulong flags);

    [LibraryImport(Library)]
    public static partial int cuGraphExecDestroy(GraphExecutableHandle executable);

    [LibraryImport(Library)]
    public static partial int cuGraphLaunch(GraphExecutableHandle executable, StreamHandle stream);
}
