// Depthwise convolutions with square windows of a size known to the compiler. Each channel has a window of its own. A norm's
// affine in front, where there is one, is applied to what is read, so that its output is never stored. Weights come as
// [taps, channels] in float.

// V channels of a pixel after the affine; zero outside the film.
template <int V>
INLINE Pack<V> pixel(const Element *image, int y, int x, const Window &w, int channel, bool has_affine, const Affine<V> &affine,
                     Curve curve) {
    if (y < 0 || y >= w.height || x < 0 || x >= w.width) return zeros<V>();
    Pack<V> value = read<V>(image + ((size_t)y * w.width + x) * w.channels + channel);
    return has_affine ? activate_all<V>(apply_affine<V>(value, affine), curve) : value;
}

// A thread makes STRIP outputs of a row for V channels: what it reads of a row serves several outputs.
#define STRIP 4
template <int K, int S, int V>
INLINE void depthwise(const Element *x, const float *affine, const float *weight, Element *y, long strips, Window w,
                      Curve curve) {
    int channel = (blockIdx.y * blockDim.x + threadIdx.x) * V;
    int strip = blockIdx.x * blockDim.y + threadIdx.y;
    if (channel >= w.channels || strip >= strips) return;
    int across = (w.out_width + STRIP - 1) / STRIP;
    int out_x = strip % across * STRIP, row = strip / across;
    int out_y = row % w.out_height, image = row / w.out_height;
    Affine<V> own;
    if (affine) own = read_affine<V>(affine, channel, w.channels);
    const Element *plane = x + (size_t)image * w.height * w.width * w.channels;
    Pack<V> sum[STRIP];
#pragma unroll
    for (int i = 0; i < STRIP; i++) sum[i] = zeros<V>();
#pragma unroll
    for (int down = 0; down < K; down++) {
        int in_y = out_y * S + down - w.top;
        if (in_y < 0 || in_y >= w.height) continue;
        Pack<V> taps[K];
#pragma unroll
        for (int i = 0; i < K; i++) taps[i] = read_floats<V>(weight + (size_t)(down * K + i) * w.channels + channel);
        Pack<V> values[(STRIP - 1) * S + K];
#pragma unroll
        for (int i = 0; i < (STRIP - 1) * S + K; i++)
            values[i] = pixel<V>(plane, in_y, out_x * S + i - w.left, w, channel, affine != 0, own, curve);
#pragma unroll
        for (int i = 0; i < STRIP; i++)
#pragma unroll
            for (int tap = 0; tap < K; tap++)
#pragma unroll
                for (int c = 0; c < V; c++)
                    sum[i].at[c] = fmaf(values[i * S + tap].at[c], taps[tap].at[c], sum[i].at[c]);
    }
    Element *out = y + ((size_t)row * w.out_width + out_x) * w.channels + channel;
#pragma unroll
    for (int i = 0; i < STRIP; i++)
        if (out_x + i < w.out_width) write<V>(out + (size_t)i * w.channels, sum[i]);
}

// Partial gradients of the weights, [gridDim.x, taps, channels]. A thread takes strips of outputs as above: gradient and x
// are each read about once from memory, x K times through the cache.
template <int K, int S, int V>
INLINE void depthwise_weight(const Element *gradient, const Element *x, const float *affine, float *partial, long strips,
                             Window w, Curve curve) {
    int channel = (blockIdx.y * blockDim.x + threadIdx.x) * V;
    bool is_inside = channel < w.channels;
    int across = (w.out_width + STRIP - 1) / STRIP;
    Pack<V> sum[K][K];
#pragma unroll
    for (int i = 0; i < K * K; i++) sum[i / K][i % K] = zeros<V>();
    if (is_inside) {
        Affine<V> own;
        if (affine) own = read_affine<V>(affine, channel, w.channels);
        int step = gridDim.x * blockDim.y;
        for (int strip = blockIdx.x * blockDim.y + threadIdx.y; strip < strips; strip += step) {
            int out_x = strip % across * STRIP, row = strip / across;
            int in_y = row % w.out_height * S - w.top;
            const Element *plane = x + (size_t)(row / w.out_height) * w.height * w.width * w.channels;
            const Element *dy = gradient + ((size_t)row * w.out_width + out_x) * w.channels + channel;
            Pack<V> here[STRIP];
#pragma unroll
            for (int i = 0; i < STRIP; i++) {
                bool is_there = out_x + i < w.out_width;
                here[i] = read<V>(dy + (is_there ? (size_t)i * w.channels : 0));
#pragma unroll
                for (int c = 0; c < V; c++) here[i].at[c] = is_there ? here[i].at[c] : 0.0f;
            }
#pragma unroll
            for (int down = 0; down < K; down++) {
                Pack<V> values[(STRIP - 1) * S + K];
#pragma unroll
                for (int i = 0; i < (STRIP - 1) * S + K; i++)
                    values[i] = pixel<V>(plane, in_y + down, out_x * S + i - w.left, w, channel, affine != 0, own, curve);
#pragma unroll
                for (int i = 0; i < STRIP; i++)
#pragma unroll
                    for (int right = 0; right < K; right++)
#pragma unroll
                        for (int c = 0; c < V; c++)
                            sum[down][right].at[c] =
                                fmaf(here[i].at[c], values[i * S + right].at[c], sum[down][right].at[c]);
            }
        }
    }
    __shared__ float shared[V * THREADS];
    int thread = threadIdx.y * blockDim.x + threadIdx.x;
#pragma unroll
    for (int tap = 0; tap < K * K; tap++) {
        __syncthreads();
#pragma unroll
        for (int i = 0; i < V; i++) shared[i * THREADS + thread] = sum[tap / K][tap % K].at[i];
        for (int half = blockDim.y / 2; half > 0; half /= 2) {
            __syncthreads();
            if (threadIdx.y < half)
                for (int i = 0; i < V; i++)
                    shared[i * THREADS + thread] += shared[i * THREADS + thread + half * blockDim.x];
        }
        if (threadIdx.y == 0 && is_inside)
            for (int i = 0; i < V; i++)
                partial[((size_t)blockIdx.x * K * K + tap) * w.channels + channel + i] = shared[i * THREADS + thread];
    }
}

#define DEPTHWISE(K, S, V)                                                                                              \
    KERNEL NAME(depthwise_##K##_##S)(const Element *x, const float *affine, const float *weight, Element *y, long strips, \
                                     Window w, Curve curve) {                                                          \
        depthwise<K, S, 4>(x, affine, weight, y, strips, w, curve);                                                      \
    }                                                                                                                  \
    KERNEL NAME(depthwise_weight_##K##_##S)(const Element *gradient, const Element *x, const float *affine,              \
                                            float *partial, long strips, Window w, Curve curve) {                      \
        depthwise_weight<K, S, V>(gradient, x, affine, partial, strips, w, curve);                                       \
    }
