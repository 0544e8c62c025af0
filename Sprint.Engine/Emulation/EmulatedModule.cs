using System.Buffers.Binary;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation;

/// <summary>A module loaded into a memory: its variables have addresses, its kernels can be launched.</summary>
public sealed class EmulatedModule : IDisposable
{
    private const long MaximumVariableBytes = 2L << 30;

    private readonly Dictionary<string, ulong> addresses = [];
    private readonly Dictionary<string, EmulatedKernel> kernels = [];
    private readonly Lock gate = new();

    /// <summary>Allocates and initialises the module's global and constant variables.</summary>
    /// <exception cref="EmulationException">An initial value names an unknown symbol, or a variable is external.</exception>
    /// <exception cref="SprintException">The memory is full, or the variables have more than 2 GiB.</exception>
    public EmulatedModule(PtxModule module, EmulatedMemory memory)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(memory);
        Module = module;
        Memory = memory;
        PtxVariable[] variables = [.. module.Variables.Values.Where(variable => variable.Space is PtxSpace.Global or PtxSpace.Constant && !variable.IsExtern)];
        PtxVariable? tooLarge = Array.Find(variables, variable => variable.Size > MaximumVariableBytes);
        if (tooLarge is not null || variables.Sum(variable => variable.Size) > MaximumVariableBytes)
            throw new SprintException($"The variables of the module {module.Name} have more than {MaximumVariableBytes} bytes{(tooLarge is null ? "" : $": {tooLarge.Name} alone has {tooLarge.Size}")}.");
        try
        {
            foreach (PtxVariable variable in variables)
                addresses[variable.Name] = memory.Allocate(Math.Max(variable.Size, 1), variable.Name, variable.Space == PtxSpace.Constant).Start;
            foreach (PtxVariable variable in variables)
                Initialise(variable);
        }
        catch (SprintException)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The parsed module.</summary>
    public PtxModule Module { get; }

    /// <summary>The memory that holds the module's variables.</summary>
    public EmulatedMemory Memory { get; }

    /// <summary>A kernel by its name in the PTX.</summary>
    /// <exception cref="SprintException">The module defines no such kernel; the message names those it has.</exception>
    /// <exception cref="EmulationException">The kernel's code is malformed, or it needs more than a kernel may have, or than the emulator executes.</exception>
    public EmulatedKernel GetKernel(string name)
    {
        lock (gate)
        {
            if (kernels.TryGetValue(name, out EmulatedKernel? kernel))
                return kernel;
            if (!Module.Functions.TryGetValue(name, out PtxFunction? function) || !function.IsKernel || !function.HasBody)
            {
                string known = Module.Kernels.Count == 0 ? "it has none" : "it has " + string.Join(", ", Module.Kernels);
                throw new SprintException($"The module {Module.Name} has no kernel {name}; {known}.");
            }
            if (function.Refusal is { } refusal)
                throw refusal;
            CheckParameters(function);
            kernel = new EmulatedKernel(new ProgramBuilder(this, function).Build());
            kernels[name] = kernel;
            return kernel;
        }
    }

    /// <summary>The address and size in bytes of a global or constant variable.</summary>
    /// <exception cref="SprintException">The module has no such variable.</exception>
    public (ulong Address, long Bytes) GetGlobal(string name)
        => addresses.TryGetValue(name, out ulong address)
            ? (address, Module.Variables[name].Size)
            : throw new SprintException($"The module {Module.Name} has no global or constant variable {name}.");

    /// <summary>Bytes of the module's constant variables.</summary>
    internal long ConstantBytes => Module.Variables.Values.Where(variable => variable.Space == PtxSpace.Constant && !variable.IsExtern).Sum(variable => variable.Size);

    /// <summary>The address and size in bytes of a global or constant variable, where the module has it.</summary>
    internal bool TryGetGlobal(string name, out ulong address, out long bytes)
    {
        bool found = addresses.TryGetValue(name, out address);
        bytes = found ? Module.Variables[name].Size : 0;
        return found;
    }

    /// <summary>Frees the module's variables.</summary>
    public void Dispose()
    {
        foreach (ulong address in addresses.Values)
            Memory.Free(address);
        addresses.Clear();
    }

    internal bool TryGetAddress(string name, out ulong address) => addresses.TryGetValue(name, out address);

    // PTX ISA, kernel function parameters: 32764 bytes from PTX 8.1 on for sm_70 and later, 4352 otherwise.
    private void CheckParameters(PtxFunction kernel)
    {
        int most = Version.Parse(Module.Version) >= new Version(8, 1) && Module.Architecture >= 70 ? 32764 : 4352;
        _ = EmulatedKernel.LayOut(kernel.Parameters, out long bytes);
        if (bytes > most)
            throw new EmulationException(EmulationFault.Launch, $"The kernel {kernel.Name} takes {bytes} bytes of parameters; of PTX {Module.Version} for {Module.Target} it may take {most}", new EmulationSite(Module.Name, PtxLine: kernel.Line));
    }

    private void Initialise(PtxVariable variable)
    {
        ulong address = addresses[variable.Name];
        Memory.Fill(address, 0, Math.Max(variable.Size, 1));
        Span<byte> bytes = stackalloc byte[8];
        foreach (PtxInitialiser initialiser in variable.Initialisers ?? [])
        {
            ulong value = initialiser.Bits;
            if (initialiser.Symbol is not null)
                value += ResolveSymbol(variable, initialiser.Symbol);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
            Memory.Write(address + (ulong)initialiser.Offset, bytes[..initialiser.Size]);
        }
    }

    private ulong ResolveSymbol(PtxVariable variable, string symbol)
    {
        if (addresses.TryGetValue(symbol, out ulong address))
            return address;
        int index = FunctionIndex(symbol);
        return index >= 0
            ? FunctionAddress(index)
            : throw new EmulationException(EmulationFault.Syntax, $"The variable {variable.Name} is initialised with the address of {symbol}, which is not defined", new EmulationSite(Module.Name));
    }

    /// <summary>Number of a device function among all functions of the module, or -1.</summary>
    internal int FunctionIndex(string name)
    {
        int index = 0;
        foreach (PtxFunction function in Module.Functions.Values)
        {
            if (function.Name == name)
                return function.HasBody ? index : -1;
            index++;
        }
        return -1;
    }

    internal static ulong FunctionAddress(int index) => Emulation.Memory.MemoryWindows.Function + (ulong)index * Emulation.Memory.MemoryWindows.FunctionStride;
}
