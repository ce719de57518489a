#!/bin/bash
# Builds the fake driver: build.sh OUTPUT_DIR [KERNEL_SOURCE_DIR] leaves libcuda.so.1 and libcuda.so in OUTPUT_DIR.
#
# Nothing is done where the library is newer than all sources.
set -euo pipefail

if [ $# -lt 1 ]; then
    echo "usage: build.sh OUTPUT_DIR [KERNEL_SOURCE_DIR]" >&2
    exit 2
fi
compiler=${CXX:-g++}
if ! command -v "$compiler" >/dev/null; then
    echo "build.sh: the fake driver needs $compiler, which is not installed (on Debian: apt-get install g++)" >&2
    exit 1
fi

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
output=$(cd "$1" && pwd)
kernels=$(cd "${2:-$here/../../src/cuda/kernels}" && pwd)

# Of several builds at a time one builds, and the others wait for it.
exec 9>"$output/build.lock"
flock 9

library=$output/libcuda.so.1
# The list of sources has the time at which the build began, and shows files that are no longer there.
sources=$output/sources.txt
list() { echo "$compiler"; find "$here" "$kernels" -type f | sort; }
if [ -e "$library" ] && [ -e "$sources" ] && [ "$(list)" = "$(cat "$sources")" ] &&
    [ -z "$(find "$here" "$kernels" -type f -newer "$sources")" ]; then
    exit 0
fi
rm -f "$sources"
list >"$sources.new"

common="-std=c++17 -O2 -fPIC -fvisibility=hidden -Wall"
# Sources of kernels have pragmas for nvcc and compare threadIdx.x with an int. Sums are not fused, and casts between
# pointers mean what they mean to nvcc.
emulated="$common -Wno-unknown-pragmas -Wno-sign-compare -Wno-maybe-uninitialized -fno-strict-aliasing -ffp-contract=off"
# Without them fmaf is a call.
if grep -qw fma /proc/cpuinfo 2>/dev/null && grep -qw avx2 /proc/cpuinfo; then
    emulated="$emulated -mavx2 -mfma"
fi

jobs=""
for element in 32 16 5; do
    parts=$output/element_$element
    mkdir -p "$parts"
    # Names are taken from the preprocessed source, as macros may write kernels too.
    "$compiler" -E -P -x c++ -DEMULATE=1 -DELEMENT=$element "$kernels/kernels.cu" | tr '\n' ' ' |
        sed -E 's/__launch_bounds__ *\([^)]*\)//g' |
        grep -oE '__global__ +void +[A-Za-z0-9_]+ *\(' |
        sed -E 's/.*void +([A-Za-z0-9_]+) *\(/RUNS(\1)/' >"$parts/registered.inc"
    jobs+="$emulated -DELEMENT=$element -I'$parts' -I'$here' -I'$kernels' -c '$here/kernels.cpp' -o '$parts/kernels.o'"$'\n'
done
for part in fibers driver memory copies streams modules counts absent; do
    jobs+="$common -c '$here/$part.cpp' -o '$output/$part.o'"$'\n'
done
# Each line is a job; two run at a time.
printf '%s' "$jobs" | tr '\n' '\0' | COMPILER=$compiler xargs -0 -P 2 -I{} bash -c '"$COMPILER" {}'

"$compiler" -shared -Wl,-soname,libcuda.so.1 -o "$library.new" "$output"/element_{32,16,5}/kernels.o \
    "$output"/{fibers,driver,memory,copies,streams,modules,counts,absent}.o
mv "$library.new" "$library"
ln -sf libcuda.so.1 "$output/libcuda.so"
mv "$sources.new" "$sources"
