namespace Sprint.Engine.Measurement;

/// <summary>What one launch of a kernel must do at the least.</summary>
/// <param name="Kernel">The kernel's name.</param>
/// <param name="Bytes">Bytes of device memory that it must move: each input once, each output once, what it adds to twice.</param>
/// <param name="CachedBytes">
/// Bytes that it asks for again and that lie in a cache by then: a sample's modulation for each of its rows, the rows of a product's operands for each of
/// its tiles. Not of device memory, but of the requests that a counter sees.
/// </param>
/// <param name="TensorFlops">Operations of matrix products; 0 for a kernel without.</param>
/// <param name="ReadsWhole">
/// Whether the traffic is bound by memory and known to the byte, so that requests are held against it: not where tiles of a product meet in caches.
/// </param>
public sealed record KernelTraffic(string Kernel, long Bytes, long CachedBytes = 0, long TensorFlops = 0, bool ReadsWhole = true);
