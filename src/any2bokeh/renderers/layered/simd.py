"""Vector instructions that numba's optimiser does not find by itself."""

from typing import TYPE_CHECKING

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 8
"""Floats that ``add_run`` adds at once."""


def _add_two_pixels(typing_context, array, index, red, green, blue, weight, first, second):
    """Add ``(red, green, blue, weight) * first`` at ``array[index:index + 4]`` and ``* second`` at the four after it.

    ``array`` is a contiguous float32 vector, ``index`` an integer within it (unchecked), the rest float32.
    """
    if not (isinstance(array, types.Array) and array.dtype == types.float32 and array.ndim == 1):
        return None
    signature = types.void(array, types.int64, *[types.float32] * 6)

    def generate(context, builder, signature, arguments):
        array_value, index_value, *color, first_value, second_value = arguments
        data = context.make_array(signature.args[0])(context, builder, array_value).data
        place = builder.gep(data, [index_value])
        # Two halves: neighbouring samples overlap by one pixel, and a load that straddles two earlier stores stalls.
        four = ir.VectorType(ir.FloatType(), 4)
        colors = _vector(builder, four, color)
        for pixel, share in enumerate((first_value, second_value)):
            part = builder.bitcast(builder.gep(place, [ir.Constant(ir.IntType(64), 4 * pixel)]), four.as_pointer())
            scaled = builder.fmul(colors, _vector(builder, four, [share] * 4))
            builder.store(builder.fadd(builder.load(part, align=4), scaled), part, align=4)
        return context.get_dummy_value()

    return signature, generate


def _add_two_pairs(typing_context, array, index, value, weight, first, second):
    """Add ``(value, weight) * first`` at ``array[index:index + 2]`` and ``* second`` at the two after it; as above."""
    if not (isinstance(array, types.Array) and array.dtype == types.float32 and array.ndim == 1):
        return None
    signature = types.void(array, types.int64, *[types.float32] * 4)

    def generate(context, builder, signature, arguments):
        array_value, index_value, value, weight, first_value, second_value = arguments
        data = context.make_array(signature.args[0])(context, builder, array_value).data
        two = ir.VectorType(ir.FloatType(), 2)
        colors = _vector(builder, two, [value, weight])
        place = builder.gep(data, [index_value])
        for pixel, share in enumerate((first_value, second_value)):
            part = builder.bitcast(builder.gep(place, [ir.Constant(ir.IntType(64), 2 * pixel)]), two.as_pointer())
            scaled = builder.fmul(colors, _vector(builder, two, [share] * 2))
            builder.store(builder.fadd(builder.load(part, align=4), scaled), part, align=4)
        return context.get_dummy_value()

    return signature, generate


def _add_run(typing_context, array, index, run, begin, lag, steps, first, second):
    """Add ``run[begin + lag:] * first + run[begin:] * second``, ``LANES * steps`` floats of it, at ``array[index:]``.

    Where ``run`` holds the colours of neighbouring pixels after one of zeros, and ``lag`` is the size of a pixel, that
    is all of them at once, the first share in a pixel's own place and the second one in the next. ``array`` and ``run``
    are contiguous float32 vectors, and what is read and written lies within them (unchecked).
    """
    if not all(isinstance(a, types.Array) and a.dtype == types.float32 and a.ndim == 1 for a in (array, run)):
        return None
    signature = types.void(array, types.int64, run, *[types.int64] * 3, types.float32, types.float32)

    def generate(context, builder, signature, arguments):
        array_value, index_value, run_value, begin_value, lag_value, steps_value, first_value, second_value = arguments
        target = builder.gep(context.make_array(signature.args[0])(context, builder, array_value).data, [index_value])
        later = context.make_array(signature.args[2])(context, builder, run_value).data
        later = builder.gep(later, [begin_value])
        own = builder.gep(later, [lag_value])
        vector = ir.VectorType(ir.FloatType(), LANES)
        up, after = (_vector(builder, vector, [share] * LANES) for share in (first_value, second_value))
        with cgutils.for_range(builder, steps_value) as step:
            at = builder.mul(step.index, ir.Constant(step.index.type, LANES))
            sums, now, before = (
                builder.bitcast(builder.gep(data, [at]), vector.as_pointer()) for data in (target, own, later)
            )
            total = builder.fadd(
                builder.load(sums, align=4),
                builder.fmul(builder.load(now, align=4), up, flags=("fast",)),
                flags=("fast",),
            )
            total = builder.fadd(
                total, builder.fmul(builder.load(before, align=4), after, flags=("fast",)), flags=("fast",)
            )
            builder.store(total, sums, align=4)
        return context.get_dummy_value()

    return signature, generate


if TYPE_CHECKING:

    def add_run(array, index, run, begin, lag, steps, first, second) -> None: ...

    def add_two_pixels(array, index, red, green, blue, weight, first, second) -> None: ...

    def add_two_pairs(array, index, value, weight, first, second) -> None: ...

else:
    add_run = intrinsic(_add_run)
    add_two_pixels = intrinsic(_add_two_pixels)
    add_two_pairs = intrinsic(_add_two_pairs)


def _vector(builder: ir.IRBuilder, kind: ir.VectorType, values):
    vector = ir.Constant(kind, ir.Undefined)
    for lane, value in enumerate(values):
        vector = builder.insert_element(vector, value, ir.Constant(ir.IntType(32), lane))
    return vector
