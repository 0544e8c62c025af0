using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sprint.Engine.Cuda;

/// <summary>The driver of NVIDIA GPUs: libcuda through P/Invoke.</summary>
internal sealed partial class NativeCudaDriver : ICudaDriver
{
    private static readonly Lock Gate = new();
    private static NativeCudaDriver? instance;

    private readonly ConcurrentDictionary<DeviceModuleHandle, byte[]> images = new();

    private NativeCudaDriver(Version version, int deviceCount) => (DriverVersion, DeviceCount) = (version, deviceCount);

    /// <inheritdoc/>
    public string Name => "cuda";

    /// <inheritdoc/>
    public Version DriverVersion { get; }

    /// <inheritdoc/>
    public int DeviceCount { get; }

    /// <summary>Loads libcuda and initialises it, once a process.</summary>
    /// <exception cref="SprintException">There is no NVIDIA driver, or no device, on this machine.</exception>
    public static NativeCudaDriver Load()
    {
        lock (Gate)
        {
            return instance ??= Initialize();
        }
    }

    /// <summary>The sentence for a cuInit that failed.</summary>
    internal static CudaException NoDevice(int status, string name, string description) =>
        new($"No CUDA device can be used: cuInit failed with {name} ({status}: {description}); check with `nvidia-smi` that the NVIDIA kernel driver is loaded and matches its libraries, or run with --device cpu or --device emulated, which need no GPU.")
        {
            ErrorCode = status,
            ErrorName = name,
            Call = "cuInit",
        };

    /// <summary>CUDA writes its versions as 1000 major + 10 minor.</summary>
    internal static Version DecodeVersion(int version) => new(version / 1000, version % 1000 / 10);

    internal static (string Name, string Description) Describe(int status)
    {
        string name = DriverApi.cuGetErrorName(status, out nint text) == DriverStatus.Success
            ? Marshal.PtrToStringUTF8(text)!
            : "an error that this driver does not know";
        string description = DriverApi.cuGetErrorString(status, out text) == DriverStatus.Success ? Marshal.PtrToStringUTF8(text)! : "no description";
        return (name, description);
    }

    private static NativeCudaDriver Initialize()
    {
        CudaLibraryFinder.System.Require(CudaLibrary.Driver);
        int status = DriverApi.cuInit(0);
        if (status != DriverStatus.Success)
        {
            (string name, string description) = Describe(status);
            throw NoDevice(status, name, description);
        }

        Check(DriverApi.cuDriverGetVersion(out int version));
        Check(DriverApi.cuDeviceGetCount(out int count));
        return count > 0
            ? new NativeCudaDriver(DecodeVersion(version), count)
            : throw NoDevice(DriverStatus.NoDevice, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected");
    }

    private static void Check(int status, string? about = null, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status != DriverStatus.Success)
        {
            throw Failure(status, call, about);
        }
    }

    private static CudaException Failure(int status, string call, string? about)
    {
        (string name, string description) = Describe(status);
        call = CudaCall.FunctionName(call);
        string lost = DriverStatus.LosesContext(status) ? "; the device's context is lost: an earlier launch may be at fault, start the program anew" : "";
        return new CudaException($"{call} failed with {name} ({status}: {description}){(about is null ? "" : $", {about}")}{lost}.")
        {
            ErrorCode = status,
            ErrorName = name,
            Call = call,
            IsContextLost = DriverStatus.LosesContext(status),
        };
    }
}
