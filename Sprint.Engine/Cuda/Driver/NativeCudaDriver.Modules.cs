using System.Text;

namespace Sprint.Engine.Cuda;

/// <content>Modules and launches.</content>
internal sealed unsafe partial class NativeCudaDriver
{
    private const int LogCapacity = 16 * 1024;
    private const int MaximumParameters = 4096;

    /// <inheritdoc/>
    public DeviceModuleHandle LoadModule(ReadOnlySpan<byte> image, string name)
    {
        // The driver reads PTX up to a zero byte, which NVRTC writes and a text file lacks.
        byte[] copy = new byte[image.Length + 1];
        image.CopyTo(copy);
        byte[] log = new byte[LogCapacity];
        int status;
        DeviceModuleHandle module;
        fixed (byte* data = copy)
        fixed (byte* text = log)
        {
            JitOption* options = stackalloc[] { JitOption.ErrorLogBuffer, JitOption.ErrorLogSize };
            void** values = stackalloc void*[2];
            values[0] = text;
            values[1] = (void*)LogCapacity;
            status = DriverApi.cuModuleLoadDataEx(out module, data, 2, options, values);
        }

        if (status != DriverStatus.Success)
        {
            string reason = Encoding.UTF8.GetString(log.AsSpan(0, Math.Max(0, log.AsSpan().IndexOf((byte)0)))).Trim();
            string advice = status switch
            {
                DriverStatus.NoBinaryForGpu => "; it was compiled for another architecture than this device's",
                DriverStatus.UnsupportedPtxVersion => $"; its PTX is newer than this driver (CUDA {DriverVersion}) knows: update the driver",
                _ => "",
            };
            throw Failure(status, nameof(DriverApi.cuModuleLoadDataEx), $"module {name}{advice}{(reason.Length == 0 ? "" : ": " + reason)}");
        }

        images[module] = copy;
        return module;
    }

    /// <inheritdoc/>
    public void UnloadModule(DeviceModuleHandle module)
    {
        images.TryRemove(module, out _);
        Check(DriverApi.cuModuleUnload(module));
    }

    /// <inheritdoc/>
    public FunctionHandle GetFunction(DeviceModuleHandle module, string entryPoint)
    {
        Check(DriverApi.cuModuleGetFunction(out FunctionHandle function, module, entryPoint), $"kernel {entryPoint}");
        return function;
    }

    /// <inheritdoc/>
    public bool TryGetGlobal(DeviceModuleHandle module, string variable, out DevicePointer pointer, out long bytes)
    {
        int status = DriverApi.cuModuleGetGlobal_v2(out pointer, out nuint size, module, variable);
        bytes = (long)size;
        if (status == DriverStatus.NotFound)
        {
            return false;
        }

        Check(status, $"variable {variable}", nameof(DriverApi.cuModuleGetGlobal_v2));
        return true;
    }

    /// <inheritdoc/>
    public KernelParameter[]? GetParameters(DeviceModuleHandle module, FunctionHandle function, string entryPoint)
    {
        if (images.TryGetValue(module, out byte[]? image) && KernelImageReader.TryReadParameters(image, entryPoint, out KernelParameter[]? parameters))
        {
            return parameters;
        }

        return CudaLibraryResolver.HasSymbol(CudaLibrary.Driver, nameof(DriverApi.cuFuncGetParamInfo)) ? AskForParameters(function) : null;
    }

    /// <inheritdoc/>
    public int GetFunctionAttribute(FunctionHandle function, FunctionAttribute attribute)
    {
        Check(DriverApi.cuFuncGetAttribute(out int value, attribute, function));
        return value;
    }

    /// <inheritdoc/>
    public void SetFunctionAttribute(FunctionHandle function, FunctionAttribute attribute, int value) =>
        Check(DriverApi.cuFuncSetAttribute(function, attribute, value), $"{attribute} = {value}");

    /// <inheritdoc/>
    public int GetMaximumActiveBlocks(FunctionHandle function, int blockThreads, int dynamicSharedBytes)
    {
        Check(DriverApi.cuOccupancyMaxActiveBlocksPerMultiprocessor(out int blocks, function, blockThreads, (nuint)dynamicSharedBytes));
        return blocks;
    }

    /// <inheritdoc/>
    public void Launch(in KernelLaunch launch)
    {
        int status;
        fixed (byte* block = launch.Arguments)
        {
            void** pointers = stackalloc void*[Math.Max(1, launch.Parameters.Length)];
            for (int i = 0; i < launch.Parameters.Length; i++)
            {
                pointers[i] = block + launch.Parameters[i].Offset;
            }

            (uint gridX, uint gridY, uint gridZ) = ((uint)launch.Grid.X, (uint)launch.Grid.Y, (uint)launch.Grid.Z);
            (uint blockX, uint blockY, uint blockZ) = ((uint)launch.Block.X, (uint)launch.Block.Y, (uint)launch.Block.Z);
            uint shared = (uint)launch.DynamicSharedBytes;
            status = launch.IsCooperative
                ? DriverApi.cuLaunchCooperativeKernel(launch.Function, gridX, gridY, gridZ, blockX, blockY, blockZ, shared, launch.Stream, pointers)
                : DriverApi.cuLaunchKernel(launch.Function, gridX, gridY, gridZ, blockX, blockY, blockZ, shared, launch.Stream, pointers, null);
        }

        if (status != DriverStatus.Success)
        {
            throw LaunchFailure(status, launch);
        }
    }

    private static CudaException LaunchFailure(int status, in KernelLaunch launch)
    {
        (string name, string description) = Describe(status);
        string call = launch.IsCooperative ? nameof(DriverApi.cuLaunchCooperativeKernel) : nameof(DriverApi.cuLaunchKernel);
        string advice = status == DriverStatus.LaunchOutOfResources ? "; use a smaller block or fewer registers (__launch_bounds__)" : "";
        return new CudaException(
            $"{call} failed with {name} ({status}: {description}) for kernel {launch.Name}, grid {launch.Grid}, block {launch.Block}, {launch.DynamicSharedBytes} bytes of dynamic shared memory{advice}.")
        {
            ErrorCode = status,
            ErrorName = name,
            Call = call,
            KernelName = launch.Name,
            Grid = launch.Grid,
            Block = launch.Block,
            IsContextLost = DriverStatus.LosesContext(status),
        };
    }

    private static KernelParameter[] AskForParameters(FunctionHandle function)
    {
        List<KernelParameter> parameters = [];
        while (parameters.Count < MaximumParameters)
        {
            int status = DriverApi.cuFuncGetParamInfo(function, (nuint)parameters.Count, out nuint offset, out nuint size);
            if (status == DriverStatus.InvalidValue)
            {
                break;
            }

            Check(status, null, nameof(DriverApi.cuFuncGetParamInfo));
            parameters.Add(new KernelParameter((int)offset, (int)size, KernelParameterKind.Bytes));
        }

        return [.. parameters];
    }
}
