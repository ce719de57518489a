// Gradients of a scaled loss divided by its scale, many at once, blockIdx.y being the gradient. Reads each value once and
// writes it once, where it was if nothing else uses that memory. `found` becomes 1 if a value is not a finite number.
#define GRADIENTS 128
struct Gradient {
    const float *scaled;
    float *divided;
    long count;
};
struct Gradients {
    Gradient at[GRADIENTS];
};
KERNEL NAME(unscale)(Gradients gradients, float factor, unsigned *found) {
    Gradient gradient = gradients.at[blockIdx.y];
    bool is_finite = true;
    for (long at = (long)blockIdx.x * blockDim.x + threadIdx.x; at < gradient.count; at += (long)gridDim.x * blockDim.x) {
        float value = gradient.scaled[at];
        is_finite = is_finite && (__float_as_uint(value) & 0x7f800000) != 0x7f800000;
        gradient.divided[at] = value * factor;
    }
    // All that write it write the same.
    if (!is_finite) *found = 1;
}
