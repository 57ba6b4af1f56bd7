#!/usr/bin/env bash
# The numerical tests, again with the kernels that torch, oneDNN and numba take on other processors, on one thread and on
# two. `make test` runs them with this machine's own kernels. Each setting ends with pytest's line: how many passed.
#
# usage: test_portable.sh [PYTEST]
set -uo pipefail
cd "$(dirname "$0")/.."
pytest=${1:-pytest}
failed=()

diffusion=tests/renderers/diffusion
torch_tests=(
    $diffusion/test_parity.py $diffusion/network $diffusion/run/test_compose.py
    $diffusion/checkpoints/test_checkpoint.py::test_save_and_load_give_the_same
    $diffusion/checkpoints/test_checkpoint.py::test_conversion_drops_only_what_is_unused
    $diffusion/checkpoints/test_checkpoint.py::test_start_from_the_base_equals_the_base
    tests/training/test_losses.py tests/training/test_float64.py tests/training/test_weight_average.py
    tests/training/test_networks.py
)
numba_tests=(
    tests/optics tests/video/test_yuv.py tests/renderers/layered/test_cpu.py tests/renderers/layered/test_layers.py
    tests/synthesis/test_ray_trace.py tests/disparity/test_upsampling.py tests/disparity/test_refine.py
)

# usage: under "VARIABLE=VALUE ..." TEST...
under() {
    local setting=$1
    shift
    echo "test-portable: $setting"
    # shellcheck disable=SC2086  # several settings in one word
    env $setting "$pytest" "$@" || failed+=("$setting")
}

# One thread a process lets two processes share two cores.
one_thread="OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1"
two_threads="OMP_NUM_THREADS=2 MKL_NUM_THREADS=2 NUMBA_NUM_THREADS=2"
under "ATEN_CPU_CAPABILITY=default $one_thread" -n 2 "${torch_tests[@]}"
under "ATEN_CPU_CAPABILITY=avx2 $two_threads" "${torch_tests[@]}"
under "ONEDNN_MAX_CPU_ISA=AVX2 $one_thread" -n 2 "${torch_tests[@]}"
# Of the oldest processor of the architecture, in a cache of their own.
under "NUMBA_CPU_NAME=generic NUMBA_CACHE_DIR=build/test-portable/generic $one_thread" -n 2 "${numba_tests[@]}"

if ((${#failed[@]})); then
    printf 'test-portable: failed under %s\n' "${failed[@]}" >&2
    exit 1
fi
