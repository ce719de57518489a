// A shift of each channel and the Gaussian error linear unit after it.

INLINE float half_plus_erf(float x) { return fmaf(0.5f, erff(x * 0.70710678f), 0.5f); }

INLINE float gelu_slope(float x) { return fmaf(x * 0.39894228f, __expf(-0.5f * x * x), half_plus_erf(x)); }

// Reads x once, writes y once.
template <int V>
INLINE void shift_gelu(const Element *x, const float *shift, Element *y, long rows, int channels) {
    PLACE(V)
    if (!is_inside) return;
    Pack<V> own = read_floats<V>(shift + channel);
#pragma unroll 2
    for (long row = first; row < rows; row += step) {
        size_t at = row * channels + channel;
        Pack<V> value = read<V>(x + at);
#pragma unroll
        for (int i = 0; i < V; i++) {
            float shifted = value.at[i] + own.at[i];
            value.at[i] = shifted * half_plus_erf(shifted);
        }
        write<V>(y + at, value);
    }
}
KERNEL NAME(shift_gelu_wide)(const Element *x, const float *shift, Element *y, long rows, int channels) {
    shift_gelu<WIDE>(x, shift, y, rows, channels);
}
KERNEL NAME(shift_gelu_one)(const Element *x, const float *shift, Element *y, long rows, int channels) {
    shift_gelu<1>(x, shift, y, rows, channels);
}

// The gradients of x and of the shift. Reads gradient and x once, writes dx once.
template <int V>
INLINE void shift_gelu_back(const Element *gradient, const Element *x, const float *shift, Element *dx, float *partial,
                            unsigned *waiting, long rows, int channels, float *dshift) {
    PLACE(V)
    Pack<V> sum = zeros<V>();
    if (is_inside) {
        Pack<V> own = read_floats<V>(shift + channel);
#pragma unroll 2
        for (long row = first; row < rows; row += step) {
            size_t at = row * channels + channel;
            Pack<V> value = read<V>(x + at), dy = read<V>(gradient + at);
#pragma unroll
            for (int i = 0; i < V; i++) {
                dy.at[i] *= gelu_slope(value.at[i] + own.at[i]);
                sum.at[i] += dy.at[i];
            }
            write<V>(dx + at, dy);
        }
    }
    sum_channels<V>(partial, waiting, channel, channels, is_inside, sum, zeros<V>(), dshift, 0);
}
KERNEL NAME(shift_gelu_back_wide)(const Element *gradient, const Element *x, const float *shift, Element *dx, float *partial,
                                  unsigned *waiting, long rows, int channels, float *dshift) {
    shift_gelu_back<WIDE>(gradient, x, shift, dx, partial, waiting, rows, channels, dshift);
}
KERNEL NAME(shift_gelu_back_one)(const Element *gradient, const Element *x, const float *shift, Element *dx, float *partial,
                                 unsigned *waiting, long rows, int channels, float *dshift) {
    shift_gelu_back<1>(gradient, x, shift, dx, partial, waiting, rows, channels, dshift);
}
