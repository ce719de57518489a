// Batch normalization: measuring, applying, and the way back.
//
// Blocks are (x, y) threads; a thread takes V channels, and every row that is threadIdx.y + k * the rows of a grid. Sums
// leave a block as partial sums, [gridDim.x, 2, channels], which a second kernel adds in order: no atomics, the same bits
// each time.

#define PLACE(V)                                                              \
    int channel = (blockIdx.y * blockDim.x + threadIdx.x) * V;                \
    bool is_inside = channel < channels;                                      \
    long first = blockIdx.x * blockDim.y + threadIdx.y;                       \
    long step = (long)gridDim.x * blockDim.y;

template <int V> INLINE void leave(float *partial, int channel, int channels, bool is_inside, Pack<V> a, Pack<V> b) {
    add_over_block<V>(a, b);
    if (threadIdx.y != 0 || !is_inside) return;
    float *mine = partial + (size_t)blockIdx.x * 2 * channels + channel;
#pragma unroll
    for (int i = 0; i < V; i++) {
        mine[i] = a.at[i];
        mine[channels + i] = b.at[i];
    }
}

// Sums of x and its square, both less the first row's x, so that a mean far from zero costs no digits. Reads x once.
template <int V> INLINE void measure(const Element *x, float *partial, long rows, int channels) {
    PLACE(V)
    Pack<V> sum = zeros<V>(), square = zeros<V>();
    if (is_inside) {
        Pack<V> origin = read<V>(x + channel);
#pragma unroll 4
        for (long row = first; row < rows; row += step) {
            Pack<V> value = read<V>(x + row * channels + channel);
#pragma unroll
            for (int i = 0; i < V; i++) {
                float off = value.at[i] - origin.at[i];
                sum.at[i] += off;
                square.at[i] = fmaf(off, off, square.at[i]);
            }
        }
    }
    leave<V>(partial, channel, channels, is_inside, sum, square);
}
KERNEL NAME(norm_measure_wide)(const Element *x, float *partial, long rows, int channels) {
    measure<WIDE>(x, partial, rows, channels);
}
KERNEL NAME(norm_measure_one)(const Element *x, float *partial, long rows, int channels) {
    measure<1>(x, partial, rows, channels);
}

// Adds the parts of 32 channels, 32 lanes each; the sums are with threadIdx.y == 0.
INLINE void add_parts(const float *partial, int parts, int channel, int channels, double &first, double &second) {
    __shared__ double shared[2][32][33];
    double a = 0.0, b = 0.0;
    if (channel < channels)
        for (int part = threadIdx.y; part < parts; part += 32) {
            a += partial[(size_t)part * 2 * channels + channel];
            b += partial[((size_t)part * 2 + 1) * channels + channel];
        }
    shared[0][threadIdx.y][threadIdx.x] = a;
    shared[1][threadIdx.y][threadIdx.x] = b;
    for (int half = 16; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.y < half)
            for (int which = 0; which < 2; which++)
                shared[which][threadIdx.y][threadIdx.x] += shared[which][threadIdx.y + half][threadIdx.x];
    }
    __syncthreads();
    first = shared[0][0][threadIdx.x];
    second = shared[1][0][threadIdx.x];
}

// Partial sums to mean, biased variance and the line of each channel.
KERNEL NAME(norm_line)(const float *partial, int parts, const Element *x, long rows, int channels, const float *gamma,
                       const float *beta, float epsilon, float *mean, float *variance, float *line) {
    int channel = blockIdx.x * 32 + threadIdx.x;
    double sum, square;
    add_parts(partial, parts, channel, channels, sum, square);
    if (threadIdx.y != 0 || channel >= channels) return;
    double off = sum / rows, spread = square / rows - off * off;
    if (spread < 0.0) spread = 0.0;
    mean[channel] = (float)(widen(x[channel]) + off);
    variance[channel] = (float)spread;
    line[channel] = mean[channel];
    line[channels + channel] = (float)(gamma[channel] / sqrt(spread + (double)epsilon));
    line[2 * channels + channel] = beta[channel];
}

