using Sprint.Engine;
using Sprint.Engine.Cuda;

namespace Sprint.Tests.Engine.Cuda;

/// <summary>
/// One matrix product on a device and in float64. Rows of the stored matrices may have gaps, which hold NaN. What the epilogue reads and
/// writes is there for every operation; rows 1, 4, 7 ... have no row of terms of their own.
/// </summary>
internal sealed class MatrixProductCase(MatrixProductForm form, ElementType element, int m, int n, int k, int seed = 1) : IDisposable
{
    private const int Samples = 3;

    private readonly Random random = new(seed);
    private readonly List<IDisposable> owned = [];
    private float[] left = [], right = [], before = [], bias = [], auxiliary = [], residual = [], gate = [], terms = [], constant = [];
    private int[] rows = [];

    public int Gap { get; init; }

    public bool Misaligned { get; init; }

    public bool ResultIsFloat { get; init; }

    public bool Accumulate { get; init; }

    public bool HasBias { get; init; }

    public MatrixProductOperation Operation { get; init; }

    /// <summary>The plan to run instead of the engine's choice.</summary>
    public MatrixProductPlan? Plan { get; init; }

    private bool ReadsAuxiliary => Operation is MatrixProductOperation.GeluDerivative or MatrixProductOperation.SiluDerivative or MatrixProductOperation.SwiGluBackward;

    private bool ReadsResidual => Operation is MatrixProductOperation.GatedResidual or MatrixProductOperation.SwiGlu or MatrixProductOperation.SwiGluBackward;

    private ElementType ResultElement => ResultIsFloat ? ElementType.Float32 : element;

    private int Tokens => (m + Samples - 1) / Samples;

    /// <summary>C, what the epilogue keeps, and what it overwrites of what it read.</summary>
    public (float[] Result, float[] Auxiliary, float[] Residual) Run(CudaDevice device, CudaMatrixProduct product)
    {
        Draw();
        CudaContext context = device.Context;
        bool transposesA = form == MatrixProductForm.BackwardWeight, transposesB = form == MatrixProductForm.Forward;
        using DeviceElements result = new(context, ResultElement, Spread(Accumulate ? before : Nothing(m * n), m, n), Misaligned);
        using DeviceElements kept = new(context, element, ReadsAuxiliary ? auxiliary : Nothing(m * n), Misaligned);
        using DeviceElements stream = new(context, element, ReadsResidual ? residual : Nothing(m * n), Misaligned);
        using CudaDeviceVariable<int> map = new(context, m);
        map.CopyToDevice(rows);
        owned.Add(map);
        MatrixProductArguments arguments = MatrixProductArguments.Dense(form, m, n, k) with
        {
            A = Upload(context, element, transposesA ? Spread(Transposed(left, m, k), k, m) : Spread(left, m, k)),
            B = Upload(context, element, transposesB ? Spread(Transposed(right, k, n), n, k) : Spread(right, k, n)),
            StrideA = (transposesA ? m : k) + Gap,
            StrideB = (transposesB ? k : n) + Gap,
            ResultStride = n + Gap,
            Result = result.Pointer,
            Auxiliary = Operation is MatrixProductOperation.Plain or MatrixProductOperation.RowTerms ? default : kept.Pointer,
            Residual = ReadsResidual ? stream.Pointer : default,
            Bias = HasBias ? Upload(context, element, bias) : default,
            ResultIsFloat = ResultIsFloat ? 1 : 0,
            Accumulate = Accumulate ? 1 : 0,
            Operation = Operation,
        };
        if (Operation == MatrixProductOperation.GatedResidual)
        {
            arguments = arguments with { Gate = Upload(context, element, Spread(gate, Samples, n)), GateStride = n + Gap, Tokens = Tokens };
        }
        else if (Operation == MatrixProductOperation.RowTerms)
        {
            arguments = arguments with { Rows = map.DevicePointer, RowTerms = Upload(context, ElementType.Float32, terms), Constant = Upload(context, ElementType.Float32, constant) };
        }

        MatrixProductPlan plan = Plan ?? MatrixProductPlan.For(form, element, m, n, k);
        product.Multiply(plan, arguments);
        device.Synchronize();
        float[] values = result.Download();
        owned.ForEach(static item => item.Dispose());
        owned.Clear();
        return (Gathered(values), kept.Download(), stream.Download());
    }

