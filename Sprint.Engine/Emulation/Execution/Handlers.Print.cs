using System.Numerics;
using System.Text;
using Sprint.Engine.Emulation.Decoding;
using Sprint.Engine.Emulation.Memory;

namespace Sprint.Engine.Emulation.Execution;

/// <summary>Device functions that the runtime provides: printf and assert. List holds slot and size of every parameter.</summary>
internal static unsafe partial class Handlers
{
    private const int MaximumText = 4096;
    private const int MaximumOutput = 1 << 20;

    /// <summary><c>vprintf(format, arguments)</c>.</summary>
    public static Instruction* Print(Warp warp, Instruction* i)
    {
        byte* r = warp.Registers;
        for (uint lanes = warp.Active; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            string format = ReadText(warp, i, lane, *(ulong*)(r + i->List[0] + lane * i->List[1]));
            ulong arguments = *(ulong*)(r + i->List[2] + lane * i->List[3]);
            StringBuilder output = warp.Block.Output;
            int length = Format(warp, i, lane, format, arguments, output);
            if (output.Length > MaximumOutput)
                output.Length = MaximumOutput;
            if (i->Count > 2)
                *(int*)(r + i->List[4] + lane * i->List[5]) = length;
        }
        return i + 1;
    }

    /// <summary><c>__assertfail(message, file, line, function, character size)</c>.</summary>
    public static Instruction* FailAssertion(Warp warp, Instruction* i)
    {
        byte* r = warp.Registers;
        int lane = Warp.LowestLane(warp.Active);
        string message = ReadText(warp, i, lane, *(ulong*)(r + i->List[0] + lane * i->List[1]));
        string file = ReadText(warp, i, lane, *(ulong*)(r + i->List[2] + lane * i->List[3]));
        uint line = *(uint*)(r + i->List[4] + lane * i->List[5]);
        throw warp.Fault(i, lane, EmulationFault.Assertion, $"The assertion \"{message}\" of {file}:{line} failed");
    }

    private static string ReadText(Warp warp, Instruction* i, int lane, ulong address)
    {
        StringBuilder text = new();
        while (text.Length < MaximumText)
        {
            byte character = (byte)ReadBytes(warp, i, lane, address++, 1);
            if (character == 0)
                break;
            text.Append((char)character);
        }
        return text.ToString();
    }

    private static ulong ReadBytes(Warp warp, Instruction* i, int lane, ulong address, int bytes)
    {
        warp.CheckPrinted(i, lane, address, bytes);
        warp.Addresses[lane] = address;
        GenericSpace.Scatter(warp, i, 1u << lane, bytes, AccessKind.Load);
        byte* host = warp.Host[lane];
        return bytes switch { 1 => *host, 4 => *(uint*)host, _ => *(ulong*)host };
    }

    private static int Format(Warp warp, Instruction* i, int lane, string format, ulong arguments, StringBuilder output)
    {
        int count = 0;
        for (int k = 0; k < format.Length; k++)
        {
            if (format[k] != '%')
            {
                output.Append(format[k]);
                continue;
            }
            k++;
            PrintSpecifier specifier = PrintSpecifier.Parse(format, ref k, () => (int)Next(4), ref count);
            if (specifier.Conversion == '\0')
                break;
            if (specifier.Conversion == '%')
            {
                output.Append('%');
                continue;
            }
            ulong value = Next(specifier.Bytes);
            output.Append(specifier.Conversion == 's' ? specifier.Render(ReadText(warp, i, lane, value)) : specifier.Render(value));
            count++;
        }
        return count;

        ulong Next(int bytes)
        {
            arguments = (arguments + (ulong)bytes - 1) & ~(ulong)(bytes - 1);
            ulong value = ReadBytes(warp, i, lane, arguments, bytes);
            arguments += (ulong)bytes;
            return value;
        }
    }
}
