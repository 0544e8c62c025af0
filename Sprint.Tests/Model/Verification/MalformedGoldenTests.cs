using System.Buffers.Binary;
using System.Text.Json.Nodes;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Verification;
using Sprint.Tests.Golden;

namespace Sprint.Tests.Model.Verification;

/// <summary>Numbers in a golden folder that would lead beyond a table or an array are refused with file and tensor.</summary>
[TestFixture]
public sealed class MalformedGoldenTests
{
    private TemporaryFolder folder = null!;
    private CpuDevice device = null!;

    [SetUp]
    public void Create()
    {
        device = new CpuDevice(1) { PoisonsMemory = true };
        folder = new TemporaryFolder();
        foreach (string file in Directory.GetFiles(GoldenFile.PathOf("tiny")))
            File.Copy(file, folder[Path.GetFileName(file)]);
    }

    [TearDown]
    public void Free()
    {
        Assert.That(device.Account.LiveBytes, Is.Zero, "memory held after a failure");
        device.Dispose();
        folder.Dispose();
    }

    [TestCase("forward_dense", "y", 1, 11, "holds 11, which is not from 0 to 10")]
    [TestCase("forward_dense", "y", 0, -1, "holds -1, which is not from 0 to 10")]
    [TestCase("forward_masked", "ids_keep", 5, 16, "holds 16, which is not from 0 to 15")]
    [TestCase("forward_masked", "ids_keep", 0, -2, "holds -2, which is not from 0 to 15")]
    [TestCase("train_masked", "ids_keep", 11, int.MaxValue, "holds 2147483647, which is not from 0 to 15")]
    [TestCase("train_masked", "path_drop", 2, 2, "holds 2, which is not from 0 to 1")]
    [TestCase("train_masked", "y", 3, 1000, "holds 1000, which is not from 0 to 10")]
    [TestCase("train_3steps", "step0.ids_keep", 0, 99, "holds 99, which is not from 0 to 15")]
    [TestCase("sample_ode", "y", 1, 11, "holds 11, which is not from 0 to 10")]
    public void A_number_beyond_its_table_is_named(string name, string tensor, int index, long value, string complaint)
    {
        Rewrite(name, (header, data) => BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(Begin(header, tensor) + (index * sizeof(long))), value));
        Assert.That(Failure(name), Does.Contain($"{name}.safetensors: tensor '{tensor}' {complaint}"));
    }

    [Test]
    public void A_token_kept_twice_is_named()
    {
        Rewrite("forward_masked", (header, data) =>
        {
            int begin = Begin(header, "ids_keep") + (4 * sizeof(long));
            data.AsSpan(begin, sizeof(long)).CopyTo(data.AsSpan(begin + (2 * sizeof(long))));
        });
        Assert.That(Failure("forward_masked"), Does.Match("forward_masked.safetensors: tensor 'ids_keep' keeps token [0-9]+ of sample 1 twice"));
    }

    [TestCase("forward_dense", "x", "0,4,8,8", "tensor 'x' of shape [0, 4, 8, 8] is of no use here")]
    [TestCase("forward_dense", "x", "", "tensor 'x' of shape [] is of no use here")]
    [TestCase("forward_masked", "ids_keep", "12", "tensor 'ids_keep' has 1 dimensions where 2 are wanted")]
    [TestCase("forward_masked", "ids_keep", "3,2,2", "tensor 'ids_keep' has 3 dimensions where 2 are wanted")]
    [TestCase("forward_dense", "y", "3,1", "tensor 'y' has 2 dimensions where 1 are wanted")]
    [TestCase("forward_dense", "y", "2", "tensor 'y' is of 2 samples, 'x' of 3")]
    [TestCase("forward_dense", "t", "1", "tensor 't' is of 1 samples, 'x' of 3")]
    [TestCase("train_masked", "path_drop", "2,2", "tensor 'path_drop' has 2 dimensions where 1 are wanted")]
    [TestCase("train_masked", "ids_keep", "16", "tensor 'ids_keep' has 1 dimensions where 2 are wanted")]
    [TestCase("train_3steps", "wd0.loss", "0", "tensor 'wd0.loss' of shape [0] is of no use here")]
    [TestCase("sample_ode", "latents", "1,4,8,8", "tensor 'latents' holds 256 numbers where 512 are wanted")]
    [TestCase("sample_sde", "noise", "4,2,4,8,8", "tensor 'noise' holds 2048 numbers where 2560 are wanted")]
    public void A_shape_that_does_not_fit_is_named(string name, string tensor, string shape, string complaint)
    {
        int[] lengths = [.. shape.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
        Rewrite(name, (header, _) =>
        {
            // What the tensor no longer covers belongs to another, as the format allows no gaps.
            var entry = (JsonObject)header[tensor]!;
            int begin = entry["data_offsets"]![0]!.GetValue<int>();
            int end = entry["data_offsets"]![1]!.GetValue<int>();
            int size = entry["dtype"]!.GetValue<string>() == "I64" ? sizeof(long) : sizeof(float);
            int middle = begin + (size * lengths.Aggregate(1, (product, length) => product * length));
            entry["shape"] = new JsonArray([.. lengths.Select(length => (JsonNode)length)]);
            entry["data_offsets"] = new JsonArray(begin, middle);
            if (middle < end)
                header["rest"] = new JsonObject { ["dtype"] = "U8", ["shape"] = new JsonArray(end - middle), ["data_offsets"] = new JsonArray(middle, end) };
        });
        Assert.That(Failure(name), Does.Contain($"{name}.safetensors: {complaint}"));
    }

    [TestCase("cases", "[]", "the metadata 'cases' must be a JSON object with an entry for each case")]
    [TestCase("cases", "{}", "the metadata 'cases' must be a JSON object with an entry for each case")]
    [TestCase("cases", "{\"cfg\": 2.5}", "the case of 'cfg' in the metadata 'cases' must be a JSON object, not 2.5")]
    [TestCase("cases", "{\"cfg\": {\"cfg_scale\": \"2.5\"}}", "'cfg_scale' of 'cfg' in the metadata 'cases' must be a number, not \"2.5\"")]
    [TestCase("cases", "{\"cfg\": {\"guidance_low\": null}}", "'guidance_low' of 'cfg' in the metadata 'cases' must be a number, not null")]
    [TestCase("cases", "{\"cfg\": {\"path_drop_guidance\": 1}}", "'path_drop_guidance' of 'cfg' in the metadata 'cases' must be true or false, not 1")]
    [TestCase("cases", "{\"\\ud800\": {}}", "the metadata 'cases' are no JSON")]
    [TestCase("cases", "{", "the metadata 'cases' are no JSON")]
    [TestCase("num_steps", "1e300", "'num_steps' of the metadata is 1E+300, but must be a whole number from 1 to 100000")]
    [TestCase("num_steps", "0", "'num_steps' of the metadata is 0, but must be a whole number from 1 to 100000")]
    [TestCase("num_steps", "NaN", "'num_steps' of the metadata is NaN, but must be a whole number from 1 to 100000")]
    [TestCase("num_steps", "2.5", "'num_steps' of the metadata is 2.5, but must be a whole number from 1 to 100000")]
    [TestCase("num_steps", "many", "the metadata lack the number 'num_steps'")]
    [TestCase("num_steps", "7", "tensor 'noise' holds 2560 numbers where 3072 are wanted")]
    public void Metadata_of_the_wrong_kind_are_named(string key, string value, string complaint)
    {
        Rewrite("sample_sde", (header, _) => header["__metadata__"]![key] = value);
        Assert.That(Failure("sample_sde"), Does.Contain($"sample_sde.safetensors: {complaint}"));
    }

    [TestCase("[]", "there is no section 'constructor_resolved'")]
    [TestCase("{\"constructor_resolved\": 5}", "there is no section 'constructor_resolved'")]
    public void A_configuration_of_the_wrong_kind_is_named(string json, string complaint)
    {
        File.WriteAllText(folder["config.json"], json);
        Assert.That(() => new GoldenVerifier(device, folder.Path), new SprintFault("config.json", complaint));
    }

    private string? Failure(string name)
    {
        var verifier = new GoldenVerifier(device, folder.Path);
        return verifier.Run(folder[name + ".safetensors"]).Single().Failure;
    }

    private static int Begin(JsonObject header, string tensor) => header[tensor]!["data_offsets"]![0]!.GetValue<int>();

    private void Rewrite(string name, Action<JsonObject, byte[]> change)
    {
        string path = folder[name + ".safetensors"];
        byte[] bytes = File.ReadAllBytes(path);
        int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        var header = (JsonObject)JsonNode.Parse(bytes.AsSpan(8, length))!;
        byte[] data = bytes[(8 + length)..];
        change(header, data);
        byte[] json = System.Text.Encoding.UTF8.GetBytes(header.ToJsonString());
        byte[] prefix = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)json.Length);
        File.WriteAllBytes(path, [.. prefix, .. json, .. data]);
    }
}