    /// <summary>The same in float64, of the numbers as they are stored.</summary>
    /// <param name="round">How each stored intermediate result is rounded.</param>
    public (double[] Result, double[] Auxiliary, double[] Residual) Expected(Func<double, double>? round = null)
    {
        round ??= static value => value;
        Draw();
        double[] result = new double[m * n], kept = new double[m * n], stream = new double[m * n];
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = HasBias ? bias[j] : 0;
                for (int l = 0; l < k; l++)
                {
                    sum += (double)left[(i * k) + l] * right[(l * n) + j];
                }

                int place = (i * n) + j;
                kept[place] = sum = round(sum);
                stream[place] = residual[place];
                double activated = round(Operations.References.Silu(residual[place]));
                if (Operation == MatrixProductOperation.SwiGluBackward)
                {
                    kept[place] = round(sum * activated);
                    stream[place] = round(round(sum * auxiliary[place]) * Operations.References.Derivative(Operations.References.Silu, residual[place]));
                }

                double value = Operation switch
                {
                    MatrixProductOperation.Gelu => Operations.References.Gelu(sum),
                    MatrixProductOperation.Silu => Operations.References.Silu(sum),
                    MatrixProductOperation.GeluDerivative => sum * Operations.References.Derivative(Operations.References.Gelu, auxiliary[place]),
                    MatrixProductOperation.SiluDerivative => sum * Operations.References.Derivative(Operations.References.Silu, auxiliary[place]),
                    MatrixProductOperation.GatedResidual => residual[place] + round((double)gate[(i / Tokens * n) + j] * sum),
                    MatrixProductOperation.SwiGlu => activated * sum,
                    MatrixProductOperation.SwiGluBackward => activated * auxiliary[place],
                    MatrixProductOperation.RowTerms => sum + (rows[i] < 0 ? constant[j] : terms[(rows[i] * n) + j]),
                    _ => sum,
                };
                value = Accumulate ? before[place] + round(value) : value;
                result[place] = ResultIsFloat ? value : round(value);
            }
        }

        return (result, kept, stream);
    }

    public void Dispose() => owned.ForEach(static item => item.Dispose());

    private static float[] Nothing(int count) => [.. Enumerable.Repeat(float.NaN, count)];

    private void Draw()
    {
        if (left.Length > 0)
        {
            return;
        }

        double scale = 1 / Math.Sqrt(k);
        left = Numbers(m * k, 1);
        right = Numbers(k * n, scale);
        before = Numbers(m * n, 1);
        bias = Numbers(n, 1);
        auxiliary = Numbers(m * n, 2);
        residual = Numbers(m * n, 1);
        gate = Numbers(Samples * n, 1);
        rows = [.. Enumerable.Range(0, m).Select(i => i % 3 == 1 ? -1 : (m - 1 - i) / 2)];
        terms = Numbers(m * n, 1);
        constant = Numbers(n, 1);
    }

    private float[] Numbers(int count, double scale) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(((2 * random.NextDouble()) - 1) * 1.7 * scale)).Select(value => element == ElementType.Float32 ? value : DeviceElements.Rounded(value))];

    private DevicePointer Upload(CudaContext context, ElementType type, float[] values)
    {
        DeviceElements elements = new(context, type, values, Misaligned);
        owned.Add(elements);
        return elements.Pointer;
    }

    private static float[] Transposed(float[] values, int height, int width) =>
        [.. Enumerable.Range(0, values.Length).Select(i => values[(i % height * width) + (i / height)])];

    /// <summary>Rows of NaN behind each row.</summary>
    private float[] Spread(float[] values, int height, int width) =>
        Gap == 0 ? values : [.. Enumerable.Range(0, height).SelectMany(row => values[(row * width)..((row + 1) * width)].Concat(Nothing(Gap)))];

    private float[] Gathered(float[] values)
    {
        if (Gap > 0 && !Enumerable.Range(0, m).All(row => values[((row * (n + Gap)) + n)..((row + 1) * (n + Gap))].All(float.IsNaN)))
        {
            throw new InvalidOperationException("the kernel wrote between the rows of its output");
        }

        return Gap == 0 ? values : [.. Enumerable.Range(0, m).SelectMany(row => values[(row * (n + Gap))..((row * (n + Gap)) + n)])];
    }
}
