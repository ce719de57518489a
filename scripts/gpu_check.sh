#!/usr/bin/env bash
# Measures on a machine with an NVIDIA GPU, most decisive first: each operation against the CPU, training steps of five networks
# in bf16 beside PyTorch's on the same weights, prediction, the quickstart, and whether two runs leave the same bytes. About
# five minutes; each part has its own limit, and what fails is named and does not stop the others.
#
#     cargo build --release --features cuda
#     cargo test --release -p roentgen-kernels --features cuda --lib --no-run     # prints the path of the tests
#     scripts/gpu_check.sh target/release/roentgen target/release/deps/roentgen_kernels-... OUT
#
# Nothing is built here, so that both programs may come from another machine. Needs python3 with torch, torchvision and
# safetensors; cuDNN and NVRTC are those of PyTorch's wheels. OUT gets operations.log, ours.jsonl, theirs.jsonl, quickstart.log.
set -uo pipefail
[ $# = 3 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2; }
roentgen=$(realpath "$1") tests=$(realpath "$2")
mkdir -p "$3"
out=$(realpath "$3")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
networks="mobilenet mobilenet-v2 resnet50 densenet121 vgg19"

site=$(python3 -c 'import nvidia; print(list(nvidia.__path__)[0])')
export LD_LIBRARY_PATH="$site/cu13/lib:$site/cudnn/lib" PYTHONUNBUFFERED=1
[ -e /usr/local/cuda/include/crt/mma.h ] || export CUDA_PATH="$site/cu13"
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader
"$roentgen" doctor

echo "## each operation against the CPU"
timeout 90 "$tests" cuda:: --test-threads=1 >"$out/operations.log" 2>&1
tail -n 3 "$out/operations.log"

ours() { # train|predict NETWORK STEPS
    nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -lms 100 >"$work/memory" &
    local watch=$!
    timeout 60 "$roentgen" bench "$1" --architecture "$2" --like "$work/shared/$2.safetensors" --device cuda \
        --precision bf16 --steps "$3" --json >"$work/bench.json" 2>"$work/error"
    local status=$?
    kill $watch
    if [ $status = 0 ]; then
        python3 - "$work/bench.json" "$(sort -n "$work/memory" | tail -n 1)" <<'PY' | tee -a "$out/ours.jsonl"
import json, sys
print(json.dumps({**json.load(open(sys.argv[1])), "gpu_mib": int(sys.argv[2])}))
PY
    else
        echo "failed with $status: $1 $2"
        head -c 1000 "$work/error"
    fi
}
theirs() { # WHAT DTYPES
    (cd benches/peers && timeout 150 python3 torch_gpu.py "$work/shared" --networks "${networks// /,}" --what "$1" --dtypes "$2") |
        tee -a "$out/theirs.jsonl"
}

echo "## steps, ours and PyTorch's in turn"
(cd benches/peers && python3 -c "
import sys, torch_networks
from pathlib import Path
Path(sys.argv[1]).mkdir()
for name in sys.argv[2:]:
    torch_networks.write_shared(name, 64, 224, f'{sys.argv[1]}/{name}.safetensors')
" "$work/shared" $networks)
for network in $networks; do ours train "$network" 30; done
theirs train bf16
for network in $networks; do ours train "$network" 30; done
ours predict mobilenet-v2 50

echo "## the quickstart, and two runs of two epochs"
timeout 90 "$roentgen" quickstart --out "$work/quickstart" --device cuda >"$out/quickstart.log" 2>&1
grep "mean of 14" "$out/quickstart.log"
for run in one two; do
    timeout 60 "$roentgen" train experiments/quickstart.toml --set "data.prepared=$work/quickstart/prepared" --device cuda \
        --set train.precision=bf16 --set train.epochs=2 --out "$work/$run" >"$work/$run.log" 2>&1
done
cmp "$work/one/model.bpk" "$work/two/model.bpk" && echo "the same bytes of weights"
theirs train f16
