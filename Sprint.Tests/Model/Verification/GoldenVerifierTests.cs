using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using NUnit.Framework;
using Sprint.Engine;
using Sprint.Model.Verification;
using Sprint.Tests.Golden;

namespace Sprint.Tests.Model.Verification;

/// <summary>A folder that is not as it should be must fail, and say what is wrong.</summary>
[TestFixture]
public sealed class GoldenVerifierTests
{
    private TemporaryFolder folder = null!;
    private CpuDevice device = null!;

    [SetUp]
    public void Create()
    {
        device = new CpuDevice { PoisonsMemory = true };
        folder = new TemporaryFolder();
        foreach (string file in (string[])["config.json", "weights.safetensors", "forward_masked.safetensors", "train_masked.safetensors"])
            File.Copy(Path.Combine(GoldenFile.PathOf("tiny"), file), folder[file]);
    }

    [TearDown]
    public void Free()
    {
        Assert.That(device.Account.LiveBytes, Is.Zero, "memory held after a failure");
        device.Dispose();
        folder.Dispose();
    }

    [Test]
    public void The_copied_folder_passes()
    {
        Assert.That(Run("forward_masked").Passes);
        Assert.That(Run("train_masked").Passes);
    }

    [Test]
    public void A_changed_weight_fails_by_the_names_of_what_it_changes()
    {
        Change("weights.safetensors", "middle_blocks.1.mlp.fc2.bias", value => value + 0.01f);
        GoldenCase result = Run("forward_masked");
        Assert.That(result.Passes, Is.False);
        string[] failed = [.. result.Comparisons.Where(comparison => !comparison.Passes).Select(comparison => comparison.Name)];
        Assert.That(failed, Does.Contain("act.middle.1").And.Contain("output").And.Not.Contain("act.middle.0").And.Not.Contain("act.encoder.0"));
        Assert.That(result.Worst!.Passes, Is.False);
    }

    [Test]
    public void A_changed_reference_fails_by_its_name()
    {
        Change("train_masked.safetensors", "grad.renoise_linear.weight", value => value * 1.001f);
        GoldenCase result = Run("train_masked");
        Assert.That(result.Comparisons.Where(comparison => !comparison.Passes).Select(comparison => comparison.Name), Is.EqualTo((string[])["grad.renoise_linear.weight"]));
        Assert.That(result.Worst!.Name, Is.EqualTo("grad.renoise_linear.weight"));
    }

    [Test]
    public void Numbers_that_are_none_fail([Values] bool inWeights)
    {
        Change(
            inWeights ? "weights.safetensors" : "forward_masked.safetensors",
            inWeights ? "x_embedder.proj.bias" : "act.fused",
            _ => float.NaN);
        GoldenCase result = Run("forward_masked");
        Assert.That(result.Passes, Is.False);
        Assert.That(result.Comparisons.Single(comparison => comparison.Name == "act.fused").Error, Is.NaN);
        Assert.That(result.Worst!.Passes, Is.False);
    }

    [TestCase("weights.safetensors", "decoder_blocks.0.attn.qkv.bias", "forward_masked")]
    [TestCase("forward_masked.safetensors", "output", "forward_masked")]
    [TestCase("forward_masked.safetensors", "x", "forward_masked")]
    [TestCase("train_masked.safetensors", "x0", "train_masked")]
    [TestCase("train_masked.safetensors", "grad.middle_blocks.0.attn.q_norm.weight", "train_masked")]
    public void A_missing_tensor_is_named(string file, string tensor, string name)
    {
        // Under another name of the same length it belongs to nothing.
        Rename(file, tensor, new string('z', tensor.Length));
        GoldenCase result = Run(name);
        Assert.That(result.Passes, Is.False);
        Assert.That(result.Failure, Does.Contain($"'{tensor}'"));
    }

    [Test]
    public void An_activation_that_nothing_computes_is_named()
    {
        Rename("forward_masked.safetensors", "act.encoder.0", "act.encoder.7");
        Assert.That(Run("forward_masked").Failure, Does.Contain("nothing here computes 'act.encoder.7'"));
    }

    [Test]
    public void A_tensor_of_another_shape_is_named()
    {
        // Tokens of 16 numbers and tokens of 64 trade their names.
        Rename("forward_masked.safetensors", "act.tokens_in", "zzzzzzzzzzzzz");
        Rename("forward_masked.safetensors", "act.encoder.0", "act.tokens_in");
        Rename("forward_masked.safetensors", "zzzzzzzzzzzzz", "act.encoder.0");
        Assert.That(
            Run("forward_masked").Failure,
            Does.Match("act.(tokens_in: 768 numbers cannot be compared with 3072|encoder.0: 3072 numbers cannot be compared with 768)"));
    }

