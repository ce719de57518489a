// The step of Adam for many parameters at once, blockIdx.y being the parameter: reads parameter, means and gradient once,
// writes the first three once, to memory of their own.
#define PIECES 48
struct Adam {
    float first, second, epsilon, unbiased, root;
};
struct Piece {
    const float *parameter, *mean, *square, *gradient;
    float *new_parameter, *new_mean, *new_square;
    long count;
};
struct Pieces {
    Piece at[PIECES];
};
KERNEL NAME(adam)(Pieces pieces, Adam step) {
    Piece piece = pieces.at[blockIdx.y];
    for (long at = (long)blockIdx.x * blockDim.x + threadIdx.x; at < piece.count; at += (long)gridDim.x * blockDim.x) {
        float g = piece.gradient[at];
        float m = fmaf(piece.mean[at], step.first, g * (1.0f - step.first));
        float s = fmaf(piece.square[at], step.second, g * g * (1.0f - step.second));
        piece.new_mean[at] = m;
        piece.new_square[at] = s;
        piece.new_parameter[at] = piece.parameter[at] - m * step.unbiased / fmaf(sqrtf(s), step.root, step.epsilon);
    }
}
