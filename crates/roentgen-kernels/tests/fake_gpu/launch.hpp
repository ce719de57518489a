// Which kernels can run here, and how one is called with what a launch hands over: pointers to the arguments' values.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "fibers.hpp"

namespace emulate {

using Launch = void (*)(void **values, dim3 grid, dim3 block);

// The types of the arguments are those of the kernel's signature.
template <auto kernel> struct Kernel;

template <class... Arguments, void (*kernel)(Arguments...)> struct Kernel<kernel> {
    using Values = std::tuple<Arguments...>;

    static void run_thread(void *values) { std::apply(kernel, *static_cast<Values *>(values)); }

    template <std::size_t... I> static Values read([[maybe_unused]] void **values, std::index_sequence<I...>) {
        return Values(*static_cast<Arguments *>(values[I])...);
    }

    static void launch(void **values, dim3 grid, dim3 block) {
        Values copies = read(values, std::index_sequence_for<Arguments...>());
        run_grid(grid, block, run_thread, &copies);
    }
};

// The registry outlives all static objects, as a program may launch while it ends.
inline std::map<std::string, Launch> &registry() {
    static auto *kernels = new std::map<std::string, Launch>;
    return *kernels;
}

inline Launch find(const std::string &name) {
    auto found = registry().find(name);
    return found == registry().end() ? nullptr : found->second;
}

struct Registered {
    Registered(const char *name, Launch launch) { registry()[name] = launch; }
};

}  // namespace emulate

// The line makes a kernel run when it is launched by its name.
#define RUNS(name) static const emulate::Registered registered_##name(#name, emulate::Kernel<name>::launch);
