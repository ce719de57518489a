// Modules, their kernels and launches. A launch runs the kernel where the library holds one of that name, and is counted in
// any case.

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

#include "driver.hpp"
#include "launch.hpp"

namespace {

struct Module {
    // The text of PTX; empty for a binary, of which nothing is known.
    std::string ptx;
};

// PTX is text, and begins with a comment or a directive.
bool is_text(const char *image) {
    unsigned char first = static_cast<unsigned char>(*image);
    return first == '/' || first == '.' || std::isspace(first);
}

Result load(Module **module, const void *image) {
    if (!image) return INVALID_VALUE;
    if (!has_context()) return INVALID_CONTEXT;
    const char *text = static_cast<const char *>(image);
    *module = new Module{is_text(text) ? text : ""};
    return SUCCESS;
}

bool has_entry(const Module *module, const char *name) {
    const std::string &ptx = module->ptx;
    if (ptx.find(".entry") == std::string::npos) return true;
    std::string entry = std::string(".entry ") + name;
    for (std::size_t at = ptx.find(entry); at != std::string::npos; at = ptx.find(entry, at + 1)) {
        unsigned char after = at + entry.size() < ptx.size() ? static_cast<unsigned char>(ptx[at + entry.size()]) : ' ';
        if (!std::isalnum(after) && after != '_' && after != '$') return true;
    }
    return false;
}

Result find_function(Function **function, const Module *module, const char *name) {
    if (!module || !name) return INVALID_VALUE;
    if (!has_entry(module, name)) return NOT_FOUND;
    *function = function_named(name);
    return SUCCESS;
}

bool is_within(dim3 size, unsigned x, unsigned y, unsigned z) {
    return size.x > 0 && size.y > 0 && size.z > 0 && size.x <= x && size.y <= y && size.z <= z;
}

Result launch(Function *function, dim3 grid, dim3 block, unsigned shared, void **values, void **extra) {
    constexpr unsigned MOST_SHARED = 232448;
    static std::mutex &lock = *new std::mutex;
    if (!function) return INVALID_HANDLE;
    bool is_allowed = is_within(grid, 2147483647, 65535, 65535) && is_within(block, 1024, 1024, 64) &&
                      block.x * block.y * block.z <= emulate::MOST_THREADS && shared <= MOST_SHARED;
    if (!is_allowed) {
        std::fprintf(stderr, "fake driver: %s cannot have %u,%u,%u blocks of %u,%u,%u threads and %u shared bytes\n",
                     name_of(function), grid.x, grid.y, grid.z, block.x, block.y, block.z, shared);
        return INVALID_VALUE;
    }
    emulate::Launch run = emulate::find(name_of(function));
    if (run && !values && extra) return NOT_SUPPORTED;
    count_launch(function);
    std::lock_guard<std::mutex> guard(lock);
    // A dry run of a whole network counts launches and measures the host; its values mean nothing.
    static const bool is_dry = std::getenv("FAKE_CUDA_DRY") != nullptr;
    if (run && !is_dry) run(values, grid, block);
    return SUCCESS;
}

struct Configuration {
    unsigned grid[3], block[3], shared;
    void *stream, *attributes;
    unsigned attribute_count;
};

}  // namespace

DRIVER Result cuModuleLoadData(Module **module, const void *image) { return load(module, image); }
DRIVER Result cuModuleLoadDataEx(Module **module, const void *image, unsigned, void *, void *) {
    return load(module, image);
}
DRIVER Result cuModuleLoadFatBinary(Module **module, const void *image) { return load(module, image); }
DRIVER Result cuModuleUnload(Module *module) { return delete module, SUCCESS; }
DRIVER Result cuModuleGetFunction(Function **function, Module *module, const char *name) {
    return find_function(function, module, name);
}

// A library is a module, and its kernels are functions.
DRIVER Result cuLibraryLoadData(Module **library, const void *image, void *, void *, unsigned, void *, void *, unsigned) {
    return load(library, image);
}
DRIVER Result cuLibraryUnload(Module *library) { return delete library, SUCCESS; }
DRIVER Result cuLibraryGetModule(Module **module, Module *library) { return *module = library, SUCCESS; }
DRIVER Result cuLibraryGetKernel(Function **kernel, Module *library, const char *name) {
    return find_function(kernel, library, name);
}
DRIVER Result cuKernelGetFunction(Function **function, Function *kernel) { return *function = kernel, SUCCESS; }
DRIVER Result cuKernelSetAttribute(int, int, Function *, int) { return SUCCESS; }

DRIVER Result cuFuncSetAttribute(Function *, int, int) { return SUCCESS; }
DRIVER Result cuFuncSetCacheConfig(Function *, int) { return SUCCESS; }
DRIVER Result cuFuncGetName(const char **name, Function *function) { return *name = name_of(function), SUCCESS; }
DRIVER Result cuFuncGetAttribute(int *value, int which, Function *) {
    constexpr int THREADS = 0, REGISTERS = 4;
    *value = which == THREADS ? static_cast<int>(emulate::MOST_THREADS) : which == REGISTERS ? 32 : 0;
    return SUCCESS;
}
DRIVER Result cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, Function *, int threads, std::size_t) {
    if (threads < 1) return INVALID_VALUE;
    *blocks = 2048 / threads < 32 ? 2048 / threads : 32;
    return SUCCESS;
}

DRIVER Result cuLaunchKernel(Function *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                             unsigned block_y, unsigned block_z, unsigned shared, void *, void **values, void **extra) {
    return launch(function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared, values, extra);
}
DRIVER Result cuLaunchKernelEx(const Configuration *how, Function *function, void **values, void **extra) {
    dim3 grid(how->grid[0], how->grid[1], how->grid[2]), block(how->block[0], how->block[1], how->block[2]);
    return launch(function, grid, block, how->shared, values, extra);
}
