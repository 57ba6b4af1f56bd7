"""Vector instructions that numba's optimiser does not find by itself."""

from typing import TYPE_CHECKING

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


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


if TYPE_CHECKING:

    def add_two_pixels(array, index, red, green, blue, weight, first, second) -> None: ...

    def add_two_pairs(array, index, value, weight, first, second) -> None: ...

else:
    add_two_pixels = intrinsic(_add_two_pixels)
    add_two_pairs = intrinsic(_add_two_pairs)


def _vector(builder: ir.IRBuilder, kind: ir.VectorType, values):
    vector = ir.Constant(kind, ir.Undefined)
    for lane, value in enumerate(values):
        vector = builder.insert_element(vector, value, ir.Constant(ir.IntType(32), lane))
    return vector
