// Batch normalization: measuring, applying, and the way back. Threads and sums are those of sums.cu.

// Sums of x and its square, both less the first row's x, so that a mean far from zero costs no digits. Reads x once.
// The last block makes mean, biased variance and the affine of each channel of them.
template <int V>
INLINE void measure(const Element *x, float *partial, unsigned *waiting, long rows, int channels, const float *gamma,
                    const float *beta, float epsilon, float *mean, float *variance, float *affine) {
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
    if (!is_last(waiting)) return;
    constexpr int G = V < 4 ? 1 : 4;
    Sum<G> all;
    if (!add_parts<G>(partial, V, channels, channel, all)) return;
#pragma unroll
    for (int i = 0; i < G; i++, channel++) {
        double off = all.first[i] / rows, spread = all.second[i] / rows - off * off;
        if (spread < 0.0) spread = 0.0;
        mean[channel] = (float)(widen(x[channel]) + off);
        variance[channel] = (float)spread;
        affine[channel] = mean[channel];
        affine[channels + channel] = (float)(gamma[channel] / sqrt(spread + (double)epsilon));
        affine[2 * channels + channel] = beta[channel];
    }
}
KERNEL NAME(norm_measure_wide)(const Element *x, float *partial, unsigned *waiting, long rows, int channels,
                               const float *gamma, const float *beta, float epsilon, float *mean, float *variance,
                               float *affine) {
    measure<WIDE>(x, partial, waiting, rows, channels, gamma, beta, epsilon, mean, variance, affine);
}
KERNEL NAME(norm_measure_one)(const Element *x, float *partial, unsigned *waiting, long rows, int channels,
                              const float *gamma, const float *beta, float epsilon, float *mean, float *variance,
                              float *affine) {
    measure<1>(x, partial, waiting, rows, channels, gamma, beta, epsilon, mean, variance, affine);
}

// Normalizes and activates, a shortcut added between where there is one. Reads x (and the shortcut) once, writes y once.
template <int V>
INLINE void apply(const Element *x, const float *affine, const Element *shortcut, Element *y, long rows, int channels,
                  Curve curve) {
    PLACE(V)
    if (!is_inside) return;
    Affine<V> own = read_affine<V>(affine, channel, channels);
#pragma unroll 4
    for (long row = first; row < rows; row += step) {
        size_t at = row * channels + channel;
        Pack<V> value = apply_affine<V>(read<V>(x + at), own);
        if (shortcut) {
            Pack<V> other = read<V>(shortcut + at);
#pragma unroll
            for (int i = 0; i < V; i++) value.at[i] += other.at[i];
        }
        write<V>(y + at, activate_all<V>(value, curve));
    }
}
KERNEL NAME(norm_apply_wide)(const Element *x, const float *affine, const Element *shortcut, Element *y, long rows,
                             int channels, Curve curve) {
    apply<WIDE>(x, affine, shortcut, y, rows, channels, curve);
}
KERNEL NAME(norm_apply_one)(const Element *x, const float *affine, const Element *shortcut, Element *y, long rows,
                            int channels, Curve curve) {
    apply<1>(x, affine, shortcut, y, rows, channels, curve);
}

// What the last block makes of the sums of a gradient: the gradients of gamma and beta, and what `back` takes (scale, mean
// gradient, slope); or, without a norm, the gradient of a shift.
struct Sums {
    const float *affine, *variance;
    float epsilon;
    float *gamma, *beta, *slopes;
};
template <int V> INLINE void conclude(const float *partial, long rows, int channels, const Sums &s) {
    constexpr int G = V < 4 ? 1 : 4;
    int channel;
    Sum<G> all;
    if (!add_parts<G>(partial, V, channels, channel, all)) return;
#pragma unroll
    for (int i = 0; i < G; i++, channel++) {
        double sum = all.first[i], product = all.second[i];
        s.beta[channel] = (float)sum;
        if (!s.gamma) continue;
        double inverse = 1.0 / sqrt((double)s.variance[channel] + (double)s.epsilon);
        s.gamma[channel] = (float)(product * inverse);
        s.slopes[channel] = s.affine[channels + channel];
        s.slopes[channels + channel] = (float)(sum / rows);
        s.slopes[2 * channels + channel] = (float)(product * inverse * inverse / rows);
    }
}

// Sums of the gradient of the norm's output, and of its product with x less its mean. Reads gradient and x once.
template <int V>
INLINE void sums(const Element *gradient, const Element *x, float *partial, unsigned *waiting, long rows, int channels,
                 Curve curve, const Sums &s) {
    PLACE(V)
    Pack<V> sum = zeros<V>(), product = zeros<V>();
    if (is_inside) {
        Affine<V> own = read_affine<V>(s.affine, channel, channels);
#pragma unroll 2
        for (long row = first; row < rows; row += step) {
            size_t at = row * channels + channel;
            Pack<V> value = read<V>(x + at), dy = read<V>(gradient + at);
            Pack<V> argument = apply_affine<V>(value, own);
#pragma unroll
            for (int i = 0; i < V; i++) {
                float inner = through(argument.at[i], dy.at[i], curve);
                sum.at[i] += inner;
                product.at[i] = fmaf(inner, value.at[i] - own.mean.at[i], product.at[i]);
            }
        }
    }
    leave<V>(partial, channel, channels, is_inside, sum, product);
    if (is_last(waiting)) conclude<V>(partial, rows, channels, s);
}
KERNEL NAME(norm_sums_wide)(const Element *gradient, const Element *x, float *partial, unsigned *waiting, long rows,
                            int channels, Curve curve, Sums s) {
    sums<WIDE>(gradient, x, partial, waiting, rows, channels, curve, s);
}
KERNEL NAME(norm_sums_one)(const Element *gradient, const Element *x, float *partial, unsigned *waiting, long rows,
                           int channels, Curve curve, Sums s) {
    sums<1>(gradient, x, partial, waiting, rows, channels, curve, s);
}

