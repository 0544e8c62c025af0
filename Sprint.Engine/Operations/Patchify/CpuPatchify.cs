using Sprint.Engine.Cpu;

namespace Sprint.Engine.Operations;

/// <summary><see cref="Patchify"/> on the CPU: one piece of work is a row of pixels.</summary>
internal sealed unsafe class CpuPatchify(CpuDevice device) : IPatchifyKernels
{
    public void ToTokens(Tensor image, int patch, Tensor tokens) => Run(image, tokens, patch, toTokens: true);

    public void ToImage(Tensor tokens, int patch, Tensor image) => Run(image, tokens, patch, toTokens: false);

    private void Run(Tensor image, Tensor tokens, int patch, bool toTokens)
    {
        (int channels, int height, int width) = (image.Shape[1], image.Shape[2], image.Shape[3]);
        var job = new Job((float*)image.Address, (float*)tokens.Address, channels, height, width, patch, toTokens);
        device.Pool.Run(ref job, image.Shape[0] * channels);
    }

    private readonly struct Job(float* image, float* tokens, int channels, int height, int width, int patch, bool toTokens) : IWorkerJob
    {
        public void Execute(int index, int worker)
        {
            (int sample, int channel) = (index / channels, index % channels);
            int columns = width / patch;
            int features = channels * patch * patch;
            float* pixel = image + ((long)index * height * width);
            for (int y = 0; y < height; y++)
            {
                long token = ((long)sample * (height / patch * columns)) + (y / patch * columns);
                float* feature = tokens + (token * features) + (channel * patch * patch) + (y % patch * patch);
                for (int column = 0; column < columns; column++, feature += features)
                {
                    for (int x = 0; x < patch; x++, pixel++)
                    {
                        if (toTokens)
                        {
                            feature[x] = *pixel;
                        }
                        else
                        {
                            *pixel = feature[x];
                        }
                    }
                }
            }
        }
    }
}
