// The end of a residual block: x + inner * scale of the channel * factor of the film. Without factors they are one.

// Reads x and inner once, writes y once.
template <int V>
INLINE void scaled_add(const Element *x, const Element *inner, const float *scale, const float *factor, Element *y, long rows,
                       int channels, int plane) {
    PLACE(V)
    if (!is_inside) return;
    Pack<V> own = read_floats<V>(scale + channel);
#pragma unroll 2
    for (long row = first; row < rows; row += step) {
        size_t at = row * channels + channel;
        Pack<V> value = read<V>(x + at), added = read<V>(inner + at);
        float of_film = factor ? factor[(unsigned)row / (unsigned)plane] : 1.0f;
#pragma unroll
        for (int i = 0; i < V; i++) value.at[i] = fmaf(added.at[i], own.at[i] * of_film, value.at[i]);
        write<V>(y + at, value);
    }
}
KERNEL NAME(scaled_add_wide)(const Element *x, const Element *inner, const float *scale, const float *factor, Element *y,
                             long rows, int channels, int plane) {
    scaled_add<WIDE>(x, inner, scale, factor, y, rows, channels, plane);
}
KERNEL NAME(scaled_add_one)(const Element *x, const Element *inner, const float *scale, const float *factor, Element *y,
                            long rows, int channels, int plane) {
    scaled_add<1>(x, inner, scale, factor, y, rows, channels, plane);
}

// The gradients of inner and scale; that of x is the gradient itself. Reads gradient and inner once, writes dinner once.
template <int V>
INLINE void scaled_add_back(const Element *gradient, const Element *inner, const float *scale, const float *factor,
                            Element *dinner, float *partial, unsigned *waiting, long rows, int channels, int plane,
                            float *dscale) {
    PLACE(V)
    Pack<V> sum = zeros<V>();
    if (is_inside) {
        Pack<V> own = read_floats<V>(scale + channel);
#pragma unroll 2
        for (long row = first; row < rows; row += step) {
            size_t at = row * channels + channel;
            Pack<V> added = read<V>(inner + at), dy = read<V>(gradient + at);
            float of_film = factor ? factor[(unsigned)row / (unsigned)plane] : 1.0f;
#pragma unroll
            for (int i = 0; i < V; i++) {
                dy.at[i] *= of_film;
                sum.at[i] = fmaf(dy.at[i], added.at[i], sum.at[i]);
                dy.at[i] *= own.at[i];
            }
            write<V>(dinner + at, dy);
        }
    }
    sum_channels<V>(partial, waiting, channel, channels, is_inside, sum, zeros<V>(), dscale, 0);
}
KERNEL NAME(scaled_add_back_wide)(const Element *gradient, const Element *inner, const float *scale, const float *factor,
                                  Element *dinner, float *partial, unsigned *waiting, long rows, int channels, int plane,
                                  float *dscale) {
    scaled_add_back<WIDE>(gradient, inner, scale, factor, dinner, partial, waiting, rows, channels, plane, dscale);
}
KERNEL NAME(scaled_add_back_one)(const Element *gradient, const Element *inner, const float *scale, const float *factor,
                                 Element *dinner, float *partial, unsigned *waiting, long rows, int channels, int plane,
                                 float *dscale) {
    scaled_add_back<1>(gradient, inner, scale, factor, dinner, partial, waiting, rows, channels, plane, dscale);
}
