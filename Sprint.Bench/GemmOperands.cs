using Sprint.Engine;
using Sprint.Engine.Cpu;

namespace Sprint.Bench;

/// <summary>The matrices of a product to be timed, filled with random numbers.</summary>
internal sealed unsafe class GemmOperands : IDisposable
{
    private readonly MatrixOperand a;
    private readonly MatrixOperand b;
    private readonly float* memory;
    private readonly float* c;
    private readonly float* bias;
    private readonly float* preactivation;

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

        memory = (float*)NativeBlock.Allocate(bytes);
        float* a = memory;
        float* b = a + aLength;
        c = b + bLength;
        preactivation = c + cLength;
        bias = preactivation + cLength;
        Random random = new(1);
        for (long i = 0; i < bytes / sizeof(float); i++)
            memory[i] = random.NextSingle() - 0.5f;

        this.a = form[0] == 'n' ? MatrixOperand.Rows(a, depth) : MatrixOperand.Transposed(a, rows);
        this.b = form[1] == 'n' ? MatrixOperand.Rows(b, columns) : MatrixOperand.Transposed(b, depth);
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
                Multiply(pool, new BiasEpilogue(bias));
                break;
            case "gelu":
                Multiply(pool, new ActivationEpilogue<GeluActivation>(bias, preactivation, Columns));
                break;
            case "silu":
                Multiply(pool, new ActivationEpilogue<SiluActivation>(bias, preactivation, Columns));
                break;
            case "gelu-backward":
                Multiply(pool, new ActivationDerivativeEpilogue<GeluActivation>(preactivation, Columns));
                break;
            default:
                Multiply(pool, default(NoEpilogue));
                break;
        }
    }

    /// <summary>Frees the matrices.</summary>
    public void Dispose() => NativeBlock.Free(memory);

    private void Multiply<TEpilogue>(WorkerPool pool, TEpilogue epilogue)
        where TEpilogue : struct, IMatrixEpilogue
        => MatrixProduct.Multiply(pool, a, b, c, Columns, Rows, Columns, Depth, accumulate: false, epilogue);
}
