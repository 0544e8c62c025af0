namespace Sprint.Tests.Model.Checkpoints;

/// <summary>Writes a file like the real one until a number of bytes, then fails as a full disk does.</summary>
internal sealed class FaultyStream(string path, long capacity) : Stream
{
    private readonly FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.None);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => file.Length;

    public override long Position { get => file.Position; set => throw new NotSupportedException(); }

    public override void Flush() => file.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count)
    {
        if (file.Position + count > capacity)
            throw new IOException("No space left on device", OperatingSystem.IsWindows() ? unchecked((int)0x80070070) : 28);
        file.Write(buffer, offset, count);
    }

    protected override void Dispose(bool disposing)
    {
        file.Dispose();
        base.Dispose(disposing);
    }
}
