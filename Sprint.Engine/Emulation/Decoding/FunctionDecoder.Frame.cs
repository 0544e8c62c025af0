using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Memory;
using Sprint.Engine.Emulation.Parsing;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>The frame: where registers, constants, special registers and parameters are.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private const int MaximumFrameBytes = 1 << 25;
    private const ulong NowhereAddress = 1ul << 63;

    private readonly Dictionary<(ulong Bits, int Size), int> constants = [];
    private readonly Dictionary<SpecialRegister, int> specials = [];
    private readonly Dictionary<PtxVariable, FrameParameter> parameters = [];
    private readonly Dictionary<PtxVariable, int> locals = [];
    private int[] registerSlots = [];
    private int[] watchSlots = [];
    private int frameBytes;
    private int carrySlot = -1;

    private void LayOutFrame()
    {
        registerSlots = new int[function.Registers.Count];
        foreach (PtxRegister register in function.Registers.OrderBy(register => register.Size == 0))
            registerSlots[register.Index] = Allocate(register.Size);
        decoded.RegisterSlots = registerSlots;
        watchSlots = new int[function.Registers.Count];
        frameBytes = Align(frameBytes, 64);
        int tracking = frameBytes;
        for (int k = 0; k < watched.Length; k++)
        {
            if (watched[k])
            {
                watchSlots[k] = Allocate(0);
            }
        }
        decoded.Tracking = (tracking, frameBytes - tracking);
        if (!function.IsKernel)
        {
            decoded.Parameters = [.. function.Parameters.Select(PlaceParameter)];
            decoded.Results = [.. function.Results.Select(PlaceParameter)];
        }
        long local = 0;
        foreach (PtxVariable variable in function.Variables)
        {
            if (variable.Space == PtxSpace.Parameter)
                PlaceParameter(variable);
            if (variable.Space != PtxSpace.Local)
                continue;
            local = (local + variable.Alignment - 1) / variable.Alignment * variable.Alignment;
            if (variable.Size > 1 << 24 || local > 1 << 24)
                throw new EmulationException(EmulationFault.Launch, $"The function {function.Name} has more than 16 MiB of local variables");
            locals[variable] = (int)local;
            local += variable.Size;
        }
        decoded.LocalBytes = (int)((local + 15) / 16 * 16);
    }

    private void FinishFrame() => decoded.FrameBytes = Align(frameBytes, 64) + 64;

    private FrameParameter PlaceParameter(PtxVariable variable)
    {
        if (variable.Size > 1 << 16)
            throw new EmulationException(EmulationFault.Syntax, $"The parameter {variable.Name} has {variable.Size} bytes");
        int size = Align((int)Math.Max(variable.Size, 1), 8);
        frameBytes = Align(frameBytes, 64);
        FrameParameter parameter = new(frameBytes, size);
        decoded.Slots.Add((frameBytes, size));
        if (frameBytes > MaximumFrameBytes)
            throw new EmulationException(EmulationFault.Launch, $"The function {function.Name} has more than {MaximumFrameBytes} bytes of registers and parameters a warp", new EmulationSite(program.Module.Module.Name));
        frameBytes += size * Lanes.Count;
        parameters[variable] = parameter;
        return parameter;
    }

    private static int Align(int value, int alignment) => (value + alignment - 1) / alignment * alignment;

    /// <summary>Space for one register of the given size; 0 is a predicate.</summary>
    private int Allocate(int size)
    {
        if (size != 0)
            frameBytes = Align(frameBytes, 64);
        if (frameBytes > MaximumFrameBytes)
            throw new EmulationException(EmulationFault.Launch, $"The function {function.Name} has more than {MaximumFrameBytes} bytes of registers and parameters a warp", new EmulationSite(program.Module.Module.Name));
        int slot = frameBytes;
        decoded.Slots.Add((slot, size == 0 ? 0 : Math.Max(size, 2)));
        frameBytes += size == 0 ? 4 : Math.Max(size, 2) * Lanes.Count;
        return slot;
    }

    private int RegisterSlot(PtxRegister register) => registerSlots[register.Index];

    private int WatchSlot(PtxRegister register) => watchSlots[register.Index];

    private int CarrySlot() => carrySlot >= 0 ? carrySlot : carrySlot = Allocate(0);

    private int Constant(ulong bits, int size)
    {
        size = size == 1 ? 2 : size;
        bits = size switch { 0 => (uint)bits, 2 => (ushort)bits, 4 => (uint)bits, _ => bits };
        if (constants.TryGetValue((bits, size), out int slot))
            return slot;
        slot = Allocate(size);
        constants[(bits, size)] = slot;
        decoded.Constants.Add(new FrameConstant(slot, size, bits));
        return slot;
    }

    private int Special(SpecialRegister register)
    {
        if (specials.TryGetValue(register, out int slot))
            return slot;
        slot = Allocate(4);
        specials[register] = slot;
        decoded.Specials.Add(new FrameSpecial(slot, register));
        return slot;
    }

    private static SpecialRegister? FindSpecial(string name) => name switch
    {
        "%tid.x" => SpecialRegister.ThreadX,
        "%tid.y" => SpecialRegister.ThreadY,
        "%tid.z" => SpecialRegister.ThreadZ,
        "%ntid.x" => SpecialRegister.BlockSizeX,
        "%ntid.y" => SpecialRegister.BlockSizeY,
        "%ntid.z" => SpecialRegister.BlockSizeZ,
        "%ctaid.x" => SpecialRegister.BlockX,
        "%ctaid.y" => SpecialRegister.BlockY,
        "%ctaid.z" => SpecialRegister.BlockZ,
        "%nctaid.x" => SpecialRegister.GridX,
        "%nctaid.y" => SpecialRegister.GridY,
        "%nctaid.z" => SpecialRegister.GridZ,
        "%laneid" => SpecialRegister.Lane,
        "%warpid" => SpecialRegister.WarpIndex,
        "%nwarpid" => SpecialRegister.WarpCount,
        "%lanemask_eq" => SpecialRegister.LaneMaskEqual,
        "%lanemask_lt" => SpecialRegister.LaneMaskLess,
        "%lanemask_le" => SpecialRegister.LaneMaskLessOrEqual,
        "%lanemask_gt" => SpecialRegister.LaneMaskGreater,
        "%lanemask_ge" => SpecialRegister.LaneMaskGreaterOrEqual,
        "%smid" => SpecialRegister.Multiprocessor,
        "%nsmid" => SpecialRegister.MultiprocessorCount,
        "%gridid" => SpecialRegister.GridIdentifier,
        "%envreg1" => SpecialRegister.GridWorkspaceHigh,
        "%envreg2" => SpecialRegister.GridWorkspaceLow,
        "%dynamic_smem_size" => SpecialRegister.DynamicSharedSize,
        "%total_smem_size" => SpecialRegister.TotalSharedSize,
        "%reserved_smem_offset_begin" or "%reserved_smem_offset_end" or "%reserved_smem_offset_cap" => SpecialRegister.Zero,
        _ => null,
    };

    /// <summary>Slot of a source operand of the given size; literals become constants of the given type.</summary>
    private int Source(PtxOperand operand, int size, PtxType type = PtxType.None)
    {
        switch (operand.Kind)
        {
            case PtxOperandKind.Register:
                PtxRegister register = operand.Register!;
                if (register.Size != size)
                    throw Refused($"The register {register.Name} has {register.Size} bytes where the instruction takes {size}");
                return operand.IsNegated ? Negated(RegisterSlot(register)) : RegisterSlot(register);
            case PtxOperandKind.Integer:
                return type is PtxType.F32 or PtxType.F64
                    ? Constant(type == PtxType.F64 ? BitConverter.DoubleToUInt64Bits(operand.Value) : BitConverter.SingleToUInt32Bits(operand.Value), size)
                    : Constant(size == 0 && operand.Value != 0 ? uint.MaxValue : (ulong)operand.Value, size);
            case PtxOperandKind.Float:
                if (size is not (4 or 8))
                    throw Refused("A floating-point literal needs 4 or 8 bytes");
                return Constant(PtxParser.ConvertLiteral(operand, size == 8 ? PtxType.F64 : PtxType.F32), size);
            case PtxOperandKind.Special:
                return SpecialSource(operand.Name!, size);
            case PtxOperandKind.Symbol:
                return SymbolAddress(operand.Name!, operand.Value, size, null);
            default:
                throw Refused("An operand of this kind does not fit the instruction");
        }
    }

    private int SpecialSource(string name, int size)
    {
        if (FindSpecial(name) is not { } register)
        {
            if (name.StartsWith("%envreg", StringComparison.Ordinal) || name.StartsWith("%pm", StringComparison.Ordinal))
                register = SpecialRegister.Zero;
            else
                throw Refused($"The special register {name} is not emulated");
        }
        int slot = Special(register);
        if (size == 4)
            return slot;
        if (size is not (2 or 8))
            throw Refused($"The special register {name} has 32 bits");
        int wide = Allocate(size);
        Emit(ConvertOperation(PtxType.U32, size == 8 ? PtxType.U64 : PtxType.U16, slot, 4, wide, size, 0));
        return wide;
    }

    private int Negated(int predicate)
    {
        int slot = Allocate(0);
        Emit(new Instruction { Handler = &Handlers.PredicateLogic, D = slot, A = predicate, B = predicate, E = (int)PredicateOperation.Not });
        return slot;
    }

    /// <summary>Slot of a destination operand; a discarded one gets a slot of its own.</summary>
    private int Destination(PtxOperand operand, int size)
    {
        if (operand.Kind == PtxOperandKind.Discard)
            return Allocate(size);
        if (operand.Kind != PtxOperandKind.Register || operand.IsNegated)
            throw Refused("The destination is no register");
        return operand.Register!.Size == size
            ? RegisterSlot(operand.Register)
            : throw Refused($"The register {operand.Register.Name} has {operand.Register.Size} bytes where the instruction writes {size}");
    }

    private PtxVariable? FindVariable(string name) => current!.Scope.FindVariable(name) ?? program.Module.Module.Variables.GetValueOrDefault(name);

    /// <summary>Slot holding the address of a symbol, in its own space, or generic where <paramref name="space"/> says so.</summary>
    private int SymbolAddress(string name, long offset, int size, PtxSpace? space)
    {
        if (FindVariable(name) is not { } variable)
        {
            int index = program.Module.FunctionIndex(name);
            if (index < 0)
                throw Refused($"The symbol {name} is not defined in the module");
            program.Require(index);
            return Constant(EmulatedModule.FunctionAddress(index), size);
        }
        if (size is not (4 or 8))
            throw Refused($"The address of {name} has 4 or 8 bytes");
        ulong window = space == PtxSpace.Generic ? Window(variable.Space) : 0;
        switch (variable.Space)
        {
            case PtxSpace.Global or PtxSpace.Constant:
                return program.Module.TryGetAddress(variable.Name, out ulong address)
                    ? Constant(address + (ulong)offset, size)
                    : throw Refused($"The variable {name} is external and not defined in the module");
            case PtxSpace.Shared:
                return Constant(window + (ulong)(program.SharedPlace(variable) + offset), size);
            case PtxSpace.Local:
                int slot = Allocate(size);
                Instruction local = new() { Handler = size == 8 ? &Handlers.LocalAddress<ulong> : &Handlers.LocalAddress<uint>, D = slot, Immediate = (long)window + locals[variable] + offset };
                Emit(local);
                return slot;
            default:
                // Unoptimised code takes addresses of call parameters that it does not use: using one is a fault, for nothing lies there.
                if (!function.IsKernel || KernelParameterOffset(variable) is not { } place)
                    return size == 8 ? Constant(NowhereAddress, 8) : throw Refused($"The address of the call parameter {name} is taken");
                return Constant(window + (ulong)(place + offset), size);
        }
    }

    private int? KernelParameterOffset(PtxVariable variable)
    {
        int index = Array.IndexOf(function.Parameters, variable);
        return index < 0 ? null : EmulatedKernel.LayOut(function.Parameters, out _)[index].Offset;
    }

    private static ulong Window(PtxSpace space) => space switch
    {
        PtxSpace.Shared => MemoryWindows.Shared,
        PtxSpace.Local => MemoryWindows.Local,
        PtxSpace.Parameter => MemoryWindows.Parameter,
        _ => 0,
    };
}
