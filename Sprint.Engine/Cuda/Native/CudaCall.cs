namespace Sprint.Engine.Cuda;

/// <summary>Names of calls for error messages.</summary>
internal static class CudaCall
{
    /// <summary>"DriverApi.cuMemAlloc_v2(out DevicePointer pointer, (nuint)bytes)" becomes "cuMemAlloc_v2".</summary>
    public static string FunctionName(string expression)
    {
        int start = expression.IndexOf('.', StringComparison.Ordinal) + 1;
        int end = expression.IndexOf('(', StringComparison.Ordinal);
        return end > start ? expression[start..end] : expression;
    }
}
