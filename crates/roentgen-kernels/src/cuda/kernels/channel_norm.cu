// Normalization over the channels of each row. A row belongs to blockDim.x threads of one warp, which read it from memory
// once and from the cache after that.

// The sum over the threads of a row, the same bits for each of them.
INLINE float add_over_row(float value) {
#ifdef EMULATE
    __shared__ float shared[THREADS];
    float *row = shared + threadIdx.y * blockDim.x;
    __syncthreads();
    row[threadIdx.x] = value;
    __syncthreads();
    float sum = 0.0f;
    for (unsigned i = 0; i < blockDim.x; i++) sum += row[i];
    return sum;
#else
    for (int half = blockDim.x / 2; half > 0; half /= 2) value += __shfl_xor_sync(0xffffffffu, value, half);
    return value;
#endif
}

#define ROW                                                   \
    long row = (long)blockIdx.x * blockDim.y + threadIdx.y;   \
    bool is_inside = row < rows;                              \
    size_t start = (size_t)(is_inside ? row : 0) * channels;  \
    int first = threadIdx.x * V, step = blockDim.x * V;

// Reads x once, writes y once, and mean and inverse deviation of each row.
template <int V>
INLINE void channel_norm(const Element *x, const float *gamma, const float *beta, Element *y, float *statistics, long rows,
                         int channels, float epsilon) {
    ROW
    float sum = 0.0f, square = 0.0f;
    for (int channel = first; channel < channels; channel += step) {
        Pack<V> value = read<V>(x + start + channel);
#pragma unroll
        for (int i = 0; i < V; i++) sum += value.at[i];
    }
    float mean = add_over_row(sum) / channels;
    for (int channel = first; channel < channels; channel += step) {
        Pack<V> value = read<V>(x + start + channel);
#pragma unroll
        for (int i = 0; i < V; i++) square = fmaf(value.at[i] - mean, value.at[i] - mean, square);
    }
    float inverse = 1.0f / sqrtf(add_over_row(square) / channels + epsilon);
    if (!is_inside) return;
    if (threadIdx.x == 0) {
        statistics[2 * row] = mean;
        statistics[2 * row + 1] = inverse;
    }
    for (int channel = first; channel < channels; channel += step) {
        Pack<V> value = read<V>(x + start + channel);
        Pack<V> scale = read_floats<V>(gamma + channel), shift = read_floats<V>(beta + channel);
#pragma unroll
        for (int i = 0; i < V; i++) value.at[i] = fmaf((value.at[i] - mean) * inverse, scale.at[i], shift.at[i]);
        write<V>(y + start + channel, value);
    }
}
KERNEL NAME(channel_norm_wide)(const Element *x, const float *gamma, const float *beta, Element *y, float *statistics,
                               long rows, int channels, float epsilon) {
    channel_norm<WIDE>(x, gamma, beta, y, statistics, rows, channels, epsilon);
}
KERNEL NAME(channel_norm_one)(const Element *x, const float *gamma, const float *beta, Element *y, float *statistics,
                              long rows, int channels, float epsilon) {
    channel_norm<1>(x, gamma, beta, y, statistics, rows, channels, epsilon);
}

// The gradient of x. Reads gradient and x once, writes dx once.
template <int V>
INLINE void channel_norm_back(const Element *gradient, const Element *x, const float *gamma, const float *statistics,
                              Element *dx, long rows, int channels) {
    ROW
    float mean = statistics[is_inside ? 2 * row : 0], inverse = statistics[is_inside ? 2 * row + 1 : 1];
    float sum = 0.0f, product = 0.0f;
    for (int channel = first; channel < channels; channel += step) {
        Pack<V> value = read<V>(x + start + channel), dy = read<V>(gradient + start + channel);
        Pack<V> scale = read_floats<V>(gamma + channel);
#pragma unroll
        for (int i = 0; i < V; i++) {
            float inner = dy.at[i] * scale.at[i];
            sum += inner;
            product = fmaf(inner, (value.at[i] - mean) * inverse, product);
        }
    }
    sum = add_over_row(sum) / channels;
    product = add_over_row(product) / channels;
    if (!is_inside) return;
    for (int channel = first; channel < channels; channel += step) {
        Pack<V> value = read<V>(x + start + channel), dy = read<V>(gradient + start + channel);
        Pack<V> scale = read_floats<V>(gamma + channel);
#pragma unroll
        for (int i = 0; i < V; i++)
            dy.at[i] = inverse * (dy.at[i] * scale.at[i] - sum - (value.at[i] - mean) * inverse * product);
        write<V>(dx + start + channel, dy);
    }
}
KERNEL NAME(channel_norm_back_wide)(const Element *gradient, const Element *x, const float *gamma, const float *statistics,
                                    Element *dx, long rows, int channels) {
    channel_norm_back<WIDE>(gradient, x, gamma, statistics, dx, rows, channels);
}
KERNEL NAME(channel_norm_back_one)(const Element *gradient, const Element *x, const float *gamma, const float *statistics,
                                   Element *dx, long rows, int channels) {
    channel_norm_back<1>(gradient, x, gamma, statistics, dx, rows, channels);
}

// The gradients of beta and gamma. Reads gradient and x once.
template <int V>
INLINE void channel_norm_sums(const Element *gradient, const Element *x, const float *statistics, float *partial,
                              unsigned *waiting, long rows, int channels, float *beta, float *gamma) {
    PLACE(V)
    Pack<V> sum = zeros<V>(), product = zeros<V>();
    if (is_inside) {
#pragma unroll 2
        for (long row = first; row < rows; row += step) {
            size_t at = row * channels + channel;
            Pack<V> value = read<V>(x + at), dy = read<V>(gradient + at);
            float mean = statistics[2 * row], inverse = statistics[2 * row + 1];
#pragma unroll
            for (int i = 0; i < V; i++) {
                sum.at[i] += dy.at[i];
                product.at[i] = fmaf(dy.at[i], (value.at[i] - mean) * inverse, product.at[i]);
            }
        }
    }
    sum_channels<V>(partial, waiting, channel, channels, is_inside, sum, product, beta, gamma);
}
KERNEL NAME(channel_norm_sums_wide)(const Element *gradient, const Element *x, const float *statistics, float *partial,
                                    unsigned *waiting, long rows, int channels, float *beta, float *gamma) {
    channel_norm_sums<WIDE>(gradient, x, statistics, partial, waiting, rows, channels, beta, gamma);
}
KERNEL NAME(channel_norm_sums_one)(const Element *gradient, const Element *x, const float *statistics, float *partial,
                                   unsigned *waiting, long rows, int channels, float *beta, float *gamma) {
    channel_norm_sums<1>(gradient, x, statistics, partial, waiting, rows, channels, beta, gamma);
}
