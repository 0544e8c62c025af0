using NUnit.Framework;
using Sprint.Engine.Operations;
using Sprint.Model.Configuration;
using Sprint.Model.Sampling;
using Sprint.Model.Training;
using Sprint.Tests.Model.Data;
using Sprint.Tests.Model.Training;

namespace Sprint.Tests.Model.Configuration;

[TestFixture]
public sealed class TrainingConfigurationTests
{
    private static string[] Files => [.. Directory.GetFiles(RepositoryFolder.Find("configs"), "*.yaml").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [TestCase("model.patch_size=3", "model: patch_size 3 does not divide context_size 16: choose a divisor of 16")]
    [TestCase("model.num_heads=3", "model: num_heads 3 does not divide hidden_size 128")]
    [TestCase("model.hidden_size=24", "model: hidden_size 24 over num_heads 4 gives heads of 6 channels", "multiple of 4")]
    [TestCase("model.hidden_size=1040", "model: hidden_size 1040 over num_heads 4 gives heads of 260 channels: attention takes at most 256, raise num_heads")]
    [TestCase("model.num_classes=1000000", "--set model.hidden_size=4096", "--set model.num_heads=16", "model: num_classes 1000000 gives a table of 1000001 x 4096 numbers", "lower num_classes or hidden_size")]
    [TestCase("model.hidden_size=65536", "--set model.num_heads=256", "model: hidden_size 65536 gives a table of 393216 x 65536 numbers")]
    [TestCase("model.mlp_ratio=64", "--set model.hidden_size=8192", "--set model.num_heads=32", "model: mlp_ratio 64 gives a table of 524288 x 8192 numbers")]
    [TestCase("model.patch_size=8192", "--set model.context_size=8192", "--set model.in_channels=1024", "model: patch_size 8192 gives a table of 68719476736 x 128 numbers")]
    [TestCase("model.hidden_size=0", "model: hidden_size 0 must be from 1 to 65536")]
    [TestCase("model.context_size=65536", "model: context_size 65536 must be from 1 to 8192")]
    [TestCase("model.middle_depth=-1", "model: middle_depth -1 must be from 0 to 1000")]
    [TestCase("model.mlp_ratio=0", "model: mlp_ratio 0 must be above 0")]
    [TestCase("model.class_dropout_prob=1.5", "model: class_dropout_prob 1.5 must be from 0 to 1")]
    [TestCase("model.q_norm=LayerNorm", "model: q_norm 'LayerNorm' is not known: choose RMSNorm or null")]
    [TestCase("model.use_swiglu=true", "--set model.use_swiglu_large=false", "--set model.mlp_ratio=0.01", "model: mlp_ratio 0.01 leaves SwiGLU with use_swiglu_large: false no hidden layer: raise mlp_ratio")]
    [TestCase("model.adaln_type=lora", "model: adaln_type: lora needs adaln_lora_dim, the rank of its layers")]
    [TestCase("model.adaln_lora_dim=32", "model: adaln_lora_dim 32 is the rank of adaln_type: lora, but adaln_type is normal: choose lora, or null here")]
    [TestCase("model.adaln_lora_dim=0", "--set model.adaln_type=lora", "model: adaln_lora_dim 0 must be from 1 to 65536")]
    [TestCase("model.adaln_lora_dim=65536", "--set model.adaln_type=lora", "--set model.hidden_size=8192", "--set model.num_heads=64", "model: adaln_lora_dim 65536 gives a table of 49152 x 65536 numbers", "lower adaln_lora_dim or hidden_size")]
    [TestCase("model.adaln_type=swiglu", "model: adaln_type: swiglu is not built: use normal or lora")]
    [TestCase("model.adaln_type=Lora", "model: adaln_type 'Lora' is not known: choose normal or lora")]
    [TestCase("model.representation_align=true", "model: representation_depth 8 is behind none of the 4 middle blocks: with encoder_depth 1 it must be from 3 to 6")]
    [TestCase("model.representation_align=true", "--set model.representation_depth=2", "model: representation_depth 2 is behind none of the 4 middle blocks: with encoder_depth 1 it must be from 3 to 6")]
    [TestCase("model.representation_align=true", "--set model.middle_depth=0", "model: representation_align: true reads behind a middle block, but middle_depth is 0")]
    [TestCase("model.representation_align=true", "--set model.dim_projection=0", "model: dim_projection 0 must be from 1 to 65536")]
    [TestCase("model.representation_align=true", "--set model.projector_hidden_dim=65536", "model: projector_hidden_dim 65536 gives a table of 65536 x 65536 numbers")]
    [TestCase("model.use_mask_restore=false", "model: use_mask_restore: false is not built")]
    [TestCase("model.residual_type=add", "model: residual_type: add is not built")]
    [TestCase("stage1.drop_ratio=0.7", "stage 1: drop ratio 0.7 cannot be had by structured dropping on a 8x8 token grid", "0.703125", "mask_type: random takes any ratio")]
    [TestCase("stage1.gradient_accumulation_steps=3", "stage 1: gradient_accumulation_steps 3 does not divide batch_size 64")]
    [TestCase("stage1.batch_size=1000000", "--set model.context_size=8192", "stage 1: batch_size 1000000 with images of 1 x 8192 x 8192 is more than one array holds")]
    [TestCase("samples.guidance_low=0.5", "--set samples.guidance_high=0.25", "samples: guidance_low 0.5 is above guidance_high 0.25")]
    public void Values_that_do_not_fit_are_named(string change, params string[] more)
    {
        string[] changes = [change, .. more.Where(part => part.StartsWith("--set ", StringComparison.Ordinal)).Select(part => part[6..])];
        string[] parts = [.. more.Where(part => !part.StartsWith("--set ", StringComparison.Ordinal))];
        TrainingConfiguration configuration = ConfigurationReader.Parse<TrainingConfiguration>("", "test.yaml", changes);
        Assert.That(configuration.Validate, new SprintFault(parts));
    }

    [TestCase("model: {hiden_size: 64}", "unknown key 'hiden_size' in model: did you mean 'hidden_size'?")]
    [TestCase("stages: [{drop_ration: 0.5}]", "unknown key 'drop_ration' in stages[0]: did you mean 'drop_ratio'?")]
    [TestCase("stages: [{drop_ratio: 1}]", "stages[0].drop_ratio is 1, but must be at least 0 and at most 0.999999")]
    [TestCase("stages: [{batch_size: many}]", "stages[0].batch_size is many, but must be a whole number")]
    [TestCase("stages: [{batch_size: 3000000000}]", "stages[0].batch_size is 3000000000, but must be a whole number from -2147483648 to 2147483647")]
    [TestCase("stages: [{steps: 0}]", "stages[0].steps is 0, but must be at least 1")]
    [TestCase("stages: []", "stages has 0 entries, but must have at least 1")]
    [TestCase("stages: [{mask_type: checkerboard}]", "stages[0].mask_type is checkerboard, but must be one of structured, random")]
    [TestCase("seed: -1", "seed is -1, but must be at least 0")]
    [TestCase("samples: {guidance: strong}", "samples.guidance is strong, but must be one of")]
    [TestCase("loss: {path_type: 3}", "loss.path_type is 3, but must be one of linear, cosine")]
    [TestCase("checkpoints: {keep: 0}", "checkpoints.keep is 0, but must be at least 1")]
    public void A_mistake_in_a_file_is_named(string yaml, string sentence) =>
        Assert.That(() => ConfigurationReader.Parse<TrainingConfiguration>(yaml, "test.yaml"), new SprintFault("test.yaml, line 1: ", sentence));

    [Test]
    public void Names_of_the_reference_s_files_are_understood()
    {
        TrainingConfiguration configuration = ConfigurationReader.Parse<TrainingConfiguration>(
            "{network_config: {hidden_size: 64}, stages: [{max_train_steps: 5, mask_ratio: 0.5, mask_type: structured_with_random_offset}], samples: {mode: sde, num_steps: 7, cfg_scale: 3}, checkpoints: {checkpointing_steps: 8, checkpoints_total_limit: 9}}", "test.yaml");
        Assert.That(configuration.Model.HiddenSize, Is.EqualTo(64));
        Assert.That(configuration.Stages[0].Steps, Is.EqualTo(5));
        Assert.That(configuration.Stages[0].DropRatio, Is.EqualTo(0.5));
        Assert.That((configuration.Samples.Sampler, configuration.Samples.Steps, configuration.Samples.Scale), Is.EqualTo((SamplerKind.Sde, 7, 3.0)));
        Assert.That((configuration.Checkpoints.Every, configuration.Checkpoints.Keep), Is.EqualTo((8, 9)));
    }

    [Test]
    public void A_configuration_is_read_back_as_it_was_written()
    {
        foreach (TrainingConfiguration configuration in Files.Select(Read).Append(TinyRun.Configuration))
        {
            string text = ConfigurationWriter.Write(configuration);
            TrainingConfiguration again = ConfigurationReader.Parse<TrainingConfiguration>(text, "written");
            Assert.That(again with { Stages = configuration.Stages }, Is.EqualTo(configuration));
            Assert.That(again.Stages, Is.EqualTo(configuration.Stages));
        }
    }

    [TestCaseSource(nameof(Files))]
    public void The_files_that_come_with_the_project_are_valid_and_their_savings_can_be_counted(string file)
    {
        TrainingConfiguration configuration = Read(file);
        Assert.That(configuration.Validate, Throws.Nothing);
        StageConfiguration stage = configuration.Stages[0];
        int side = configuration.Model.GridSide;
        (double flops, long peak) = DenseCost.Count(configuration.Model, stage, configuration.Loss, stage.Pattern(configuration.Model));
        (double dense, long densePeak) = DenseCost.Count(configuration.Model, stage, configuration.Loss, DropPattern.None(side, side));
        Assert.That(flops, Is.InRange(0.2 * dense, 0.8 * dense));
        Assert.That(peak, Is.InRange(1, densePeak - 1));
    }

    private static TrainingConfiguration Read(string file) =>
        ConfigurationReader.Read<TrainingConfiguration>(RepositoryFolder.Find(Path.Combine("configs", file)));

    [TestCase("S", 384, 6, 12)]
    [TestCase("b", 768, 12, 12)]
    [TestCase("L", 1024, 16, 24)]
    [TestCase("XL", 1152, 16, 28)]
    public void The_published_sizes_are_known_by_name(string size, int width, int heads, int blocks)
    {
        ModelConfiguration model = ModelConfiguration.Named(size);
        Assert.That(model.Validate, Throws.Nothing);
        Assert.That((model.HiddenSize, model.NumHeads, model.EncoderDepth + model.MiddleDepth + model.DecoderDepth, model.Tokens), Is.EqualTo((width, heads, blocks, 256)));
        Assert.That(() => ModelConfiguration.Named("XXL"), new SprintFault("'XXL'", "S, B, L or XL"));
    }
}
