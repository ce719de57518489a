// Threads of a block are fibers: each has a stack of its own and hands the CPU on where it waits.
//
// A fiber takes the next thread of the block when its thread ends, so that a kernel without barriers needs one fiber. A
// second fiber is started only where the first one waits. All fibers that wait are then resumed, in the order in which
// they started, and each runs up to its next wait: in one such round the whole block passes one barrier. Threads that
// ended early are in no round, as if they had arrived.

#include "fibers.hpp"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

#include "switch.hpp"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

#if defined(__x86_64__) && !defined(FAKE_GPU_UCONTEXT)
asm(R"(
    .text
    .globl fake_gpu_switch
    .hidden fake_gpu_switch
    .type fake_gpu_switch, @function
fake_gpu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size fake_gpu_switch, . - fake_gpu_switch
)");
#endif

namespace emulate {
namespace {

constexpr std::size_t STACK = 64 * 1024;
// The page below each stack is not accessible: a stack that is too small ends the program, rather than spoiling another.
constexpr std::size_t GUARD = 4096;

struct Fiber {
    Context context;
    uint3 thread;
    bool is_waiting;
};

Fiber fibers[MOST_THREADS];
Fiber *running;
Context scheduler;

// The block that runs now.
Body body;
void *data;
unsigned threads, started;
bool is_backwards;

char *stacks() {
    static char *memory = [] {
        std::size_t size = MOST_THREADS * (STACK + GUARD);
        void *all = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (all == MAP_FAILED) {
            std::perror("fake driver: no memory for stacks");
            std::abort();
        }
        char *first = static_cast<char *>(all);
        for (unsigned i = 0; i < MOST_THREADS; i++)
            if (mprotect(first + i * (STACK + GUARD) + GUARD, STACK, PROT_READ | PROT_WRITE) != 0) {
                std::perror("fake driver: no memory for a stack");
                std::abort();
            }
        return first;
    }();
    return memory;
}

uint3 place_of(unsigned thread) {
    return {thread % blockDim.x, thread / blockDim.x % blockDim.y, thread / blockDim.x / blockDim.y};
}

// A fiber runs threads as long as some have not started.
void live() {
    while (started < threads) {
        unsigned thread = is_backwards ? threads - 1 - started : started;
        started++;
        threadIdx = running->thread = place_of(thread);
        body(data);
    }
    running->is_waiting = false;
    switch_over(running->context, scheduler);
}

void resume(Fiber &fiber) {
    running = &fiber;
    threadIdx = fiber.thread;
    switch_over(scheduler, fiber.context);
}

// Stacks begin at different offsets, so that their ends do not all fall on the same lines of the cache.
void start(unsigned which) {
    char *bottom = stacks() + which * (STACK + GUARD) + GUARD;
    prepare(fibers[which].context, bottom, bottom + STACK - which % 61 * 128, live);
    resume(fibers[which]);
}

void run_block() {
    Fiber *waiting[MOST_THREADS];
    unsigned count = 0;
    for (started = 0; started < threads;) {
        start(count);
        if (fibers[count].is_waiting) {
            waiting[count] = &fibers[count];
            count++;
        }
    }
    while (count > 0) {
        unsigned left = 0;
        for (unsigned i = 0; i < count; i++) {
            resume(*waiting[i]);
            if (waiting[i]->is_waiting) waiting[left++] = waiting[i];
        }
        count = left;
    }
}

}  // namespace

void barrier() {
    running->is_waiting = true;
    switch_over(running->context, scheduler);
}

// Threads of every second block run backwards: where a barrier is missing, one of the two orders gives a wrong result.
void run_grid(dim3 grid, dim3 block, Body run, void *with) {
    body = run;
    data = with;
    gridDim = grid;
    blockDim = block;
    threads = block.x * block.y * block.z;
    for (unsigned z = 0; z < grid.z; z++)
        for (unsigned y = 0; y < grid.y; y++)
            for (unsigned x = 0; x < grid.x; x++) {
                blockIdx = {x, y, z};
                run_block();
                is_backwards = !is_backwards;
            }
}

}  // namespace emulate
