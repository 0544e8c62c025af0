using NUnit.Framework;
using Sprint.Model.Configuration;

namespace Sprint.Tests.Model.Configuration;

[TestFixture]
public sealed class ConfigurationReaderTests
{
    [TestCase("")]
    [TestCase("# only a comment\n")]
    [TestCase("---\n...\n")]
    public void An_empty_file_gives_the_defaults(string yaml)
    {
        SampleConfiguration configuration = Parse(yaml);
        Assert.That(configuration.Model.HiddenSize, Is.EqualTo(256));
        Assert.That(configuration.Stages.Select(stage => stage.Name), Is.EqualTo(new[] { "sparse", "dense" }));
        Assert.That(configuration.Teacher, Is.Null);
    }

    [Test]
    public void Every_kind_of_value_is_read()
    {
        SampleConfiguration configuration = Parse("""
            note: "a: b"
            seed: 18446744073709551615
            model:
              q_norm: false
              tokens: -5000000000
            teacher: {hidden_size: 7}
            sampler: euler-maruyama
            stages:
              - {name: only, drop_ratio: 5e-1, steps: 3, lr: 1}
            betas: [0.5, 1]
            tags: [x, 'true', 3]
            """);
        Assert.That(configuration.Note, Is.EqualTo("a: b"));
        Assert.That(configuration.Seed, Is.EqualTo(ulong.MaxValue));
        Assert.That(configuration.Model, Is.EqualTo(new SampleModel { HiddenSize = 256, QKNormalisation = false, Tokens = -5_000_000_000 }));
        Assert.That(configuration.Teacher, Is.EqualTo(new SampleModel { HiddenSize = 7 }));
        Assert.That(configuration.Sampler, Is.EqualTo(SampleSampler.Sde));
        Assert.That(configuration.Stages, Is.EqualTo(new[] { new SampleStage { Name = "only", DropRatio = 0.5, Steps = 3, LearningRate = 1 } }));
        Assert.That(configuration.Betas, Is.EqualTo(new[] { 0.5, 1 }));
        Assert.That(configuration.Tags, Is.EqualTo(new[] { "x", "true", "3" }));
    }

    [TestCase("model:\n  hiden_size: 64", "test.yaml, line 2: unknown key 'hiden_size' in model: did you mean 'hidden_size'?")]
    [TestCase("stages:\n- steps: 1\n- stpes: 1", "test.yaml, line 3: unknown key 'stpes' in stages[1]: did you mean 'steps'?")]
    [TestCase("modle: {}", "test.yaml, line 1: unknown key 'modle': did you mean 'model'?")]
    [TestCase("zzzzzzz: 1", "known are note, seed, model, teacher, sampler, stages, betas, tags")]
    [TestCase("Seed: 1", "unknown key 'Seed': did you mean 'seed'?")]
    [TestCase("model: {twice_hidden_size: 3}", "unknown key 'twice_hidden_size' in model")]
    [TestCase("seed: 1\nnote: x\nseed: 2", "test.yaml, line 3: seed is given twice")]
    [TestCase("stages: [{learning_rate: 1, lr: 2}]", "stages[0].learning_rate is given twice, here as 'lr'")]
    [TestCase("seed: -1", "seed is -1, but must be a whole number from 0 to 18446744073709551615")]
    [TestCase("seed: 1.5", "seed is 1.5, but must be a whole number")]
    [TestCase("seed: '1'", "seed is the text '1', but must be a whole number")]
    [TestCase("seed: [1]", "seed is a list, but must be a single value")]
    [TestCase("seed:", "seed is empty, but must be a whole number")]
    [TestCase("model: {hidden_size: 3000000000}", "model.hidden_size is 3000000000, but must be a whole number from -2147483648 to 2147483647")]
    [TestCase("model: {hidden_size: 0}", "model.hidden_size is 0, but must be at least 1")]
    [TestCase("model: {q_norm: yes}", "model.q_norm is yes, but must be true or false")]
    [TestCase("model: 3", "model is 3, but must be a group of keys")]
    [TestCase("model:", "model is empty, but must be a group of keys")]
    [TestCase("stages:\n  - drop_ratio: 1", "test.yaml, line 2: stages[0].drop_ratio is 1, but must be at least 0 and less than 1")]
    [TestCase("stages: [{drop_ratio: .nan}]", "stages[0].drop_ratio is .nan, but must be a finite number")]
    [TestCase("stages: [{drop_ratio: NaN}]", "stages[0].drop_ratio is NaN, but must be a finite number")]
    [TestCase("stages: [{lr: 1e99}]", "stages[0].learning_rate is 1e99, but must be a finite number")]
    [TestCase("stages: [{lr: 0}]", "stages[0].learning_rate is 0, but must be greater than 0")]
    [TestCase("stages: [{lr: 1,5}]", "unknown key '5' in stages[0]")]
    [TestCase("stages: []", "stages has 0 entries, but must have at least 1")]
    [TestCase("stages: {}", "stages is a group of keys, but must be a list")]
    [TestCase("stages: [null]", "stages[0] is empty, but must be a group of keys")]
    [TestCase("betas: [0.9, 2]", "betas[1] is 2, but must be at least 0 and at most 1")]
    [TestCase("sampler: heun", "sampler is heun, but must be one of euler_ode, sde, SiT-XL/2")]
    [TestCase("sampler: 1", "sampler is 1, but must be one of")]
    [TestCase("[1, 2]", "the configuration is a list, but must be a group of keys")]
    [TestCase("tags: [a, ~]", "tags[1] is empty, but must be a text")]
    public void A_mistake_gives_one_sentence_that_names_it(string yaml, string sentence) =>
        Assert.That(() => Parse(yaml), new SprintFault("test.yaml, line ", sentence));

