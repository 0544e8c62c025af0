using Sprint.Engine.Cuda;

namespace Sprint.Train;

/// <summary>The arguments of a launch as one block of bytes, and the buffers that they point to, which live until this is disposed.</summary>
/// <param name="context">Where the buffers are.</param>
/// <param name="seed">Seed of normal numbers.</param>
internal sealed class ArgumentBlock(CudaContext context, ulong seed) : IDisposable
{
    private const int MemberShift = 32;

    private readonly List<(string Name, BufferData Data, CudaDeviceVariable<byte> Memory)> buffers = [];

    /// <summary>Allocates and fills the buffers, and lays the arguments out as the kernel has its parameters, which they fit.</summary>
    internal byte[] Arrange(IReadOnlyList<KernelArgument> arguments, IReadOnlyList<KernelParameter> parameters)
    {
        byte[] block = new byte[parameters.Count == 0 ? 0 : parameters[^1].Offset + parameters[^1].Size];
        for (int i = 0; i < parameters.Count; i++)
        {
            ulong stream = (ulong)i;
            Place(arguments[i], $"arg{i}", block.AsSpan(parameters[i].Offset, parameters[i].Size), ref stream);
        }

        return block;
    }

    /// <summary>What the buffers hold now.</summary>
    internal IReadOnlyList<(string Name, BufferData Data, BufferSummary Summary)> ReadBack() =>
        [.. buffers.Select(static buffer => ReadBack(buffer.Name, buffer.Data, buffer.Memory))];

    /// <inheritdoc/>
    public void Dispose() => buffers.ForEach(static buffer => buffer.Memory.Dispose());

    private static (string Name, BufferData Data, BufferSummary Summary) ReadBack(string name, BufferData data, CudaDeviceVariable<byte> memory)
    {
        byte[] bytes = new byte[data.ByteCount];
        memory.CopyToHost(bytes);
        bool[] written = new bool[bytes.Length];
        bool known = memory.TryReadWritten(written);
        return (name, data with { Bytes = bytes }, BufferSummary.Of(data.Type, bytes, known ? written : null));
    }

    // Each member of a structure has normal numbers of its own; those of an argument do not depend on the members of others.
    private void Place(KernelArgument argument, string name, Span<byte> place, ref ulong stream)
    {
        switch (argument)
        {
            case StructureArgument structure:
                for (int i = 0; i < structure.Members.Count; i++)
                {
                    stream += 1ul << MemberShift;
                    Place(structure.Members[i], $"{name}.{i}", place.Slice(structure.Offsets[i], structure.Members[i].Size), ref stream);
                }

                break;
            case BufferArgument buffer:
                BitConverter.TryWriteBytes(place, Allocate(buffer, name, stream).Address);
                break;
            default:
                ((ScalarArgument)argument).Bytes.CopyTo(place);
                break;
        }
    }

    private DevicePointer Allocate(BufferArgument buffer, string name, ulong stream)
    {
        BufferData data = BufferData.Create(buffer, seed, stream);
        var memory = new CudaDeviceVariable<byte>(context, data.ByteCount);
        buffers.Add((name, data, memory));
        if (data.Bytes is { } contents)
        {
            memory.CopyToDevice(contents);
        }
        else if (!context.Device.IsEmulated)
        {
            // NaN in every floating-point type; the emulated device has it so, and knows as well what was never written.
            memory.Memset(0xff);
        }

        return memory.DevicePointer;
    }
}
