// Pools: the greatest value under a window, the mean of two by two values, the mean over a film.

// The greatest value and, in a byte, its tap; of equal ones the first, and what is not a number is the greatest. A shift
// and a clamp in front, where there is one. Reads x through the cache, writes y and the taps once.
template <int V>
INLINE void max_of_windows(const Element *x, const float *shift, Element *y, unsigned char *taps, long pixels, const Window &w,
                     Curve curve) {
    int channel = (blockIdx.y * blockDim.x + threadIdx.x) * V;
    int at = blockIdx.x * blockDim.y + threadIdx.y;
    if (channel >= w.channels || at >= pixels) return;
    int out_x = at % w.out_width, out_y = at / w.out_width % w.out_height;
    const Element *plane = x + (size_t)(at / w.out_width / w.out_height) * w.height * w.width * w.channels + channel;
    Pack<V> best = zeros<V>();
    unsigned char tap[V];
    bool is_first = true;
    for (int down = 0; down < w.kernel_height; down++) {
        int in_y = out_y * w.stride + down - w.top;
        if (in_y < 0 || in_y >= w.height) continue;
        for (int right = 0; right < w.kernel_width; right++) {
            int in_x = out_x * w.stride + right - w.left;
            if (in_x < 0 || in_x >= w.width) continue;
            Pack<V> value = read<V>(plane + ((size_t)in_y * w.width + in_x) * w.channels);
#pragma unroll
            for (int i = 0; i < V; i++) {
                float v = value.at[i];
                if (is_first || v > best.at[i] || (v != v && best.at[i] == best.at[i])) {
                    best.at[i] = v;
                    tap[i] = (unsigned char)(down * w.kernel_width + right);
                }
            }
            is_first = false;
        }
    }
    if (shift) {
#pragma unroll
        for (int i = 0; i < V; i++) best.at[i] = activate(best.at[i] + shift[channel + i], curve);
    }
    size_t out = (size_t)at * w.channels + channel;
    write<V>(y + out, best);
#pragma unroll
    for (int i = 0; i < V; i++) taps[out + i] = tap[i];
}
KERNEL NAME(max_pool_wide)(const Element *x, const float *shift, Element *y, unsigned char *taps, long pixels, Window w,
                           Curve curve) {
    max_of_windows<WIDE>(x, shift, y, taps, pixels, w, curve);
}
KERNEL NAME(max_pool_one)(const Element *x, const float *shift, Element *y, unsigned char *taps, long pixels, Window w,
                          Curve curve) {
    max_of_windows<1>(x, shift, y, taps, pixels, w, curve);
}

// The way back: each pixel gathers from the outputs whose greatest value it was. Writes dx once.
template <int V>
INLINE void to_taps(const Element *gradient, const unsigned char *taps, Element *dx, long pixels, const Window &w) {
    int channel = (blockIdx.y * blockDim.x + threadIdx.x) * V;
    int at = blockIdx.x * blockDim.y + threadIdx.y;
    if (channel >= w.channels || at >= pixels) return;
    int x = at % w.width, y = at / w.width % w.height;
    size_t image = (size_t)(at / w.width / w.height) * w.out_height * w.out_width;
    Pack<V> sum = zeros<V>();
    for (int down = (y + w.top) % w.stride; down < w.kernel_height; down += w.stride) {
        int out_y = (y + w.top - down) / w.stride;
        if (y + w.top < down || out_y >= w.out_height) continue;
        for (int right = (x + w.left) % w.stride; right < w.kernel_width; right += w.stride) {
            int out_x = (x + w.left - right) / w.stride;
            if (x + w.left < right || out_x >= w.out_width) continue;
            size_t out = (image + (size_t)out_y * w.out_width + out_x) * w.channels + channel;
            Pack<V> dy = read<V>(gradient + out);
#pragma unroll
            for (int i = 0; i < V; i++)
                if (taps[out + i] == down * w.kernel_width + right) sum.at[i] += dy.at[i];
        }
    }
    write<V>(dx + (size_t)at * w.channels + channel, sum);
}
KERNEL NAME(max_pool_back_wide)(const Element *gradient, const unsigned char *taps, Element *dx, long pixels, Window w) {
    to_taps<WIDE>(gradient, taps, dx, pixels, w);
}
KERNEL NAME(max_pool_back_one)(const Element *gradient, const unsigned char *taps, Element *dx, long pixels, Window w) {
    to_taps<1>(gradient, taps, dx, pixels, w);
}

// The mean of each two by two values after a norm and an activation. Reads x once, writes y once.
KERNEL NAME(mean_pool)(const Element *x, const float *affine, Element *y, long pixels, Window w, Curve curve) {
    int channel = blockIdx.y * blockDim.x + threadIdx.x;
    int at = blockIdx.x * blockDim.y + threadIdx.y;
    if (channel >= w.channels || at >= pixels) return;
    int out_x = at % w.out_width, out_y = at / w.out_width % w.out_height;
    const Element *plane = x + (size_t)(at / w.out_width / w.out_height) * w.height * w.width * w.channels + channel;
    Affine<1> own = read_affine<1>(affine, channel, w.channels);
    float sum = 0.0f;
    for (int i = 0; i < 4; i++) {
        size_t pixel = (size_t)(out_y * 2 + i / 2) * w.width + out_x * 2 + i % 2;
        sum += activate(apply_affine<1>(read<1>(plane + pixel * w.channels), own).at[0], curve);
    }
    y[(size_t)at * w.channels + channel] = narrow(0.25f * sum);
}

// A quarter of each gradient to each of the four values; nothing to an odd row or column.
KERNEL NAME(mean_pool_back)(const Element *gradient, Element *inner, long pixels, Window w) {
    int channel = blockIdx.y * blockDim.x + threadIdx.x;
    int at = blockIdx.x * blockDim.y + threadIdx.y;
    if (channel >= w.channels || at >= pixels) return;
    int x = at % w.width / 2, y = at / w.width % w.height / 2;
    size_t image = (size_t)(at / w.width / w.height) * w.out_height * w.out_width;
    float value = 0.0f;
    if (x < w.out_width && y < w.out_height)
        value = 0.25f * widen(gradient[(image + (size_t)y * w.out_width + x) * w.channels + channel]);
    inner[(size_t)at * w.channels + channel] = narrow(value);
}

// The mean over each film, in float: [batch, pixels, channels] to [batch, channels].
KERNEL NAME(film_mean)(const Element *x, float *y, int pixels, int channels) {
    int channel = blockIdx.y * blockDim.x + threadIdx.x;
    if (channel >= channels) return;
    const Element *film = x + (size_t)blockIdx.x * pixels * channels + channel;
    float sum = 0.0f;
#pragma unroll 8
    for (int pixel = 0; pixel < pixels; pixel++) sum += widen(film[(size_t)pixel * channels]);
    y[(size_t)blockIdx.x * channels + channel] = sum / pixels;
}
KERNEL NAME(film_mean_back)(const float *gradient, Element *dx, int pixels, int channels) {
    int channel = blockIdx.y * blockDim.x + threadIdx.x;
    if (channel >= channels) return;
    Element *film = dx + (size_t)blockIdx.x * pixels * channels + channel;
    Element share = narrow(gradient[(size_t)blockIdx.x * channels + channel] / pixels);
#pragma unroll 8
    for (int pixel = 0; pixel < pixels; pixel++) film[(size_t)pixel * channels] = share;
}
