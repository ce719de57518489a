// How a stack is left for another one: a few instructions on x86-64, ucontext anywhere else.
#pragma once

#include <cstddef>

#if defined(__x86_64__) && !defined(FAKE_GPU_UCONTEXT)

// The function pushes what a callee has to keep, stores the stack pointer and goes on from the other one.
extern "C" __attribute__((visibility("hidden"))) void fake_gpu_switch(void **from, void *to);

namespace emulate {

// A context is a place at which a stack was left.
struct Context {
    void *stack_pointer;
};

// The context will start `entry` at the top of a stack, which ends at `top`. The entry never returns.
inline void prepare(Context &context, char *, char *top, void (*entry)()) {
    void **stack = reinterpret_cast<void **>(top);
    *--stack = nullptr;                            // what `entry` takes for its return address
    *--stack = reinterpret_cast<void *>(entry);    // where the switch returns to
    for (int i = 0; i < 6; i++) *--stack = nullptr;  // the registers that it pops
    context.stack_pointer = stack;
}

inline void switch_over(Context &from, Context &to) { fake_gpu_switch(&from.stack_pointer, to.stack_pointer); }

}  // namespace emulate

#else

#include <ucontext.h>

namespace emulate {

struct Context {
    ucontext_t context;
};

inline void prepare(Context &context, char *bottom, char *top, void (*entry)()) {
    getcontext(&context.context);
    context.context.uc_stack.ss_sp = bottom;
    context.context.uc_stack.ss_size = static_cast<std::size_t>(top - bottom);
    context.context.uc_link = nullptr;
    makecontext(&context.context, entry, 0);
}

inline void switch_over(Context &from, Context &to) { swapcontext(&from.context, &to.context); }

}  // namespace emulate

#endif
