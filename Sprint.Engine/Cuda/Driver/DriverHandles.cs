namespace Sprint.Engine.Cuda;

/// <summary>A retained primary context.</summary>
/// <param name="Value">The driver's own value.</param>
internal readonly record struct ContextHandle(nint Value);

/// <summary>A loaded module.</summary>
/// <param name="Value">The driver's own value.</param>
internal readonly record struct DeviceModuleHandle(nint Value);

/// <summary>An entry point of a loaded module.</summary>
/// <param name="Value">The driver's own value.</param>
internal readonly record struct FunctionHandle(nint Value);

/// <summary>A stream; the default value is the context's default stream.</summary>
/// <param name="Value">The driver's own value.</param>
internal readonly record struct StreamHandle(nint Value);

/// <summary>An event.</summary>
/// <param name="Value">The driver's own value.</param>
internal readonly record struct EventHandle(nint Value);

/// <summary>A captured graph.</summary>
/// <param name="Value">The driver's own value.</param>
internal readonly record struct GraphHandle(nint Value);

/// <summary>A graph made ready to be launched.</summary>
/// <param name="Value">The driver's own value.</param>
internal readonly record struct GraphExecutableHandle(nint Value);