// The same after a clamp whose output y is known, with or without x: zeroes the gradient where y is clamped and writes
// it. Reads gradient, y (and x) once, writes once.
template <int V>
INLINE void cut_sums(const Element *gradient, const Element *y, const Element *x, Element *inner, float *partial,
                     unsigned *waiting, long rows, int channels, Curve curve, const Sums &s) {
    PLACE(V)
    Pack<V> sum = zeros<V>(), product = zeros<V>();
    if (is_inside) {
        Pack<V> mean = x ? read_floats<V>(s.affine + channel) : zeros<V>();
#pragma unroll 2
        for (long row = first; row < rows; row += step) {
            size_t at = row * channels + channel;
            Pack<V> clamped = read<V>(y + at), dy = read<V>(gradient + at);
#pragma unroll
            for (int i = 0; i < V; i++) {
                dy.at[i] = through(clamped.at[i], dy.at[i], curve);
                sum.at[i] += dy.at[i];
            }
            write<V>(inner + at, dy);
            if (x) {
                Pack<V> value = read<V>(x + at);
#pragma unroll
                for (int i = 0; i < V; i++)
                    product.at[i] = fmaf(dy.at[i], value.at[i] - mean.at[i], product.at[i]);
            }
        }
    }
    leave<V>(partial, channel, channels, is_inside, sum, product);
    if (is_last(waiting)) conclude<V>(partial, rows, channels, s);
}
KERNEL NAME(cut_sums_wide)(const Element *gradient, const Element *y, const Element *x, Element *inner, float *partial,
                           unsigned *waiting, long rows, int channels, Curve curve, Sums s) {
    cut_sums<WIDE>(gradient, y, x, inner, partial, waiting, rows, channels, curve, s);
}
KERNEL NAME(cut_sums_one)(const Element *gradient, const Element *y, const Element *x, Element *inner, float *partial,
                          unsigned *waiting, long rows, int channels, Curve curve, Sums s) {
    cut_sums<1>(gradient, y, x, inner, partial, waiting, rows, channels, curve, s);
}

// The gradient of a norm's input. Reads gradient and x once, writes dx once; dx may be the gradient's memory.
template <int V>
INLINE void back(const Element *gradient, const Element *x, const float *affine, const float *slopes, Element *dx,
                 long rows, int channels, Curve curve) {
    PLACE(V)
    if (!is_inside) return;
    Affine<V> own = read_affine<V>(affine, channel, channels);
    Pack<V> mean = read_floats<V>(slopes + channels + channel);
    Pack<V> slope = read_floats<V>(slopes + 2 * channels + channel);
#pragma unroll 2
    for (long row = first; row < rows; row += step) {
        size_t at = row * channels + channel;
        Pack<V> value = read<V>(x + at), dy = read<V>(gradient + at);
        Pack<V> argument = apply_affine<V>(value, own);
#pragma unroll
        for (int i = 0; i < V; i++) {
            float inner = through(argument.at[i], dy.at[i], curve) - mean.at[i];
            dy.at[i] = own.scale.at[i] * (inner - (value.at[i] - own.mean.at[i]) * slope.at[i]);
        }
        write<V>(dx + at, dy);
    }
}
KERNEL NAME(norm_back_wide)(const Element *gradient, const Element *x, const float *affine, const float *slopes,
                            Element *dx, long rows, int channels, Curve curve) {
    back<WIDE>(gradient, x, affine, slopes, dx, rows, channels, curve);
}
KERNEL NAME(norm_back_one)(const Element *gradient, const Element *x, const float *affine, const float *slopes,
                           Element *dx, long rows, int channels, Curve curve) {
    back<1>(gradient, x, affine, slopes, dx, rows, channels, curve);
}

// A norm by its running statistics as one scale and one shift.
KERNEL NAME(fold)(const float *gamma, const float *beta, const float *mean, const float *variance, float epsilon, float *scale,
                  float *shift, int channels) {
    int channel = blockIdx.x * blockDim.x + threadIdx.x;
    if (channel >= channels) return;
    float own = gamma[channel] / sqrtf(variance[channel] + epsilon);
    scale[channel] = own;
    shift[channel] = beta[channel] - mean[channel] * own;
}

// A scale and a shift to an affine with the mean zero.
KERNEL NAME(scale_affine)(const float *scale, const float *shift, float *affine, int channels) {
    int channel = blockIdx.x * blockDim.x + threadIdx.x;
    if (channel >= channels) return;
    affine[channel] = 0.0f;
    affine[channels + channel] = scale ? scale[channel] : 1.0f;
    affine[2 * channels + channel] = shift[channel];
}

// Moves running statistics towards those of a batch, in place.
KERNEL NAME(follow)(float *running_mean, float *running_variance, const float *mean, const float *variance, float momentum,
                    int channels) {
    int channel = blockIdx.x * blockDim.x + threadIdx.x;
    if (channel >= channels) return;
    running_mean[channel] = running_mean[channel] * (1.0f - momentum) + mean[channel] * momentum;
    running_variance[channel] = running_variance[channel] * (1.0f - momentum) + variance[channel] * momentum;
}
