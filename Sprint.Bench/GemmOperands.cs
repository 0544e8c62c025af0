using Sprint.Engine;
using Sprint.Engine.Cpu;

namespace Sprint.Bench;

/// <summary>The matrices of a product to be timed, filled with random numbers.</summary>
internal sealed unsafe class GemmOperands : IDisposable
{
    private readonly MatrixOperand _a;
    private readonly MatrixOperand _b;
    private readonly float* _memory;
    private readonly float* _c;
    private readonly float* _bias;
    private readonly float* _preactivation;

    /// <summary>Allocates the matrices.</summary>
    /// <param name="rows">Rows of A and C.</param>
    /// <param name="columns">Columns of B and C.</param>
    /// <param name="depth">Columns of A, rows of B.</param>
    /// <param name="form">For A and then for B: n as they are, t transposed in memory.</param>
    /// <exception cref="SprintException">The machine has not memory enough.</exception>
    public GemmOperands(int rows, int columns, int depth, string form)
    {
        (Rows, Columns, Depth) = (rows, columns, depth);
        long aLength = (long)rows * depth;
        long bLength = (long)columns * depth;
        long cLength = (long)rows * columns;
        long bytes = (aLength + bLength + (2 * cLength) + columns) * sizeof(float);
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (bytes > available)
            throw new SprintException($"The matrices of {rows} x {columns} x {depth} take {bytes >> 20} MiB, but this machine has {available >> 20} MiB; make --m, --n or --k smaller.");

        _memory = (float*)NativeBlock.Allocate(bytes);
        float* a = _memory;
        float* b = a + aLength;
        _c = b + bLength;
        _preactivation = _c + cLength;
        _bias = _preactivation + cLength;
        Random random = new(1);
        for (long i = 0; i < bytes / sizeof(float); i++)
            _memory[i] = random.NextSingle() - 0.5f;

        _a = form[0] == 'n' ? MatrixOperand.Rows(a, depth) : MatrixOperand.Transposed(a, rows);
        _b = form[1] == 'n' ? MatrixOperand.Rows(b, columns) : MatrixOperand.Transposed(b, depth);
    }

    /// <summary>Rows of A and C.</summary>
    public int Rows { get; }

    /// <summary>Columns of B and C.</summary>
    public int Columns { get; }

    /// <summary>Columns of A, rows of B.</summary>
    public int Depth { get; }

    /// <summary>Computes the product once.</summary>
    /// <param name="pool">The threads.</param>
    /// <param name="epilogue">What is done to the product.</param>
    public void Multiply(WorkerPool pool, string epilogue)
    {
        switch (epilogue)
        {
            case "bias":
                Multiply(pool, new BiasEpilogue(_bias));
                break;
            case "gelu":
                Multiply(pool, new ActivationEpilogue<GeluActivation>(_bias, _preactivation, Columns));
                break;
            case "silu":
                Multiply(pool, new ActivationEpilogue<SiluActivation>(_bias, _preactivation, Columns));
                break;
            case "gelu-backward":
                Multiply(pool, new ActivationDerivativeEpilogue<GeluActivation>(_preactivation, Columns));
                break;
            default:
                Multiply(pool, default(NoEpilogue));
                break;
        }
    }

    /// <summary>Frees the matrices.</summary>
    public void Dispose() => NativeBlock.Free(_memory);

    private void Multiply<TEpilogue>(WorkerPool pool, TEpilogue epilogue)
        where TEpilogue : struct, IMatrixEpilogue
        => MatrixProduct.Multiply(pool, _a, _b, _c, Columns, Rows, Columns, Depth, accumulate: false, epilogue);
}
