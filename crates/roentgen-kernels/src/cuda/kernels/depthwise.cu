// Depthwise convolutions with any window, and the weights of all.

// Any window; one output a thread.
KERNEL NAME(depthwise_any)(const Element *x, const float *affine, const float *weight, Element *y, long pixels, Window w,
                           Curve curve) {
    int channel = blockIdx.y * blockDim.x + threadIdx.x;
    int at = blockIdx.x * blockDim.y + threadIdx.y;
    if (channel >= w.channels || at >= pixels) return;
    int out_x = at % w.out_width, out_y = at / w.out_width % w.out_height;
    const Element *plane = x + (size_t)(at / w.out_width / w.out_height) * w.height * w.width * w.channels;
    Affine<1> own;
    if (affine) own = read_affine<1>(affine, channel, w.channels);
    float sum = 0.0f;
    for (int down = 0; down < w.kernel_height; down++)
        for (int right = 0; right < w.kernel_width; right++) {
            int in_y = out_y * w.stride + down - w.top, in_x = out_x * w.stride + right - w.left;
            float value = pixel<1>(plane, in_y, in_x, w, channel, affine != 0, own, curve).at[0];
            sum = fmaf(value, weight[(size_t)(down * w.kernel_width + right) * w.channels + channel], sum);
        }
    y[(size_t)at * w.channels + channel] = narrow(sum);
}

// The gradient of the input: each pixel gathers from the outputs that it took part in. The window is that of the way
// forward. Reads the gradient through the cache, writes dx once.
template <int V>
INLINE void gather_back(const Element *gradient, const float *weight, Element *dx, long pixels, const Window &w) {
    int channel = (blockIdx.y * blockDim.x + threadIdx.x) * V;
    int at = blockIdx.x * blockDim.y + threadIdx.y;
    if (channel >= w.channels || at >= pixels) return;
    int x = at % w.width, y = at / w.width % w.height;
    const Element *plane = gradient + (size_t)(at / w.width / w.height) * w.out_height * w.out_width * w.channels;
    Pack<V> sum = zeros<V>();
    for (int down = (y + w.top) % w.stride; down < w.kernel_height; down += w.stride) {
        int out_y = (y + w.top - down) / w.stride;
        if (y + w.top < down || out_y >= w.out_height) continue;
        for (int right = (x + w.left) % w.stride; right < w.kernel_width; right += w.stride) {
            int out_x = (x + w.left - right) / w.stride;
            if (x + w.left < right || out_x >= w.out_width) continue;
            Pack<V> dy = read<V>(plane + ((size_t)out_y * w.out_width + out_x) * w.channels + channel);
            Pack<V> tap = read_floats<V>(weight + (size_t)(down * w.kernel_width + right) * w.channels + channel);
#pragma unroll
            for (int i = 0; i < V; i++) sum.at[i] = fmaf(dy.at[i], tap.at[i], sum.at[i]);
        }
    }
    write<V>(dx + (size_t)at * w.channels + channel, sum);
}
KERNEL NAME(depthwise_x_wide)(const Element *gradient, const float *weight, Element *dx, long pixels, Window w) {
    gather_back<4>(gradient, weight, dx, pixels, w);
}
KERNEL NAME(depthwise_x_one)(const Element *gradient, const float *weight, Element *dx, long pixels, Window w) {
    gather_back<1>(gradient, weight, dx, pixels, w);
}

// Any window; a block makes one weight of one channel, and is slow.
KERNEL NAME(depthwise_weight_any)(const Element *gradient, const Element *x, const float *affine, float *dw, long pixels,
                                  Window w, Curve curve) {
    __shared__ float shared[THREADS];
    int channel = blockIdx.x, tap = blockIdx.y;
    Affine<1> own;
    if (affine) own = read_affine<1>(affine, channel, w.channels);
    float sum = 0.0f;
    for (long at = threadIdx.x; at < pixels; at += THREADS) {
        int out_x = at % w.out_width, out_y = at / w.out_width % w.out_height;
        const Element *plane = x + (size_t)(at / w.out_width / w.out_height) * w.height * w.width * w.channels;
        int in_y = out_y * w.stride + tap / w.kernel_width - w.top;
        int in_x = out_x * w.stride + tap % w.kernel_width - w.left;
        float value = pixel<1>(plane, in_y, in_x, w, channel, affine != 0, own, curve).at[0];
        sum = fmaf(widen(gradient[(size_t)at * w.channels + channel]), value, sum);
    }
    shared[threadIdx.x] = sum;
    for (int half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    }
    if (threadIdx.x == 0) dw[channel * w.kernel_height * w.kernel_width + tap] = shared[0];
}

// Weights [channels, 1, height, width] of any strides to [taps, channels], turned about where the way goes back.
struct Taps {
    int channels, height, width, is_turned;
    long channel_stride, row_stride, column_stride;
};
KERNEL NAME(depthwise_pack)(const float *weight, float *packed, Taps t) {
    int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= t.channels * t.height * t.width) return;
    int tap = at / t.channels, channel = at % t.channels;
    if (t.is_turned) tap = t.height * t.width - 1 - tap;
    packed[at] = weight[channel * t.channel_stride + tap / t.width * t.row_stride + tap % t.width * t.column_stride];
}

// Partial gradients [parts, taps, channels] to [channels, taps].
KERNEL NAME(depthwise_sum)(const float *partial, int parts, float *dw, int channels, int taps) {
    __shared__ float shared[8][33];
    int at = blockIdx.x * 32 + threadIdx.x;
    float sum = 0.0f;
    if (at < channels * taps)
        for (int part = threadIdx.y; part < parts; part += 8) sum += partial[(size_t)part * channels * taps + at];
    shared[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y != 0 || at >= channels * taps) return;
    for (int lane = 1; lane < 8; lane++) sum += shared[lane][threadIdx.x];
    dw[at % channels * taps + at / channels] = sum;
}
