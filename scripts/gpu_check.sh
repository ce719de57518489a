#!/usr/bin/env bash
# Measures on a machine with an NVIDIA GPU, most decisive first: each operation against the CPU; training steps of six networks
# in bf16 beside PyTorch's on the same weights, and prediction; epochs of 20,000 drawn films; the quickstart, and whether two
# runs, one of them stopped and resumed, leave the same bytes; the quickstart's training in f32, bf16 and f16; steps in f16;
# larger batches and films. Each part has its own limit, and what
# fails is named and does not stop the others.
#
#     cargo build --release --features cuda
#     cargo test --release -p roentgen-kernels --features cuda --lib --no-run     # prints the path of the tests
#     scripts/gpu_check.sh target/release/roentgen target/release/deps/roentgen_kernels-... OUT
#
# Nothing is built here, so that both programs may come from another machine. Needs python3 with torch, torchvision and
# safetensors; cuDNN and NVRTC are those of PyTorch's wheels. OUT gets operations.log, ours.jsonl, theirs.jsonl, epochs.csv,
# quickstart.log.
set -uo pipefail
[ $# = 3 ] || { sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 2; }
roentgen=$(realpath "$1") tests=$(realpath "$2")
mkdir -p "$3"
out=$(realpath "$3")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
networks="mobilenet mobilenet-v2 resnet50 densenet121 vgg19 convnext-tiny"

site=$(python3 -c 'import nvidia; print(list(nvidia.__path__)[0])')
export LD_LIBRARY_PATH="$site/cu13/lib:$site/cudnn/lib" PYTHONUNBUFFERED=1
[ -e /usr/local/cuda/include/crt/mma.h ] || export CUDA_PATH="$site/cu13"
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader
"$roentgen" doctor

echo "## each operation against the CPU"
timeout 150 "$tests" cuda:: --include-ignored --test-threads=1 >"$out/operations.log" 2>&1
tail -n 3 "$out/operations.log"

# Weights, films and targets of each network, which both sides read.
share() { # BATCH SIZE NETWORK...
    mkdir -p "$work/$1x$2"
    (cd benches/peers && python3 -c "
import sys, torch_networks
folder, batch, size, *names = sys.argv[1:]
for name in names: torch_networks.write_shared(name, int(batch), int(size), f'{folder}/{name}.safetensors')
" "$work/$1x$2" "$@") 2>&1
}
ours() { # train|predict NETWORK STEPS BATCH SIZE
    nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -lms 100 >"$work/memory" &
    local watch=$!
    timeout 60 "$roentgen" bench "$1" --architecture "$2" --like "$work/$4x$5/$2.safetensors" --device cuda \
        --precision "${precision:-bf16}" --steps "$3" --json >"$work/bench.json" 2>"$work/error"
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
theirs() { # train|predict DTYPE BATCH SIZE NETWORKS [--compile]
    (cd benches/peers && timeout 150 python3 torch_gpu.py "$work/$3x$4" --what "$1" --dtypes "$2" --batch "$3" --size "$4" \
        --networks "${5// /,}" "${@:6}") | tee -a "$out/theirs.jsonl"
}

echo "## steps, ours and PyTorch's in turn"
share 64 224 $networks
for network in $networks; do ours train "$network" 30 64 224; done
theirs train bf16 64 224 "$networks"
for network in $networks; do ours train "$network" 30 64 224; done
ours predict mobilenet-v2 50 64 224
theirs predict bf16,f16 64 224 mobilenet-v2

echo "## epochs of 20,000 films"
"$roentgen" phantom --films 20000 --size 224 --out "$work/films" --no-progress >"$work/films.log" 2>&1
"$roentgen" prepare "$work/films" --size 224 --out "$work/prepared" --no-progress >"$work/prepare.log" 2>&1
timeout 90 "$roentgen" train experiments/quickstart.toml --set "data.prepared=$work/prepared" --device cuda --out "$work/epochs" \
    --set model.architecture=mobilenet-v2 --set model.width=1.0 --set model.pool=average --set train.precision=bf16 \
    --set train.batch_size=64 --set train.epochs=3 >"$work/epochs.log" 2>&1 || tail -n 3 "$work/epochs.log"
cp "$work/epochs/epochs.csv" "$out/"
cat "$out/epochs.csv"

echo "## the quickstart, and runs of two epochs"
timeout 90 "$roentgen" quickstart --out "$work/quickstart" --device cuda >"$out/quickstart.log" 2>&1
grep "mean of 14" "$out/quickstart.log"
short() { # RUN [--resume]
    timeout 60 "$roentgen" train experiments/quickstart.toml --set "data.prepared=$work/quickstart/prepared" --device cuda \
        --set train.precision=bf16 --set train.epochs=2 --out "$work/$1" "${@:2}" >"$work/$1.log" 2>&1
}
short one
short two
cmp "$work/one/model.bpk" "$work/two/model.bpk" && echo "two runs leave the same bytes of weights"
short stopped &
until [ -s "$work/stopped/epochs.csv" ] || ! kill -0 $! 2>/dev/null; do sleep 0.05; done
pkill -INT -f "out $work/stopped"
wait
wc -l <"$work/stopped/epochs.csv"
short stopped --resume
cmp "$work/one/model.bpk" "$work/stopped/model.bpk" && echo "a run that was stopped and resumed leaves them too"

echo "## the quickstart's training in each type of activations"
for type in f32 bf16 f16; do
    timeout 60 "$roentgen" train experiments/quickstart.toml --set "data.prepared=$work/quickstart/prepared" --device cuda \
        --set train.precision=$type --out "$work/$type" >"$work/$type.log" 2>&1
    [ $type = f32 ] && [ -s "$work/f32/epochs.csv" ] && head -n 1 "$work/f32/epochs.csv"
    echo "$type: $(tail -n 1 "$work/$type/epochs.csv")"
done

echo "## f16, larger films and batches, and torch.compile"
for network in $networks; do precision=f16 ours train "$network" 30 64 224; done
theirs train f16 64 224 "$networks"
some="mobilenet-v2 resnet50 densenet121"
for shape in "32 512" "256 224"; do
    share $shape $some
    for network in $some; do ours train "$network" 20 $shape; done
    theirs train bf16 $shape "$some"
done
theirs train bf16 64 224 "mobilenet-v2 resnet50" --compile
