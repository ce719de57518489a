#!/usr/bin/env bash
# Runs the tests of the CUDA operations on a machine without a GPU: builds a replacement for its driver, which runs
# our kernels on the CPU. Needs g++, and NVRTC with CUDA's headers. Without a folder as argument it looks for the Python
# packages, and passes if they are not installed.
#
#     crates/roentgen-kernels/tests/fake_gpu/run.sh [FOLDER_OF_NVRTC_AND_HEADERS]
set -euo pipefail
cd "$(dirname "$0")/../../../.."
cuda=${1:-$(python3 -c 'import nvidia; print(list(nvidia.__path__)[0] + "/cu13")' 2>/dev/null || true)}
if [ -z "$cuda" ] || ! ls "$cuda"/lib/libnvrtc.so.* >/dev/null 2>&1; then
    echo "no NVRTC${1:+ in $1}; pip install nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cuda-crt"
    [ $# = 0 ]
    exit
fi
# Tests run in the folder of their crate.
cuda=$(realpath "$cuda")
crates/roentgen-kernels/tests/fake_gpu/build.sh target/fake_gpu
# Only the tests see these: set while building, they would build Burn again. All of the workspace, as in
# `cargo test --workspace`, for the same reason.
runner="[\"env\", \"LD_LIBRARY_PATH=$PWD/target/fake_gpu:$cuda/lib\", \"CUDA_PATH=$cuda\"]"
cargo test --config "target.'cfg(all())'.runner = $runner" --workspace --lib cuda:: -- --include-ignored
