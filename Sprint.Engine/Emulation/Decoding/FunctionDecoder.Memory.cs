using Sprint.Engine.Emulation.Execution;
using Sprint.Engine.Emulation.Memory;
using Sprint.Engine.Emulation.Parsing;
using unsafe Handler = delegate*<Sprint.Engine.Emulation.Execution.Warp, Sprint.Engine.Emulation.Decoding.Instruction*, Sprint.Engine.Emulation.Decoding.Instruction*>;

namespace Sprint.Engine.Emulation.Decoding;

/// <summary>Loads and stores.</summary>
internal sealed unsafe partial class FunctionDecoder
{
    private static readonly string[] CacheHints =
    [
        "ca", "cg", "cs", "cv", "wb", "wt", "lu", "volatile", "relaxed", "acquire", "release", "weak", "cta", "gpu", "sys", "nc",
        "global", "shared", "shared::cta", "local", "const", "param", "v2", "v4",
        "L1::evict_normal", "L1::evict_unchanged", "L1::evict_first", "L1::evict_last", "L1::no_allocate",
        "L2::64B", "L2::128B", "L2::256B", "L2::evict_last", "L2::evict_normal", "L2::evict_first",
    ];

    private HashSet<(object? Base, long Offset)>? swapped;
    private Dictionary<PtxRegister, PtxRegister?>? copies;

    private void DecodeMemory(PtxInstruction i)
    {
        Allow(i, CacheHints);
        Expect(i, 2);
        bool store = i.Name == "st";
        PtxType type = TypeOf(i);
        PtxSpace space = SpaceOf(i);
        PtxOperand data = i.Operands[store ? 1 : 0];
        PtxOperand address = i.Operands[store ? 0 : 1];
        if (address.Kind != PtxOperandKind.Address)
            throw Refused("The address of a load or store is written in brackets");
        PtxOperand[] items = data.Kind == PtxOperandKind.Vector ? data.Items : [data];
        int vector = i.Has("v2") ? 2 : i.Has("v4") ? 4 : 1;
        if (items.Length != vector || type.Size() == 0 || vector * type.Size() > 16)
            throw Refused("The vector of a load or store does not fit its type");
        int bytes = vector * type.Size();
        this.cost = new InstructionCost(store ? InstructionKind.Store : InstructionKind.Load, BytesRead: store ? 0 : bytes, BytesWritten: store ? bytes : 0, Space: space);
        InstructionCost cost = this.cost;
        this.cost = default;
        int register = RegisterSizeOf(items, type);
        int[] slots = [.. items.Select(item => store ? Source(item, register, type) : Destination(item, register))];
        Instruction operation = new() { Count = vector, D = slots[0], B = register, List = vector > 1 ? program.Keep(slots) : null, F = (int)KindOf(i, store) };
        if (i.Has("release"))
            EmitFence(i);
        if (space == PtxSpace.Parameter && address.Name is not null && FindVariable(address.Name) is { } variable)
            DecodeParameterAccess(i, variable, address.Value, store, type, register, ref operation);
        else
            DecodeAddressedAccess(space, address, store, type, register, ref operation);
        if (!store && space != PtxSpace.Parameter)
            CarryUndefined(i, type, items, slots, ref operation);
        if (space is PtxSpace.Shared or PtxSpace.Generic)
            program.RaceGranule = Math.Min(program.RaceGranule, type.Size());
        if (space is PtxSpace.Global or PtxSpace.Generic)
            program.GlobalGranule = Math.Min(program.GlobalGranule, bytes);
        program.UsesReadOnlyPath |= operation.F == (int)AccessKind.ReadOnlyLoad;
        this.cost = cost;
        Emit(operation);
        if (store && space != PtxSpace.Parameter)
            StoreUndefined(space, type, items, operation);
        if (i.Has("acquire"))
            EmitFence(i);
    }

    private static int RegisterSizeOf(PtxOperand[] items, PtxType type)
    {
        foreach (PtxOperand item in items)
        {
            if (item.Kind == PtxOperandKind.Register)
            {
                int size = Math.Max(item.Register!.Size, 2);
                return size >= type.Size() ? size : throw Refused($"The register {item.Register.Name} is smaller than the type of the access");
            }
        }
        return Math.Max(type.Size(), 2);
    }

    private AccessKind KindOf(PtxInstruction i, bool store)
    {
        bool strong = i.Has("volatile") || i.Has("relaxed") || i.Has("acquire") || i.Has("release");
        bool uncached = SpaceOf(i) is PtxSpace.Global or PtxSpace.Generic && (i.Has("cg") || i.Has("cv") || i.Has("wt"));
        if (store)
            return strong ? AccessKind.VolatileStore : uncached ? AccessKind.UncachedStore : AccessKind.Store;
        return strong || uncached || IsGuess(i) ? AccessKind.VolatileLoad : i.Has("nc") || i.Name == "ldu" ? AccessKind.ReadOnlyLoad : AccessKind.Load;
    }

