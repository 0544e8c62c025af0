using Sprint.Engine.Cuda;

namespace Sprint.Engine;

/// <summary>
/// Carries host memory to a device without waiting for its stream: bytes are copied into page-locked memory at once and travel from there when the
/// stream gets to them. Two halves take turns; only a half that is still travelling is waited for.
/// </summary>
/// <param name="stream">The stream that orders the copies.</param>
internal sealed unsafe class UploadBuffer(CudaStream stream) : IDisposable
{
    private const int HalfBytes = 4 << 20;

    private readonly (CudaPinnedMemory<byte> Memory, CudaEvent Travelled)[] halves = new (CudaPinnedMemory<byte>, CudaEvent)[2];
    private int used;
    private int current;

    /// <summary>Copies to the device. The source may be changed or freed as soon as the call returns.</summary>
    public void Copy(DevicePointer destination, void* source, long bytes)
    {
        for (long done = 0; done < bytes;)
        {
            if (halves[current].Memory is null || used == HalfBytes)
            {
                TakeTurns();
            }

            int length = (int)Math.Min(bytes - done, HalfBytes - used);
            (CudaPinnedMemory<byte> memory, CudaEvent travelled) = halves[current];
            new ReadOnlySpan<byte>((byte*)source + done, length).CopyTo(memory.Span[used..]);
            using (CudaContext.Scope scope = stream.Context.Enter())
            {
                stream.Context.Driver.CopyToDevice(destination.Offset(done), memory.Pointer + used, length, stream.Handle);
            }

            travelled.Record(stream);
            used += length;
            done += length;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((CudaPinnedMemory<byte> memory, CudaEvent travelled) in halves)
        {
            memory?.Dispose();
            travelled?.Dispose();
        }
    }

    private void TakeTurns()
    {
        if (halves[current].Memory is not null)
        {
            current = 1 - current;
        }

        used = 0;
        if (halves[current].Memory is null)
        {
            CudaEvent travelled = new(stream.Context, timing: false);
            try
            {
                halves[current] = (new CudaPinnedMemory<byte>(stream.Context, HalfBytes), travelled);
            }
            catch
            {
                travelled.Dispose();
                throw;
            }
        }
        else
        {
            halves[current].Travelled.Synchronize();
        }
    }
}
