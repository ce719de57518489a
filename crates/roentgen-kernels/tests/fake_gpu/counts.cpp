// Counts of launches and allocations: for tests that ask, and for a report when the program ends.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "driver.hpp"
#include "launch.hpp"

struct Function {
    std::string name;
    unsigned long launches;
};

namespace {

std::mutex lock;
// They outlive all static objects, as a program may launch while it ends.
std::map<std::string, Function> &functions = *new std::map<std::string, Function>;
unsigned long allocations;
std::size_t peak_bytes;
double time_now;

// Plain kernels take long, so that CubeCL's tuning chooses as on a device, and the same each time.
double duration(const std::string &name) {
    bool is_plain = name.find("naive") != std::string::npos || name.find("direct_conv") != std::string::npos;
    return is_plain ? 100000.0 : 3.0;
}

__attribute__((destructor)) void report() {
    if (!std::getenv("FAKE_CUDA_REPORT")) return;
    std::lock_guard<std::mutex> guard(lock);
    std::vector<const Function *> launched;
    unsigned long total = 0;
    for (auto &entry : functions)
        if (entry.second.launches > 0) launched.push_back(&entry.second), total += entry.second.launches;
    std::stable_sort(launched.begin(), launched.end(),
                     [](const Function *a, const Function *b) { return a->launches > b->launches; });
    std::fprintf(stderr, "fake driver: %lu launches of %zu kernels\n", total, launched.size());
    for (const Function *function : launched)
        std::fprintf(stderr, "%8lu %s%s\n", function->launches, function->name.c_str(),
                     emulate::find(function->name) ? "" : " (only counted)");
    std::fprintf(stderr, "fake driver: %lu allocations, %zu bytes at the most\n", allocations, peak_bytes);
}

}  // namespace

Function *function_named(const char *name) {
    std::lock_guard<std::mutex> guard(lock);
    return &functions.emplace(name, Function{name, 0}).first->second;
}

const char *name_of(const Function *function) { return function->name.c_str(); }

void count_launch(Function *function) {
    std::lock_guard<std::mutex> guard(lock);
    function->launches++;
    time_now += duration(function->name);
}

void count_allocation(std::size_t bytes_now) {
    std::lock_guard<std::mutex> guard(lock);
    allocations++;
    peak_bytes = std::max(peak_bytes, bytes_now);
}

double fake_time() {
    std::lock_guard<std::mutex> guard(lock);
    return time_now;
}

// Launches of the kernels whose name contains `name`; all of them where it is empty.
DRIVER unsigned long fake_launches(const char *name) {
    std::lock_guard<std::mutex> guard(lock);
    unsigned long launches = 0;
    for (auto &entry : functions)
        if (entry.first.find(name) != std::string::npos) launches += entry.second.launches;
    return launches;
}

DRIVER unsigned long fake_allocations() {
    std::lock_guard<std::mutex> guard(lock);
    return allocations;
}

DRIVER unsigned long fake_bytes() { return device_bytes(); }

DRIVER unsigned long fake_peak_bytes() {
    std::lock_guard<std::mutex> guard(lock);
    return peak_bytes;
}

// Counts start at zero again, and the peak at what is allocated now.
DRIVER void fake_reset() {
    std::size_t bytes_now = device_bytes();
    std::lock_guard<std::mutex> guard(lock);
    for (auto &entry : functions) entry.second.launches = 0;
    allocations = 0;
    peak_bytes = bytes_now;
}