    /// <summary>
    /// Whether a load reads the word that a compare-and-swap at the same address then compares: in loops that make other atomic operations of
    /// it (the CUDA programming guide's, those of cuda_bf16.hpp) the first read is a guess that the swap verifies, and no race.
    /// </summary>
    private bool IsGuess(PtxInstruction load)
    {
        swapped ??= [.. function.Instructions.Where(i => i.Name == "atom" && i.Has("cas") && i.Operands.Length == 4).Select(i => PlaceOf(i.Operands[1]))];
        return swapped.Count > 0 && load.Name == "ld" && load.Operands is [_, { Kind: PtxOperandKind.Address } address] && swapped.Contains(PlaceOf(address));
    }

    // An address: the register that it was first in, or its symbol, and the offset.
    private (object? Base, long Offset) PlaceOf(PtxOperand address)
    {
        if (address.Register is not { } register)
            return (address.Name, address.Value);
        if (copies is null)
        {
            copies = [];
            HashSet<PtxRegister> written = [];
            foreach (PtxInstruction i in function.Instructions)
            {
                foreach (PtxRegister result in DefiniteAssignment.Written(i))
                {
                    bool copy = i.Name is "mov" or "cvta" && i.Guard is null && i.Operands is [_, { Kind: PtxOperandKind.Register }];
                    copies[result] = written.Add(result) && copy ? i.Operands[1].Register : null;
                }
            }
        }
        for (int k = 0; k < 8 && copies.GetValueOrDefault(register) is { } source; k++)
            register = source;
        return (register, address.Value);
    }

    private void DecodeParameterAccess(PtxInstruction i, PtxVariable variable, long offset, bool store, PtxType type, int register, ref Instruction operation)
    {
        long bytes = (long)type.Size() * operation.Count;
        if (offset < 0 || offset + bytes > variable.Size)
            throw Refused($"The access reaches beyond the parameter {variable.Name} of {variable.Size} bytes");
        if (parameters.TryGetValue(variable, out FrameParameter place))
        {
            operation.A = place.Offset;
            operation.E = place.Size;
            operation.Immediate = offset;
            operation.Handler = store ? ArgumentStore(type, register) : ArgumentLoad(type, register);
            return;
        }
        if (store || KernelParameterOffset(variable) is not { } start)
            throw Refused($"The parameter {variable.Name} cannot be accessed here");
        operation.Immediate = start + offset;
        operation.Handler = ParameterLoad(type, register);
    }

    private void DecodeAddressedAccess(PtxSpace space, PtxOperand address, bool store, PtxType type, int register, ref Instruction operation)
    {
        SetAddress(address, space, ref operation);
        operation.Handler = space switch
        {
            PtxSpace.Global or PtxSpace.Constant => store ? StoreHandler<GlobalSpace>(type, register) : LoadHandler<GlobalSpace>(type, register),
            PtxSpace.Shared => store ? StoreHandler<SharedSpace>(type, register) : LoadHandler<SharedSpace>(type, register),
            PtxSpace.Local => store ? StoreHandler<LocalSpace>(type, register) : LoadHandler<LocalSpace>(type, register),
            PtxSpace.Parameter => store ? StoreHandler<ParameterSpace>(type, register) : LoadHandler<ParameterSpace>(type, register),
            _ => store ? StoreHandler<GenericSpace>(type, register) : LoadHandler<GenericSpace>(type, register),
        };
    }

    /// <summary>Sets A, C and Immediate of an operation from an address operand.</summary>
    private void SetAddress(PtxOperand address, PtxSpace space, ref Instruction operation)
    {
        operation.Immediate = address.Value;
        if (address.Register is { } register)
        {
            if (register.Size is not (4 or 8))
                throw Refused($"The register {register.Name} holds no address");
            operation.A = RegisterSlot(register);
            operation.C = register.Size == 4 ? 1 : 0;
            return;
        }
        operation.A = address.Name is null ? Constant(0, 8) : SymbolAddress(address.Name, 0, 8, space);
    }

