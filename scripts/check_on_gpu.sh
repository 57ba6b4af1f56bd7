#!/bin/bash
# Tests and figures of the diffusion engine on a machine with a CUDA device; see docs/gpu.md.
# scripts/check_on_gpu.sh OUT [SECONDS]: no measurement is begun after so many seconds (110 by default). Run it in the root
# of the repository. It needs PyTorch, diffusers and pytest, but not PyAV, OpenImageIO or torchvision.
set -u -o pipefail
out=$1 budget_s=${2:-110}
export PYTHONPATH=src${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1
mkdir -p "$out"
python3 -m benchmarks.diffusion_gpu --out "$out" --budget-s "$budget_s" 2>&1 | tee "$out/benchmark.log"
measured=$?
python3 -m pytest -m gpu -p no:cacheprovider tests/renderers/diffusion/test_gpu.py tests/training/test_gpu.py 2>&1 | tee "$out/tests.log"
tested=$?
rm -f "$out"/*.npy
exit $((measured || tested))