// Normalizes and activates, a shortcut added between where there is one. Reads x (and the shortcut) once, writes y once.
template <int V>
INLINE void apply(const Element *x, const float *line, const Element *shortcut, Element *y, long rows, int channels,
                  Curve curve) {
    PLACE(V)
    if (!is_inside) return;
    Line<V> own = read_line<V>(line, channel, channels);
#pragma unroll 4
    for (long row = first; row < rows; row += step) {
        size_t at = row * channels + channel;
        Pack<V> value = on_line<V>(read<V>(x + at), own);
        if (shortcut) {
            Pack<V> other = read<V>(shortcut + at);
#pragma unroll
            for (int i = 0; i < V; i++) value.at[i] += other.at[i];
        }
        write<V>(y + at, activate_all<V>(value, curve));
    }
}
KERNEL NAME(norm_apply_wide)(const Element *x, const float *line, const Element *shortcut, Element *y, long rows,
                             int channels, Curve curve) {
    apply<WIDE>(x, line, shortcut, y, rows, channels, curve);
}
KERNEL NAME(norm_apply_one)(const Element *x, const float *line, const Element *shortcut, Element *y, long rows,
                            int channels, Curve curve) {
    apply<1>(x, line, shortcut, y, rows, channels, curve);
}

// Sums of the gradient behind the norm, and of its product with x less its mean. Reads gradient and x once.
template <int V>
INLINE void sums(const Element *gradient, const Element *x, const float *line, float *partial, long rows, int channels,
                 Curve curve) {
    PLACE(V)
    Pack<V> sum = zeros<V>(), product = zeros<V>();
    if (is_inside) {
        Line<V> own = read_line<V>(line, channel, channels);
#pragma unroll 2
        for (long row = first; row < rows; row += step) {
            size_t at = row * channels + channel;
            Pack<V> value = read<V>(x + at), behind = read<V>(gradient + at);
            Pack<V> argument = on_line<V>(value, own);
#pragma unroll
            for (int i = 0; i < V; i++) {
                float inner = through(argument.at[i], behind.at[i], curve);
                sum.at[i] += inner;
                product.at[i] = fmaf(inner, value.at[i] - own.mean.at[i], product.at[i]);
            }
        }
    }
    leave<V>(partial, channel, channels, is_inside, sum, product);
}
KERNEL NAME(norm_sums_wide)(const Element *gradient, const Element *x, const float *line, float *partial, long rows,
                            int channels, Curve curve) {
    sums<WIDE>(gradient, x, line, partial, rows, channels, curve);
}
KERNEL NAME(norm_sums_one)(const Element *gradient, const Element *x, const float *line, float *partial, long rows,
                           int channels, Curve curve) {
    sums<1>(gradient, x, line, partial, rows, channels, curve);
}

// The same behind a cut whose output y is known, with or without x: keeps the gradient where y stands at no cut and writes
// it. Reads gradient, y (and x) once, writes once.
template <int V>
INLINE void cut_sums(const Element *gradient, const Element *y, const Element *x, const float *line, Element *inner,
                     float *partial, long rows, int channels, Curve curve) {
    PLACE(V)
    Pack<V> sum = zeros<V>(), product = zeros<V>();
    if (is_inside) {
        Pack<V> mean = x ? read_floats<V>(line + channel) : zeros<V>();
#pragma unroll 2
        for (long row = first; row < rows; row += step) {
            size_t at = row * channels + channel;
            Pack<V> cut = read<V>(y + at), behind = read<V>(gradient + at);
#pragma unroll
            for (int i = 0; i < V; i++) {
                behind.at[i] = through(cut.at[i], behind.at[i], curve);
                sum.at[i] += behind.at[i];
            }
            write<V>(inner + at, behind);
            if (x) {
                Pack<V> value = read<V>(x + at);
#pragma unroll
                for (int i = 0; i < V; i++)
                    product.at[i] = fmaf(behind.at[i], value.at[i] - mean.at[i], product.at[i]);
            }
        }
    }
    leave<V>(partial, channel, channels, is_inside, sum, product);
}
KERNEL NAME(cut_sums_wide)(const Element *gradient, const Element *y, const Element *x, const float *line, Element *inner,
                           float *partial, long rows, int channels, Curve curve) {
    cut_sums<WIDE>(gradient, y, x, line, inner, partial, rows, channels, curve);
}
KERNEL NAME(cut_sums_one)(const Element *gradient, const Element *y, const Element *x, const float *line, Element *inner,
                          float *partial, long rows, int channels, Curve curve) {
    cut_sums<1>(gradient, y, x, line, inner, partial, rows, channels, curve);
}

