using System.Runtime.CompilerServices;
using Sprint.Engine.Emulation;

namespace Sprint.Engine.Cuda;

/// <summary>
/// The driver of one emulated device: the kernels' PTX is executed by the engine's emulator, and what a program must not rest on is not there.
/// Work put into a stream runs no earlier than something waits for it; which streams advance meanwhile is drawn from
/// <see cref="EmulationOptions.ScheduleSeed"/>. A fault of a kernel or copy loses the context, as on a GPU: it is thrown by the call that
/// waits and by every call after it, while another context, of another driver, can be opened in the same process.
/// </summary>
internal sealed partial class EmulatedCudaDriver : ICudaDriver
{
    private const long A100Bytes = 40L << 30;

    /// <summary>
    /// Of the host's, for each byte of an allocation: the byte, whether it was written, who read and who wrote it by the read-only path, and half a byte
    /// for races; and something for the process itself.
    /// </summary>
    private const int HostBytesPerByte = 5;

    /// <summary>
    /// Device memory where nothing else is said: an A100's 40 GiB, but no more than the host can provide. Beyond that the system would end the process,
    /// where a GPU has an error that names what is to be lowered.
    /// </summary>
    public static long DefaultMemoryBytes => Math.Min(A100Bytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / HostBytesPerByte);

    [ThreadStatic]
    private static Stack<EmulatedContext>? current;

    private readonly EmulationOptions options;
    private readonly Action<LaunchStatistics>? launched;
    private readonly long memoryBytes;
    private readonly Lock gate = new();
    private EmulatedContext? primary;
    private int retained;

    /// <summary>Creates a driver with a device of its own.</summary>
    /// <param name="options">How kernels are emulated.</param>
    /// <param name="launched">Told what each launch executed once it has run, in the order in which launches ran; or null.</param>
    /// <param name="memoryBytes">Device memory.</param>
    public EmulatedCudaDriver(EmulationOptions options, Action<LaunchStatistics>? launched, long memoryBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(memoryBytes);
        (this.options, this.launched, this.memoryBytes) = (options, launched, memoryBytes);
    }

    /// <inheritdoc/>
    public string Name => "emulated";

    /// <inheritdoc/>
    public Version DriverVersion { get; } = new(11, 8);

    /// <inheritdoc/>
    public int DeviceCount => 1;

    /// <inheritdoc/>
    public ContextHandle RetainContext(int ordinal)
    {
        RequireDevice(ordinal);
        lock (gate)
        {
            primary ??= new EmulatedContext(this, memoryBytes, options.ScheduleSeed);
            retained++;
            return primary.Handle;
        }
    }

    /// <inheritdoc/>
    public void ReleaseContext(int ordinal)
    {
        lock (gate)
        {
            if (--retained == 0)
            {
                primary?.Dispose();
                primary = null;
            }
        }
    }

    /// <inheritdoc/>
    public void PushContext(ContextHandle context)
    {
        lock (gate)
        {
            if (primary is null || primary.Handle != context)
            {
                throw new CudaException("A context was made current that is of another device or was released.");
            }

            (current ??= new Stack<EmulatedContext>()).Push(primary);
        }
    }

    /// <inheritdoc/>
    public void PopContext() => current?.TryPop(out _);

    /// <inheritdoc/>
    public void SynchronizeContext()
    {
        using Lock.Scope scope = Enter(out EmulatedContext context);
        context.RefuseInCapture(nameof(SynchronizeContext));
        context.RunAll();
    }

    /// <summary>The current context, locked until the scope is disposed.</summary>
    /// <exception cref="CudaException">No context of this device is current, or a fault has lost it.</exception>
    private Lock.Scope Enter(out EmulatedContext context, [CallerMemberName] string call = "")
    {
        Lock.Scope scope = EnterEvenIfLost(out context, call);
        try
        {
            context.RequireUsable();
            return scope;
        }
        catch
        {
            scope.Dispose();
            throw;
        }
    }

    /// <summary>The same for what is allowed after a fault too: attributes, and the release of what is owned.</summary>
    private Lock.Scope EnterEvenIfLost(out EmulatedContext context, [CallerMemberName] string call = "")
    {
        context = Current(call);
        return context.Gate.EnterScope();
    }

    private EmulatedContext Current([CallerMemberName] string call = "")
    {
        if (current is null || !current.TryPeek(out EmulatedContext? context))
        {
            throw new CudaException($"{call} was called without a current context.");
        }

        return context.Driver == this ? context : throw new CudaException($"{call} was called while a context of another device was current.");
    }

    private static CudaException Refused(int status, string name, string message) => new(message) { ErrorCode = status, ErrorName = name };

    private static CudaException InvalidValue(string message) => Refused(DriverStatus.InvalidValue, "CUDA_ERROR_INVALID_VALUE", message);
}
