using System.Runtime.InteropServices;
using NUnit.Framework;
using Sprint.Engine.Emulation;

namespace Sprint.Tests.Engine.Emulation;

/// <summary>A loaded module and its memory, with launches whose arguments are C# values.</summary>
internal sealed class EmulatorHarness : IDisposable
{
    public EmulatorHarness(string ptx, string name = "test.ptx")
    {
        Memory = new EmulatedMemory();
        Module = new EmulatedModule(PtxModule.Parse(ptx, name), Memory);
    }

    public EmulatedMemory Memory { get; }

    public EmulatedModule Module { get; }

    public EmulationOptions Options { get; set; } = new() { Workers = 2 };

    /// <summary>Whether launches have all their blocks there at once.</summary>
    public bool IsCooperative { get; set; }

    /// <summary>Loads PTX that NVRTC made of Kernels/NAME.cu.</summary>
    public static EmulatorHarness FromResource(string name) => new(Resource(name), name + ".ptx");

    public static string Resource(string name) => Read($"{name}.ptx");

    /// <summary>The lines of Kernels/NAME.cu, without blanks at their ends.</summary>
    public static string[] Source(string name) => [.. Read($"{name}.cu").Split('\n').Select(line => line.TrimEnd())];

    /// <summary>Numbers of the lines of Kernels/NAME.cu that end in one of the texts.</summary>
    public static int[] LinesThatEnd(string name, params string[] ends)
    {
        string[] lines = Source(name);
        return [.. Enumerable.Range(1, lines.Length).Where(k => Array.Exists(ends, end => lines[k - 1].EndsWith(end, StringComparison.Ordinal)))];
    }

    /// <summary>The first eighteen seeds as a user draws them.</summary>
    public static IEnumerable<EmulationOptions> Schedules(int workers) => Enumerable.Range(0, 18).Select(seed => new EmulationOptions { ScheduleSeed = (ulong)seed, Workers = workers });

    public ulong Upload<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        ulong address = Memory.Allocate(bytes.Length);
        Memory.Write(address, bytes);
        return address;
    }

    public ulong Upload<T>(T[] values)
        where T : unmanaged
        => Upload<T>(values.AsSpan());

    /// <summary>Memory that was never written.</summary>
    public ulong Reserve<T>(int count)
        where T : unmanaged
        => Memory.Allocate((long)count * Marshal.SizeOf<T>());

    public T[] Download<T>(ulong address, int count)
        where T : unmanaged
    {
        T[] values = new T[count];
        Memory.Read(address, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    public LaunchStatistics Launch(string kernel, LaunchIndex grid, LaunchIndex block, int dynamicShared, params object[] arguments)
    {
        EmulatedKernel function = Module.GetKernel(kernel);
        return new EmulatedLaunch(function, grid, block, dynamicShared, Pack(function, arguments), Options, IsCooperative).Run();
    }

    public EmulationException LaunchFault(string kernel, LaunchIndex grid, LaunchIndex block, int dynamicShared, params object[] arguments)
        => Assert.Throws<EmulationException>(() => Launch(kernel, grid, block, dynamicShared, arguments))!;

    public void Dispose() => Memory.Dispose();

    private static string Read(string file)
    {
        using Stream stream = typeof(EmulatorHarness).Assembly.GetManifestResourceStream($"Kernels/{file}")
            ?? throw new InvalidOperationException($"There is no test kernel {file}.");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }

    private static byte[] Pack(EmulatedKernel kernel, object[] arguments)
    {
        byte[] buffer = new byte[kernel.ParameterBytes];
        for (int k = 0; k < arguments.Length; k++)
        {
            byte[] bytes = arguments[k] switch
            {
                int value => BitConverter.GetBytes(value),
                uint value => BitConverter.GetBytes(value),
                long value => BitConverter.GetBytes(value),
                ulong value => BitConverter.GetBytes(value),
                float value => BitConverter.GetBytes(value),
                double value => BitConverter.GetBytes(value),
                byte[] value => value,
                object other => throw new ArgumentException($"An argument of type {other.GetType()}"),
            };
            bytes.CopyTo(buffer, kernel.Parameters[k].Offset);
        }
        return buffer;
    }
}