// Partial sums to the gradients of gamma and beta, and to what `back` takes: scale, mean gradient, slope.
KERNEL NAME(norm_slopes)(const float *partial, int parts, long rows, int channels, const float *line,
                         const float *variance, float epsilon, float *gamma, float *beta, float *slopes) {
    int channel = blockIdx.x * 32 + threadIdx.x;
    double sum, product;
    add_parts(partial, parts, channel, channels, sum, product);
    if (threadIdx.y != 0 || channel >= channels) return;
    double inverse = 1.0 / sqrt((double)variance[channel] + (double)epsilon);
    gamma[channel] = (float)(product * inverse);
    beta[channel] = (float)sum;
    slopes[channel] = line[channels + channel];
    slopes[channels + channel] = (float)(sum / rows);
    slopes[2 * channels + channel] = (float)(product * inverse * inverse / rows);
}

// Partial sums to sums: the gradient of a shift.
KERNEL NAME(shift_sums)(const float *partial, int parts, int channels, float *shift) {
    int channel = blockIdx.x * 32 + threadIdx.x;
    double sum, product;
    add_parts(partial, parts, channel, channels, sum, product);
    if (threadIdx.y == 0 && channel < channels) shift[channel] = (float)sum;
}

// The gradient of a norm's input. Reads gradient and x once, writes dx once; dx may be the gradient's memory.
template <int V>
INLINE void back(const Element *gradient, const Element *x, const float *line, const float *slopes, Element *dx,
                 long rows, int channels, Curve curve) {
    PLACE(V)
    if (!is_inside) return;
    Line<V> own = read_line<V>(line, channel, channels);
    Pack<V> mean = read_floats<V>(slopes + channels + channel);
    Pack<V> slope = read_floats<V>(slopes + 2 * channels + channel);
#pragma unroll 2
    for (long row = first; row < rows; row += step) {
        size_t at = row * channels + channel;
        Pack<V> value = read<V>(x + at), behind = read<V>(gradient + at);
        Pack<V> argument = on_line<V>(value, own);
#pragma unroll
        for (int i = 0; i < V; i++) {
            float inner = through(argument.at[i], behind.at[i], curve) - mean.at[i];
            behind.at[i] = own.scale.at[i] * (inner - (value.at[i] - own.mean.at[i]) * slope.at[i]);
        }
        write<V>(dx + at, behind);
    }
}
KERNEL NAME(norm_back_wide)(const Element *gradient, const Element *x, const float *line, const float *slopes,
                            Element *dx, long rows, int channels, Curve curve) {
    back<WIDE>(gradient, x, line, slopes, dx, rows, channels, curve);
}
KERNEL NAME(norm_back_one)(const Element *gradient, const Element *x, const float *line, const float *slopes,
                           Element *dx, long rows, int channels, Curve curve) {
    back<1>(gradient, x, line, slopes, dx, rows, channels, curve);
}

// A scale and a shift to a line with the mean zero.
KERNEL NAME(scale_line)(const float *scale, const float *shift, float *line, int channels) {
    int channel = blockIdx.x * blockDim.x + threadIdx.x;
    if (channel >= channels) return;
    line[channel] = 0.0f;
    line[channels + channel] = scale ? scale[channel] : 1.0f;
    line[2 * channels + channel] = shift[channel];
}

// Moves running statistics towards those of a batch.
KERNEL NAME(follow)(const float *running, const float *batch, float *moved, float momentum, int channels) {
    int channel = blockIdx.x * blockDim.x + threadIdx.x;
    if (channel < channels) moved[channel] = running[channel] * (1.0f - momentum) + batch[channel] * momentum;
}
