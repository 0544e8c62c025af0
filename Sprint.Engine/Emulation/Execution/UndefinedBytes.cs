namespace Sprint.Engine.Emulation.Execution;

/// <summary>Bytes of lanes that hold undefined values, and where these come from, as <see cref="UndefinedTracker"/> numbers it; 0 is a defined value.</summary>
internal sealed class UndefinedBytes
{
    private readonly Dictionary<ulong, ushort> origins = [];

    public bool IsEmpty => origins.Count == 0;

    /// <summary>Where an undefined byte among some comes from, 0 if all are defined.</summary>
    public ushort Find(int lane, ulong address, int bytes)
    {
        ushort found = 0;
        for (int k = 0; k < bytes && origins.Count > 0; k++)
            found = Math.Max(found, origins.GetValueOrDefault(Key(lane, address + (ulong)k)));
        return found;
    }

    /// <summary>Some bytes are written.</summary>
    public void Set(int lane, ulong address, int bytes, ushort origin)
    {
        for (int k = 0; k < bytes; k++)
        {
            if (origin != 0)
                origins[Key(lane, address + (ulong)k)] = origin;
            else if (origins.Count > 0)
                origins.Remove(Key(lane, address + (ulong)k));
        }
    }

    /// <summary>Some bytes of lanes are copied from others.</summary>
    public void Copy(uint lanes, ulong address, UndefinedBytes from, ulong source, int bytes)
    {
        if (origins.Count + from.origins.Count == 0)
            return;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = Warp.LowestLane(rest);
            for (ulong k = 0; k < (ulong)bytes; k++)
                Set(lane, address + k, 1, from.Find(lane, source + k, 1));
        }
    }

    /// <summary>Takes over all bytes of lanes that had none here.</summary>
    public void Absorb(UndefinedBytes other, uint lanes)
    {
        foreach ((ulong key, ushort origin) in other.origins)
        {
            if ((lanes >> (int)(key >> 48) & 1) != 0)
                origins[key] = origin;
        }
    }

    public void Clear() => origins.Clear();

    private static ulong Key(int lane, ulong address) => (ulong)lane << 48 | address;
}
