// The threads of a grid, run one after the other on the CPU.
#pragma once

struct uint3 {
    unsigned x, y, z;
};

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

// They are set before a thread runs and after each of its waits.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

namespace emulate {

// CUDA allows no more threads in a block.
constexpr unsigned MOST_THREADS = 1024;

// A body does what one thread does.
using Body = void (*)(void *data);

// The function runs the body for each thread of each block. Only one host thread may be in it at a time.
void run_grid(dim3 grid, dim3 block, Body body, void *data);

// The calling thread waits until all threads of its block have come to a barrier or have ended.
void barrier();

}  // namespace emulate
