namespace Sprint.Engine.Cuda;

/// <summary>A device's memory.</summary>
/// <param name="FreeBytes">Bytes that can still be allocated by any process.</param>
/// <param name="TotalBytes">Bytes in all.</param>
public readonly record struct CudaMemoryInformation(long FreeBytes, long TotalBytes);
