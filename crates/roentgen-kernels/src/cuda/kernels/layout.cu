// Changes of layout: tensors of any strides to rows of channels, weights to what cuDNN takes, channels concatenated.

// Sizes of a tensor of [batch, channels, height, width], less the batch, and its strides in elements.
struct Strided {
    int channels, height, width;
    long batch_stride, channel_stride, row_stride, column_stride;
};
KERNEL NAME(gather)(const Element *from, Element *to, long count, Strided s) {
    unsigned at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    unsigned channel = at % s.channels, pixel = at / s.channels;
    unsigned column = pixel % s.width, row = pixel / s.width % s.height, image = pixel / s.width / s.height;
    to[at] = from[image * s.batch_stride + channel * s.channel_stride + row * s.row_stride + column * s.column_stride];
}

// Adds zeros around a film and after its channels, so that every engine of cuDNN accepts it, or removes them again.
struct Padded {
    int height, width, channels;              // of the film
    int out_height, out_width, out_channels;  // with zeros
    int top, left;
};
// A thread fills eight channels.
KERNEL NAME(pad)(const Element *x, Element *y, long count, Padded p) {
    unsigned at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count / 8) return;
    int groups = p.out_channels / 8, first = at % groups * 8, pixel = at / groups;
    int column = pixel % p.out_width - p.left, row = pixel / p.out_width % p.out_height - p.top;
    size_t image = pixel / p.out_width / p.out_height;
    bool is_inside = column >= 0 && column < p.width && row >= 0 && row < p.height;
    const Element *from = x + ((image * p.height + row) * p.width + column) * p.channels + first;
    Pack<8> eight = zeros<8>();
#pragma unroll
    for (int i = 0; i < 8; i++)
        if (is_inside && first + i < p.channels) eight.at[i] = widen(from[i]);
    write<8>(y + (size_t)at * 8, eight);
}
KERNEL NAME(unpad)(const Element *y, Element *x, long count, Padded p) {
    long at = (long)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    int channel = (int)(at % p.channels);
    long pixel = at / p.channels;
    int column = (int)(pixel % p.width) + p.left, row = (int)(pixel / p.width % p.height) + p.top;
    long image = pixel / p.width / p.height;
    x[at] = y[((image * p.out_height + row) * p.out_width + column) * p.out_channels + channel];
}

// Weights [out, channels, kernel height, kernel width] of any strides in float to [out, taps, channels and zeros], and
// gradients back, [out, channels, taps].
struct Weights {
    int outs, channels, height, width;
    long out_stride, channel_stride, row_stride, column_stride;
};
KERNEL NAME(weight_pack)(const float *weight, Element *packed, Weights w, int padded) {
    int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= w.outs * w.height * w.width * padded) return;
    int channel = at % padded, column = at / padded % w.width, row = at / padded / w.width % w.height;
    int out = at / padded / w.width / w.height;
    float value = 0.0f;
    if (channel < w.channels)
        value = weight[out * w.out_stride + channel * w.channel_stride + row * w.row_stride + column * w.column_stride];
    packed[at] = narrow(value);
}
KERNEL NAME(weight_unpack)(const Element *packed, float *weight, int outs, int channels, int taps, int padded) {
    int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= outs * channels * taps) return;
    int tap = at % taps, channel = at / taps % channels, out = at / taps / channels;
    weight[at] = widen(packed[(out * taps + tap) * padded + channel]);
}
// Copies `count` channels from a place in rows of `from_channels` to a place in rows of `to_channels`, or adds them there.
struct Channels {
    int count, from_channels, from_first, to_channels, to_first;
};
template <int V, bool IS_ADDED> INLINE void channels(const Element *from, Element *to, long rows, const Channels &c) {
    long at = (long)blockIdx.x * blockDim.x + threadIdx.x;
    int across = c.count / V;
    long row = at / across;
    if (row >= rows) return;
    int channel = (int)(at % across) * V;
    Pack<V> value = read<V>(from + (size_t)row * c.from_channels + c.from_first + channel);
    Element *out = to + (size_t)row * c.to_channels + c.to_first + channel;
    if (IS_ADDED) {
        Pack<V> there = read<V>(out);
#pragma unroll
        for (int i = 0; i < V; i++) value.at[i] += there.at[i];
    }
    write<V>(out, value);
}
KERNEL NAME(channels_copy_wide)(const Element *from, Element *to, long rows, Channels c) {
    channels<WIDE, false>(from, to, rows, c);
}
KERNEL NAME(channels_copy_one)(const Element *from, Element *to, long rows, Channels c) {
    channels<1, false>(from, to, rows, c);
}
KERNEL NAME(channels_add_wide)(const Element *from, Element *to, long rows, Channels c) {
    channels<WIDE, true>(from, to, rows, c);
}
KERNEL NAME(channels_add_one)(const Element *from, Element *to, long rows, Channels c) {
    channels<1, true>(from, to, rows, c);
}
