// Pools: the greatest value under a window, the mean of two by two values, the mean over a film.

struct Pool {
    int height, width, channels;  // of the input
    int out_height, out_width;    // of the output
    int top, left, kernel, stride;
};

// The greatest value and, in a byte, its tap; of equal ones the first, and what is not a number is the greatest. A shift
// and a cut in front, where there is one. Reads x through the cache, writes y and the taps once.
template <int V>
INLINE void greatest(const Element *x, const float *shift, Element *y, unsigned char *taps, long pixels, const Pool &p,
                     Curve curve) {
    int channel = (blockIdx.y * blockDim.x + threadIdx.x) * V;
    int at = blockIdx.x * blockDim.y + threadIdx.y;
    if (channel >= p.channels || at >= pixels) return;
    int out_x = at % p.out_width, out_y = at / p.out_width % p.out_height;
    const Element *plane = x + (size_t)(at / p.out_width / p.out_height) * p.height * p.width * p.channels + channel;
    Pack<V> best = zeros<V>();
    unsigned char tap[V];
    bool is_first = true;
    for (int down = 0; down < p.kernel; down++) {
        int in_y = out_y * p.stride + down - p.top;
        if (in_y < 0 || in_y >= p.height) continue;
        for (int right = 0; right < p.kernel; right++) {
            int in_x = out_x * p.stride + right - p.left;
            if (in_x < 0 || in_x >= p.width) continue;
            Pack<V> value = read<V>(plane + ((size_t)in_y * p.width + in_x) * p.channels);
#pragma unroll
            for (int i = 0; i < V; i++) {
                float v = value.at[i];
                if (is_first || v > best.at[i] || (v != v && best.at[i] == best.at[i])) {
                    best.at[i] = v;
                    tap[i] = (unsigned char)(down * p.kernel + right);
                }
            }
            is_first = false;
        }
    }
    if (shift) {
#pragma unroll
        for (int i = 0; i < V; i++) best.at[i] = activate(best.at[i] + shift[channel + i], curve);
    }
    size_t out = (size_t)at * p.channels + channel;
    write<V>(y + out, best);
#pragma unroll
    for (int i = 0; i < V; i++) taps[out + i] = tap[i];
}
KERNEL NAME(max_pool_wide)(const Element *x, const float *shift, Element *y, unsigned char *taps, long pixels, Pool p,
                           Curve curve) {
    greatest<WIDE>(x, shift, y, taps, pixels, p, curve);
}
KERNEL NAME(max_pool_one)(const Element *x, const float *shift, Element *y, unsigned char *taps, long pixels, Pool p,
                          Curve curve) {
    greatest<1>(x, shift, y, taps, pixels, p, curve);
}

// The way back: each pixel gathers from the outputs whose greatest value it was. Writes dx once.
template <int V>
INLINE void to_taps(const Element *gradient, const unsigned char *taps, Element *dx, long pixels, const Pool &p) {
    int channel = (blockIdx.y * blockDim.x + threadIdx.x) * V;
    int at = blockIdx.x * blockDim.y + threadIdx.y;
    if (channel >= p.channels || at >= pixels) return;
    int x = at % p.width, y = at / p.width % p.height;
    size_t image = (size_t)(at / p.width / p.height) * p.out_height * p.out_width;
    Pack<V> sum = zeros<V>();
    for (int down = (y + p.top) % p.stride; down < p.kernel; down += p.stride) {
        int out_y = (y + p.top - down) / p.stride;
        if (y + p.top < down || out_y >= p.out_height) continue;
        for (int right = (x + p.left) % p.stride; right < p.kernel; right += p.stride) {
            int out_x = (x + p.left - right) / p.stride;
            if (x + p.left < right || out_x >= p.out_width) continue;
            size_t out = (image + (size_t)out_y * p.out_width + out_x) * p.channels + channel;
            Pack<V> behind = read<V>(gradient + out);
#pragma unroll
            for (int i = 0; i < V; i++)
                if (taps[out + i] == down * p.kernel + right) sum.at[i] += behind.at[i];
        }
    }
    write<V>(dx + (size_t)at * p.channels + channel, sum);
}
KERNEL NAME(max_pool_back_wide)(const Element *gradient, const unsigned char *taps, Element *dx, long pixels, Pool p) {
    to_taps<WIDE>(gradient, taps, dx, pixels, p);
}
KERNEL NAME(max_pool_back_one)(const Element *gradient, const unsigned char *taps, Element *dx, long pixels, Pool p) {
    to_taps<1>(gradient, taps, dx, pixels, p);
}

// The mean of each two by two values behind a norm and an activation. Reads x once, writes y once.
KERNEL NAME(mean_pool)(const Element *x, const float *line, Element *y, long pixels, Pool p, Curve curve) {
    int channel = blockIdx.y * blockDim.x + threadIdx.x;
    int at = blockIdx.x * blockDim.y + threadIdx.y;
    if (channel >= p.channels || at >= pixels) return;
    int out_x = at % p.out_width, out_y = at / p.out_width % p.out_height;
    const Element *plane = x + (size_t)(at / p.out_width / p.out_height) * p.height * p.width * p.channels + channel;
    Line<1> own = read_line<1>(line, channel, p.channels);
    float sum = 0.0f;
    for (int i = 0; i < 4; i++) {
        size_t pixel = (size_t)(out_y * 2 + i / 2) * p.width + out_x * 2 + i % 2;
        sum += activate(on_line<1>(read<1>(plane + pixel * p.channels), own).at[0], curve);
    }
    y[(size_t)at * p.channels + channel] = narrow(0.25f * sum);
}

// A quarter of each gradient to each of the four values; nothing to an odd row or column.
KERNEL NAME(mean_pool_back)(const Element *gradient, Element *inner, long pixels, Pool p) {
    int channel = blockIdx.y * blockDim.x + threadIdx.x;
    int at = blockIdx.x * blockDim.y + threadIdx.y;
    if (channel >= p.channels || at >= pixels) return;
    int x = at % p.width / 2, y = at / p.width % p.height / 2;
    size_t image = (size_t)(at / p.width / p.height) * p.out_height * p.out_width;
    float value = 0.0f;
    if (x < p.out_width && y < p.out_height)
        value = 0.25f * widen(gradient[(image + (size_t)y * p.out_width + x) * p.channels + channel]);
    inner[(size_t)at * p.channels + channel] = narrow(value);
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
