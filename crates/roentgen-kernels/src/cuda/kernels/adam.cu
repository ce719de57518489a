// The step of Adam: reads parameter, means and gradient once, writes the first three once, to memory of their own.
struct Adam {
    float first, second, epsilon, unbiased, root;
};
KERNEL NAME(adam)(const float *parameter, const float *mean, const float *square, const float *gradient,
                  float *new_parameter, float *new_mean, float *new_square, long count, Adam step) {
    for (long at = (long)blockIdx.x * blockDim.x + threadIdx.x; at < count; at += (long)gridDim.x * blockDim.x) {
        float g = gradient[at];
        float m = fmaf(mean[at], step.first, g * (1.0f - step.first));
        float s = fmaf(square[at], step.second, g * g * (1.0f - step.second));
        new_mean[at] = m;
        new_square[at] = s;
        new_parameter[at] = parameter[at] - m * step.unbiased / fmaf(sqrtf(s), step.root, step.epsilon);
    }
}
