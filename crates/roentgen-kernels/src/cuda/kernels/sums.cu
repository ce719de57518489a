// Sums over the rows of each channel.
//
// Blocks are (x, y) threads; a thread takes V channels, and every row that is threadIdx.y + k * the rows of a grid. Sums
// leave a block as partial sums, [gridDim.x, 2, channels], which the last block adds in order: the same bits each time.

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

// Whether this block is the last of its channels to leave its sums; `waiting` counts those that have, and is zero again
// after the last.
INLINE bool is_last(unsigned *waiting) {
    __shared__ bool last;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0 && threadIdx.y == 0) {
        last = atomicAdd(waiting + blockIdx.y, 1u) == gridDim.x - 1;
        if (last) waiting[blockIdx.y] = 0;
    }
    __syncthreads();
    return last;
}

// Sums of G neighbouring channels over all blocks.
template <int G> struct Sum {
    double first[G], second[G];
};

// Adds the parts of the channels of a block, in order: a thread takes G channels, and as many threads share them as there
// are. Many loads are under way at once, since only one block of each channel does this. Whether this thread has sums, and
// from which channel on, is returned.
template <int G> INLINE bool add_parts(const float *partial, int at_once, int channels, int &channel, Sum<G> &sum) {
    __shared__ double shared[2 * G][THREADS];
    // All powers of two.
    int groups = blockDim.x * at_once / G, thread = threadIdx.y * blockDim.x + threadIdx.x;
    int lanes = THREADS / groups, lane = thread / groups;
    channel = blockIdx.y * blockDim.x * at_once + thread % groups * G;
    Sum<G> mine;
#pragma unroll
    for (int i = 0; i < G; i++) mine.first[i] = mine.second[i] = 0.0;
    if (channel < channels) {
#pragma unroll 4
        for (unsigned part = lane; part < gridDim.x; part += lanes) {
            const float *from = partial + (size_t)part * 2 * channels + channel;
            // Past the first cache, which does not see what other blocks write.
            Floats<G> a = read_late<G>(from), b = read_late<G>(from + channels);
#pragma unroll
            for (int i = 0; i < G; i++) {
                mine.first[i] += a.at[i];
                mine.second[i] += b.at[i];
            }
        }
    }
#pragma unroll
    for (int i = 0; i < G; i++) {
        shared[i][thread] = mine.first[i];
        shared[G + i][thread] = mine.second[i];
    }
    for (int half = lanes / 2; half > 0; half /= 2) {
        __syncthreads();
        if (lane < half)
            for (int i = 0; i < 2 * G; i++) shared[i][thread] += shared[i][thread + half * groups];
    }
#pragma unroll
    for (int i = 0; i < G; i++) {
        sum.first[i] = shared[i][thread];
        sum.second[i] = shared[G + i][thread];
    }
    return lane == 0 && channel < channels;
}

// Leaves the sums of a block; the last block of its channels writes those of all blocks, where they are wanted.
template <int V>
INLINE void sum_channels(float *partial, unsigned *waiting, int channel, int channels, bool is_inside, Pack<V> a, Pack<V> b,
                         float *first, float *second) {
    leave<V>(partial, channel, channels, is_inside, a, b);
    if (!is_last(waiting)) return;
    constexpr int G = V < 4 ? 1 : 4;
    Sum<G> all;
    if (!add_parts<G>(partial, V, channels, channel, all)) return;
#pragma unroll
    for (int i = 0; i < G; i++, channel++) {
        first[channel] = (float)all.first[i];
        if (second) second[channel] = (float)all.second[i];
    }
}