    [TestCase("use_swiglu", "\"large\"", "'use_swiglu' must be true or false, not large")]
    [TestCase("adaln_type", "\"lora\"", "'adaln_lora_dim' must be an integer, not null")]
    [TestCase("adaln_type", "\"swiglu\"", "adaln_type: swiglu is not built: use normal or lora")]
    [TestCase("representation_align", "true", "dim_projection 0 must be from 1 to 65536")]
    [TestCase("qkv_bias", "false", "qkv_bias: False (attention without biases) is not built")]
    [TestCase("hidden_size", "63", "num_heads 4 does not divide hidden_size 63")]
    [TestCase("hidden_size", "\"wide\"", "'hidden_size' must be an integer, not wide")]
    [TestCase("num_heads", null, "'num_heads' is missing in 'constructor_resolved'")]
    public void What_is_not_built_or_not_there_is_said_in_one_sentence(string key, string? value, string complaint)
    {
        JsonNode configuration = JsonNode.Parse(File.ReadAllText(folder["config.json"]))!;
        var section = (JsonObject)configuration["constructor_resolved"]!;
        if (value is null)
            section.Remove(key);
        else
            section[key] = JsonNode.Parse(value);
        File.WriteAllText(folder["config.json"], configuration.ToJsonString());
        Assert.That(() => new GoldenVerifier(device, folder.Path), new SprintFault(complaint));
    }

    [Test]
    public void Folders_without_what_is_needed_are_refused()
    {
        Assert.That(() => new GoldenVerifier(device, folder["nowhere"]), new SprintFault("there is no folder", "nowhere"));
        File.WriteAllText(folder["config.json"], "{ not json");
        Assert.That(() => new GoldenVerifier(device, folder.Path), new SprintFault("config.json", "cannot be read as JSON"));
        File.WriteAllText(folder["config.json"], "{}");
        Assert.That(() => new GoldenVerifier(device, folder.Path), new SprintFault("there is no section 'constructor_resolved'"));
        File.Delete(folder["forward_masked.safetensors"]);
        File.Delete(folder["train_masked.safetensors"]);
        File.Copy(Path.Combine(GoldenFile.PathOf("tiny"), "config.json"), folder["config.json"], overwrite: true);
        Assert.That(() => new GoldenVerifier(device, folder.Path), new SprintFault("holds no case files"));
    }

    [Test]
    public void A_file_of_no_known_kind_and_a_broken_one_fail()
    {
        File.Move(folder["forward_masked.safetensors"], folder["backward_masked.safetensors"]);
        Assert.That(Run("backward_masked").Failure, Does.Contain("no known case"));
        File.WriteAllBytes(folder["train_masked.safetensors"], new byte[5]);
        Assert.That(Run("train_masked").Failure, Does.Contain("not a valid safetensors file"));
    }

    private GoldenCase Run(string name)
    {
        var verifier = new GoldenVerifier(device, folder.Path);
        return verifier.Run(verifier.CaseFiles.Single(file => Path.GetFileNameWithoutExtension(file) == name)).Single();
    }

    /// <summary>Changes the first element of a tensor.</summary>
    private void Change(string file, string tensor, Func<float, float> change)
    {
        byte[] bytes = File.ReadAllBytes(folder[file]);
        int headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        JsonNode entry = JsonNode.Parse(bytes.AsSpan(8, headerLength))![tensor]!;
        Span<byte> element = bytes.AsSpan(8 + headerLength + entry["data_offsets"]![0]!.GetValue<int>(), sizeof(float));
        float value = BinaryPrimitives.ReadSingleLittleEndian(element);
        BinaryPrimitives.WriteSingleLittleEndian(element, change(value));
        File.WriteAllBytes(folder[file], bytes);
    }

    private void Rename(string file, string from, string to)
    {
        byte[] bytes = File.ReadAllBytes(folder[file]);
        int headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        string header = Encoding.UTF8.GetString(bytes, 8, headerLength);
        string renamed = header.Replace($"\"{from}\"", $"\"{to}\"", StringComparison.Ordinal);
        Assert.That(renamed, Is.Not.EqualTo(header).And.Length.EqualTo(header.Length));
        Encoding.UTF8.GetBytes(renamed, bytes.AsSpan(8));
        File.WriteAllBytes(folder[file], bytes);
    }
}
