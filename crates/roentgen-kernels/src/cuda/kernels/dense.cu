// Dense convolutions in the plainest way, for shapes that cuDNN is not asked for: a thread for each value. Slow.
// Weights are [out, channels, kernel height, kernel width] in float.

KERNEL NAME(dense_any)(const Element *x, const float *weight, Element *y, long count, Window w, int outs) {
    long at = (long)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    int out = (int)(at % outs);
    long pixel = at / outs;
    int out_x = (int)(pixel % w.out_width), out_y = (int)(pixel / w.out_width % w.out_height);
    const Element *plane = x + (size_t)(pixel / w.out_width / w.out_height) * w.height * w.width * w.channels;
    float sum = 0.0f;
    for (int down = 0; down < w.kernel_height; down++)
        for (int right = 0; right < w.kernel_width; right++) {
            int in_y = out_y * w.stride + down - w.top, in_x = out_x * w.stride + right - w.left;
            if (in_y < 0 || in_y >= w.height || in_x < 0 || in_x >= w.width) continue;
            for (int channel = 0; channel < w.channels; channel++) {
                float tap = weight[((out * w.channels + channel) * w.kernel_height + down) * w.kernel_width + right];
                sum = fmaf(widen(plane[((size_t)in_y * w.width + in_x) * w.channels + channel]), tap, sum);
            }
        }
    y[at] = narrow(sum);
}

KERNEL NAME(dense_x_any)(const Element *gradient, const float *weight, Element *dx, long count, Window w, int outs) {
    long at = (long)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    int channel = (int)(at % w.channels);
    long pixel = at / w.channels;
    int x = (int)(pixel % w.width), y = (int)(pixel / w.width % w.height);
    const Element *plane = gradient + (size_t)(pixel / w.width / w.height) * w.out_height * w.out_width * outs;
    float sum = 0.0f;
    for (int down = 0; down < w.kernel_height; down++)
        for (int right = 0; right < w.kernel_width; right++) {
            int out_y = y + w.top - down, out_x = x + w.left - right;
            if (out_y < 0 || out_x < 0 || out_y % w.stride || out_x % w.stride) continue;
            out_y /= w.stride;
            out_x /= w.stride;
            if (out_y >= w.out_height || out_x >= w.out_width) continue;
            for (int out = 0; out < outs; out++) {
                float tap = weight[((out * w.channels + channel) * w.kernel_height + down) * w.kernel_width + right];
                sum = fmaf(widen(plane[((size_t)out_y * w.out_width + out_x) * outs + out]), tap, sum);
            }
        }
    dx[at] = narrow(sum);
}

// A block for each weight.
KERNEL NAME(dense_weight_any)(const Element *gradient, const Element *x, float *dw, long pixels, Window w, int outs) {
    __shared__ float shared[THREADS];
    int right = blockIdx.x % w.kernel_width, down = blockIdx.x / w.kernel_width % w.kernel_height;
    int channel = blockIdx.x / w.kernel_width / w.kernel_height % w.channels;
    int out = blockIdx.x / w.kernel_width / w.kernel_height / w.channels;
    float sum = 0.0f;
    for (long at = threadIdx.x; at < pixels; at += THREADS) {
        int out_x = (int)(at % w.out_width), out_y = (int)(at / w.out_width % w.out_height);
        const Element *plane = x + (size_t)(at / w.out_width / w.out_height) * w.height * w.width * w.channels;
        int in_y = out_y * w.stride + down - w.top, in_x = out_x * w.stride + right - w.left;
        if (in_y < 0 || in_y >= w.height || in_x < 0 || in_x >= w.width) continue;
        float value = widen(plane[((size_t)in_y * w.width + in_x) * w.channels + channel]);
        sum = fmaf(widen(gradient[(size_t)at * outs + out]), value, sum);
    }
    shared[threadIdx.x] = sum;
    for (int half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    }
    if (threadIdx.x == 0) dw[blockIdx.x] = shared[0];
}
