#!/bin/sh
# Train the network of --edges learned for some minutes on one GPU of a machine that has PyTorch, numba, OpenCV,
# safetensors, typer and rich, but need not have PyAV, OpenImageIO, torchvision or diffusers.
#
# usage: scripts/train_edges_gpu.sh NEXT [MINUTES] [LAST]
#   NEXT     folder that gets state, weights and log every 90 s
#   MINUTES  of the whole run; the learning rate falls to 0 over them (default: 5.5)
#   LAST     folder that an earlier run left, to go on from
set -eu
next=$1 minutes=${2:-5.5} last=${3:-}
cd "$(dirname "$0")/.."
workers=$(($(nproc) - 1)) # asked before OMP_NUM_THREADS is set, which it heeds
export PYTHONPATH=src PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
[ "$workers" -ge 1 ] || workers=1
if [ -n "$last" ]; then set -- --start-from "$last"; else set --; fi
exec python3 -m any2bokeh train edges --device "${DEVICE:-cuda}" --workers "$workers" --minutes "$minutes" --anneal \
    --out "${OUT_FOLDER:-build/train-edges-$$}" --handoff "$next" "$@"