    private static Handler LoadHandler<TSpace>(PtxType type, int register)
        where TSpace : struct, IMemorySpace
        => (type.Size(), type.IsSigned(), register) switch
        {
            (1, false, 2) => &Handlers.Load<TSpace, byte, ushort>,
            (1, false, 4) => &Handlers.Load<TSpace, byte, uint>,
            (1, false, 8) => &Handlers.Load<TSpace, byte, ulong>,
            (1, true, 2) => &Handlers.Load<TSpace, sbyte, ushort>,
            (1, true, 4) => &Handlers.Load<TSpace, sbyte, uint>,
            (1, true, 8) => &Handlers.Load<TSpace, sbyte, ulong>,
            (2, _, 2) => &Handlers.Load<TSpace, ushort, ushort>,
            (2, false, 4) => &Handlers.Load<TSpace, ushort, uint>,
            (2, false, 8) => &Handlers.Load<TSpace, ushort, ulong>,
            (2, true, 4) => &Handlers.Load<TSpace, short, uint>,
            (2, true, 8) => &Handlers.Load<TSpace, short, ulong>,
            (4, _, 4) => &Handlers.Load<TSpace, uint, uint>,
            (4, false, 8) => &Handlers.Load<TSpace, uint, ulong>,
            (4, true, 8) => &Handlers.Load<TSpace, int, ulong>,
            _ => &Handlers.Load<TSpace, ulong, ulong>,
        };

    private static Handler StoreHandler<TSpace>(PtxType type, int register)
        where TSpace : struct, IMemorySpace
        => (type.Size(), register) switch
        {
            (1, 2) => &Handlers.Store<TSpace, byte, ushort>,
            (1, 4) => &Handlers.Store<TSpace, byte, uint>,
            (1, 8) => &Handlers.Store<TSpace, byte, ulong>,
            (2, 2) => &Handlers.Store<TSpace, ushort, ushort>,
            (2, 4) => &Handlers.Store<TSpace, ushort, uint>,
            (2, 8) => &Handlers.Store<TSpace, ushort, ulong>,
            (4, 4) => &Handlers.Store<TSpace, uint, uint>,
            (4, 8) => &Handlers.Store<TSpace, uint, ulong>,
            _ => &Handlers.Store<TSpace, ulong, ulong>,
        };

    private static Handler ParameterLoad(PtxType type, int register) => (type.Size(), type.IsSigned(), register) switch
    {
        (1, false, 2) => &Handlers.LoadParameter<byte, ushort>,
        (1, false, 4) => &Handlers.LoadParameter<byte, uint>,
        (1, true, 2) => &Handlers.LoadParameter<sbyte, ushort>,
        (1, true, 4) => &Handlers.LoadParameter<sbyte, uint>,
        (2, _, 2) => &Handlers.LoadParameter<ushort, ushort>,
        (2, false, 4) => &Handlers.LoadParameter<ushort, uint>,
        (2, true, 4) => &Handlers.LoadParameter<short, uint>,
        (4, _, 4) => &Handlers.LoadParameter<uint, uint>,
        (4, false, 8) => &Handlers.LoadParameter<uint, ulong>,
        (4, true, 8) => &Handlers.LoadParameter<int, ulong>,
        (8, _, 8) => &Handlers.LoadParameter<ulong, ulong>,
        _ => throw Refused("A parameter is loaded into a register of this size"),
    };

    private static Handler ArgumentLoad(PtxType type, int register) => (type.Size(), type.IsSigned(), register) switch
    {
        (1, false, 2) => &Handlers.LoadArgument<byte, ushort>,
        (1, false, 4) => &Handlers.LoadArgument<byte, uint>,
        (1, true, 2) => &Handlers.LoadArgument<sbyte, ushort>,
        (1, true, 4) => &Handlers.LoadArgument<sbyte, uint>,
        (2, _, 2) => &Handlers.LoadArgument<ushort, ushort>,
        (2, false, 4) => &Handlers.LoadArgument<ushort, uint>,
        (2, true, 4) => &Handlers.LoadArgument<short, uint>,
        (4, _, 4) => &Handlers.LoadArgument<uint, uint>,
        (8, _, 8) => &Handlers.LoadArgument<ulong, ulong>,
        _ => throw Refused("A call parameter is loaded into a register of this size"),
    };

    private static Handler ArgumentStore(PtxType type, int register) => (type.Size(), register) switch
    {
        (1, 2) => &Handlers.StoreArgument<byte, ushort>,
        (1, 4) => &Handlers.StoreArgument<byte, uint>,
        (2, 2) => &Handlers.StoreArgument<ushort, ushort>,
        (2, 4) => &Handlers.StoreArgument<ushort, uint>,
        (4, 4) => &Handlers.StoreArgument<uint, uint>,
        (4, 8) => &Handlers.StoreArgument<uint, ulong>,
        (8, 8) => &Handlers.StoreArgument<ulong, ulong>,
        _ => throw Refused("A call parameter is stored from a register of this size"),
    };
}