    [TestCase("seed: 1\n  note: x", "line 2")]
    [TestCase("a: [1, 2", "line 2")]
    [TestCase("seed: \"open", "line 1")]
    [TestCase("seed: 1\n\tnote: x", "a tab character")]
    [TestCase("seed: 1\n---\nseed: 2", "a second document begins")]
    [TestCase("note: !!binary abcd", "the tag")]
    [TestCase("note: *unknown", "alias '*unknown' has no anchor")]
    [TestCase("model: &a {teacher: *a}", "alias '*a' has no anchor")]
    [TestCase("? [1]\n: 2", "a key must be a single word")]
    public void Invalid_yaml_is_refused_with_its_line(string yaml, string part) => Assert.That(() => Parse(yaml), new SprintFault("test.yaml, line", part));

    [Test]
    public void An_alias_repeats_what_its_anchor_holds()
    {
        SampleConfiguration configuration = Parse("stages:\n- &first {steps: 5}\n- *first\n");
        Assert.That(configuration.Stages.Select(stage => stage.Steps), Is.EqualTo(new[] { 5, 5 }));
    }

    [Test]
    public void Deep_nesting_bombs_of_aliases_and_long_texts_are_refused_quickly()
    {
        Assert.That(() => Parse(new string('[', 100_000)), new SprintFault("nested deeper than"));
        Assert.That(() => Parse(string.Concat(Enumerable.Range(0, 1000).Select(depth => new string(' ', depth) + "a:\n"))), new SprintFault("nested deeper than"));
        Assert.That(() => Parse(string.Concat(Enumerable.Repeat("- ", 50_000))), new SprintFault("nested deeper than"));
        Assert.That(() => Parse(new string('x', (1 << 20) + 1)), new SprintFault("at most 1048576 characters"));
        string bomb = "tags: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
            + string.Concat(Enumerable.Range(1, 20).Select(level => $"b{level}: &a{level} [{string.Join(", ", Enumerable.Repeat($"*a{level - 1}", 10))}]\n"));
        Assert.That(() => Parse(bomb), new SprintFault("unknown key 'b1'"));
        string stages = "tags: &a [" + string.Concat(Enumerable.Repeat("x, ", 1000)) + "]\n";
        Assert.That(() => ConfigurationReader.Parse<Nested>(
            $"first: &a [{string.Concat(Enumerable.Repeat("1, ", 1000))}]\nsecond: [{string.Concat(Enumerable.Repeat("*a, ", 1000))}]", "test.yaml"),
            new SprintFault("more than 100000 values"));
        Assert.That(Parse(stages).Tags, Has.Count.EqualTo(1000));
    }

    [Test]
    public void A_missing_file_a_folder_and_bytes_that_are_not_text_give_one_sentence()
    {
        using TemporaryFolder folder = new();
        Assert.That(() => ConfigurationReader.Read<SampleConfiguration>(folder["none.yaml"]), new SprintFault("cannot read the configuration", "there is no such file"));
        Assert.That(() => ConfigurationReader.Read<SampleConfiguration>(folder.Path), new SprintFault("cannot read the configuration"));
        File.WriteAllBytes(folder["bad.yaml"], [(byte)'n', (byte)':', (byte)' ', 0xFF, 0xFE, 0x00]);
        Assert.That(() => ConfigurationReader.Read<SampleConfiguration>(folder["bad.yaml"]), new SprintFault("bad.yaml", "not text in UTF-8"));
        File.WriteAllBytes(folder["long.yaml"], new byte[(1 << 20) + 1]);
        Assert.That(() => ConfigurationReader.Read<SampleConfiguration>(folder["long.yaml"]), new SprintFault("at most 1048576 bytes"));
    }

    private static SampleConfiguration Parse(string yaml) => ConfigurationReader.Parse<SampleConfiguration>(yaml, "test.yaml");

    private sealed record Nested
    {
        public int[] First { get; init; } = [];

        public int[][] Second { get; init; } = [];
    }
}
