using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using Sprint.Model.Configuration;

namespace Sprint.Tests.Model.Configuration;

[TestFixture]
public sealed class ConfigurationWriterTests
{
    [Test]
    public void The_defaults_are_written_as_a_person_would()
    {
        const string expected = """
            note: null
            seed: 42
            model:
              hidden_size: 256
              q_norm: true
              tokens: null
            teacher: null
            sampler: euler_ode
            stages:
              - name: sparse
                drop_ratio: 0.75
                steps: 1000
                learning_rate: 0.0001
              - name: dense
                drop_ratio: 0
                steps: 1000
                learning_rate: 0.0001
            betas: [0.9, 0.999]
            tags: []

            """;
        Assert.That(ConfigurationWriter.Write(new SampleConfiguration()), Is.EqualTo(expected.ReplaceLineEndings("\n")));
    }

    [FsCheck.NUnit.Property(MaxTest = 500)]
    public Property What_is_written_is_read_back_the_same(string? note, NormalFloat first, ulong seed, string?[] tags, bool norm, long? tokens)
    {
        SampleConfiguration configuration = new()
        {
            Note = note,
            Seed = seed,
            Model = new SampleModel { QKNormalisation = norm, Tokens = tokens },
            Teacher = norm ? new SampleModel() : null,
            Sampler = (SampleSampler)(seed % 3),
            Stages = [new SampleStage { Name = note ?? "", LearningRate = Math.Max(float.Epsilon, (float)Math.Abs(Math.Tanh(first.Get))) }],
            Betas = [Math.Abs(Math.Tanh(first.Get))],
            Tags = [.. tags.Select(tag => tag ?? "")],
        };
        SampleConfiguration again = ConfigurationReader.Parse<SampleConfiguration>(ConfigurationWriter.Write(configuration), "again");
        bool same = again.Note == configuration.Note && again.Seed == configuration.Seed && again.Model == configuration.Model
            && again.Teacher == configuration.Teacher && again.Sampler == configuration.Sampler && again.Stages.SequenceEqual(configuration.Stages)
            && again.Betas.SequenceEqual(configuration.Betas) && again.Tags.SequenceEqual(configuration.Tags);
        return same.ToProperty();
    }

    [TestCase("null")]
    [TestCase("~")]
    [TestCase("")]
    [TestCase(" padded ")]
    [TestCase("12")]
    [TestCase("true")]
    [TestCase("a: b # c")]
    [TestCase("- x")]
    [TestCase("two\nlines\r\n\tand \"quotes\" \\ \u0085\u2028\uFEFF\0")]
    [TestCase("größe 図 \U0001F600")]
    [TestCase("C:\\data\\new")]
    public void Texts_that_yaml_takes_for_something_else_are_quoted(string text)
    {
        SampleConfiguration configuration = new() { Note = text, Tags = [text, text] };
        SampleConfiguration again = ConfigurationReader.Parse<SampleConfiguration>(ConfigurationWriter.Write(configuration), "again");
        Assert.That(again.Note, Is.EqualTo(text));
        Assert.That(again.Tags, Is.EqualTo(configuration.Tags));
    }

    [TestCase("HiddenSize", "hidden_size")]
    [TestCase("QKNorm", "qk_norm")]
    [TestCase("Ema", "ema")]
    [TestCase("X", "x")]
    [TestCase("F32Value", "f32_value")]
    [TestCase("already_snake", "already_snake")]
    public void Names_become_snake_case(string name, string expected) => Assert.That(ConfigurationNames.SnakeCase(name), Is.EqualTo(expected));
}
