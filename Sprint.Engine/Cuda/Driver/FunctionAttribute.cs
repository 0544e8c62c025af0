namespace Sprint.Engine.Cuda;

/// <summary>What can be asked of a loaded function; the values are CUfunction_attribute's.</summary>
internal enum FunctionAttribute
{
    MaximumThreadsPerBlock = 0,
    StaticSharedBytes = 1,
    ConstantBytes = 2,
    LocalBytes = 3,
    Registers = 4,
    PtxVersion = 5,
    BinaryVersion = 6,

    /// <summary>May also be set: more than 48 KB must be asked for.</summary>
    MaximumDynamicSharedBytes = 8,
}
