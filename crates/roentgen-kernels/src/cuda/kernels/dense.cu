// Dense convolutions in the plainest way, for shapes that cuDNN is not asked for: a thread for each value. Slow.
// Weights are [out, channels, kernel height, kernel width] in float.

struct Dense {
    int height, width, channels;
    int out_height, out_width, outs;
    int top, left, kernel_height, kernel_width, stride;
};

KERNEL NAME(dense_any)(const Element *x, const float *weight, Element *y, long count, Dense d) {
    long at = (long)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    int out = (int)(at % d.outs);
    long pixel = at / d.outs;
    int out_x = (int)(pixel % d.out_width), out_y = (int)(pixel / d.out_width % d.out_height);
    const Element *plane = x + (size_t)(pixel / d.out_width / d.out_height) * d.height * d.width * d.channels;
    float sum = 0.0f;
    for (int down = 0; down < d.kernel_height; down++)
        for (int right = 0; right < d.kernel_width; right++) {
            int in_y = out_y * d.stride + down - d.top, in_x = out_x * d.stride + right - d.left;
            if (in_y < 0 || in_y >= d.height || in_x < 0 || in_x >= d.width) continue;
            for (int channel = 0; channel < d.channels; channel++) {
                float tap = weight[((out * d.channels + channel) * d.kernel_height + down) * d.kernel_width + right];
                sum = fmaf(widen(plane[((size_t)in_y * d.width + in_x) * d.channels + channel]), tap, sum);
            }
        }
    y[at] = narrow(sum);
}

KERNEL NAME(dense_x_any)(const Element *gradient, const float *weight, Element *dx, long count, Dense d) {
    long at = (long)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    int channel = (int)(at % d.channels);
    long pixel = at / d.channels;
    int x = (int)(pixel % d.width), y = (int)(pixel / d.width % d.height);
    const Element *plane = gradient + (size_t)(pixel / d.width / d.height) * d.out_height * d.out_width * d.outs;
    float sum = 0.0f;
    for (int down = 0; down < d.kernel_height; down++)
        for (int right = 0; right < d.kernel_width; right++) {
            int out_y = y + d.top - down, out_x = x + d.left - right;
            if (out_y < 0 || out_x < 0 || out_y % d.stride || out_x % d.stride) continue;
            out_y /= d.stride;
            out_x /= d.stride;
            if (out_y >= d.out_height || out_x >= d.out_width) continue;
            for (int out = 0; out < d.outs; out++) {
                float tap = weight[((out * d.channels + channel) * d.kernel_height + down) * d.kernel_width + right];
                sum = fmaf(widen(plane[((size_t)out_y * d.out_width + out_x) * d.outs + out]), tap, sum);
            }
        }
    dx[at] = narrow(sum);
}

// A block for each weight.
KERNEL NAME(dense_weight_any)(const Element *gradient, const Element *x, float *dw, long pixels, Dense d) {
    __shared__ float shared[THREADS];
    int right = blockIdx.x % d.kernel_width, down = blockIdx.x / d.kernel_width % d.kernel_height;
    int channel = blockIdx.x / d.kernel_width / d.kernel_height % d.channels;
    int out = blockIdx.x / d.kernel_width / d.kernel_height / d.channels;
    float sum = 0.0f;
    for (long at = threadIdx.x; at < pixels; at += THREADS) {
        int out_x = (int)(at % d.out_width), out_y = (int)(at / d.out_width % d.out_height);
        const Element *plane = x + (size_t)(at / d.out_width / d.out_height) * d.height * d.width * d.channels;
        int in_y = out_y * d.stride + down - d.top, in_x = out_x * d.stride + right - d.left;
        if (in_y < 0 || in_y >= d.height || in_x < 0 || in_x >= d.width) continue;
        float value = widen(plane[((size_t)in_y * d.width + in_x) * d.channels + channel]);
        sum = fmaf(widen(gradient[(size_t)at * d.outs + out]), value, sum);
    }
    shared[threadIdx.x] = sum;
    for (int half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    }
    if (threadIdx.x == 0) dw[blockIdx.x] = shared[0];
}
