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


_MOST_HELD = 4  # vectors of a run that ``add_rows`` keeps in registers


def _add_rows(typing_context, array, index, stride, run, lag, steps, cells, shares, first_row, rows):
    """``add_run`` at both ends of each row of a plain shape: its rows from ``first_row`` on, as many as ``rows``.

    A row of the shape has two ``cells`` and four ``shares``, see ``rows.py``, here as vectors; ``index`` is where cell
    0 of the first row lies in ``array``, ``stride`` what lies between rows. Short runs stay in registers.
    """
    vectors = ((array, types.float32), (run, types.float32), (cells, types.int32), (shares, types.float32))
    if not all(isinstance(a, types.Array) and a.dtype == kind and a.ndim == 1 for a, kind in vectors):
        return None
    signature = types.void(array, types.int64, types.int64, run, *[types.int64] * 2, cells, shares, *[types.int64] * 2)

    def generate(context, builder, signature, arguments):
        def data(at):
            return context.make_array(signature.args[at])(context, builder, arguments[at]).data

        _, index_value, stride_value, _, lag_value, steps_value, _, _, row_value, rows_value = arguments
        sums, before = data(0), data(3)
        now = builder.gep(before, [lag_value])
        of_cells, of_shares = data(6), data(7)
        vector = ir.VectorType(ir.FloatType(), LANES)

        def number(value):
            return ir.Constant(ir.IntType(64), value)

        def load(place, step):
            place = builder.bitcast(builder.gep(place, [step]), vector.as_pointer())
            return builder.load(place, align=4)

        def add(place, step, own, earlier, up, after):
            total = builder.fadd(load(place, step), builder.fmul(own, up, flags=("fast",)), flags=("fast",))
            total = builder.fadd(total, builder.fmul(earlier, after, flags=("fast",)), flags=("fast",))
            builder.store(total, builder.bitcast(builder.gep(place, [step]), vector.as_pointer()), align=4)

        def add_all(held):
            with cgutils.for_range(builder, rows_value) as row:
                line = builder.add(index_value, builder.mul(row.index, stride_value))
                of_row = builder.add(row_value, row.index)
                for side in range(2):
                    cell = builder.gep(of_cells, [builder.add(builder.shl(of_row, number(1)), number(side))])
                    cell = builder.sext(builder.load(cell), ir.IntType(64))
                    place = builder.gep(sums, [builder.add(line, builder.mul(cell, lag_value))])
                    four = builder.add(builder.shl(of_row, number(2)), number(2 * side))
                    up, after = (
                        _vector(
                            builder,
                            vector,
                            [builder.load(builder.gep(of_shares, [builder.add(four, number(n))]))] * LANES,
                        )
                        for n in range(2)
                    )
                    for step, (own, earlier) in enumerate(held):
                        add(place, number(step * LANES), own, earlier, up, after)
                    if not held:
                        with cgutils.for_range(builder, steps_value) as step:
                            at = builder.mul(step.index, number(LANES))
                            add(place, at, load(now, at), load(before, at), up, after)

        done = builder.append_basic_block("rows.done")
        longer = builder.append_basic_block("rows.longer")
        choice = builder.switch(steps_value, longer)
        for steps_held in range(1, _MOST_HELD + 1):
            held_block = builder.append_basic_block(f"rows.{steps_held}")
            choice.add_case(number(steps_held), held_block)
            builder.position_at_end(held_block)
            add_all([(load(now, number(n * LANES)), load(before, number(n * LANES))) for n in range(steps_held)])
            builder.branch(done)
        builder.position_at_end(longer)
        add_all([])
        builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return signature, generate


def _scale_pixels(typing_context, target, at, source, begin, pixels, factor):
    """Write ``pixels`` times four floats of ``source`` from ``begin`` on, times ``factor``, to ``target`` at ``at``,
    and zeros for ``LANES + 4`` floats after them. Both are contiguous float32 vectors; unchecked.
    """
    if not all(isinstance(a, types.Array) and a.dtype == types.float32 and a.ndim == 1 for a in (target, source)):
        return None
    signature = types.void(target, types.int64, source, *[types.int64] * 2, types.float32)

    def generate(context, builder, signature, arguments):
        target_value, at_value, source_value, begin_value, pixels_value, factor_value = arguments
        to = builder.gep(context.make_array(signature.args[0])(context, builder, target_value).data, [at_value])
        of = builder.gep(context.make_array(signature.args[2])(context, builder, source_value).data, [begin_value])
        four = ir.VectorType(ir.FloatType(), 4)
        factors = _vector(builder, four, [factor_value] * 4)
        with cgutils.for_range(builder, pixels_value) as pixel:
            place = builder.shl(pixel.index, ir.Constant(ir.IntType(64), 2))
            colour = builder.load(builder.bitcast(builder.gep(of, [place]), four.as_pointer()), align=4)
            builder.store(
                builder.fmul(colour, factors), builder.bitcast(builder.gep(to, [place]), four.as_pointer()), align=4
            )
        rest = builder.gep(to, [builder.shl(pixels_value, ir.Constant(ir.IntType(64), 2))])
        for part in range(0, LANES + 4, 4):
            place = builder.bitcast(builder.gep(rest, [ir.Constant(ir.IntType(64), part)]), four.as_pointer())
            builder.store(ir.Constant(four, [0.0] * 4), place, align=4)
        return context.get_dummy_value()

    return signature, generate


def _take_bin(typing_context, sums, at, pixels, picture, backstop, first, bin_, least_coverage, least_to_fill):
    """Sum up a row of differences and add of each pixel what ``cpu.share_taken`` says to the picture; zero the row.

    ``sums`` and ``picture`` hold four floats a pixel, from ``at`` on and from ``first`` on, ``backstop`` one byte; all
    are contiguous vectors, and what is read and written lies within them (unchecked).
    """
    kinds = ((sums, types.float32), (picture, types.float32), (backstop, types.uint8))
    if not all(isinstance(a, types.Array) and a.dtype == kind and a.ndim == 1 for a, kind in kinds):
        return None
    signature = types.void(
        sums, types.int64, types.int64, picture, backstop, types.int64, types.int64, types.float32, types.float32
    )

    def generate(context, builder, signature, arguments):
        def data(at):
            return context.make_array(signature.args[at])(context, builder, arguments[at]).data

        _, at_value, pixels_value, _, _, first_value, bin_value, least_value, fill_value = arguments
        four, float_ = ir.VectorType(ir.FloatType(), 4), ir.FloatType()
        row, picture_row = builder.gep(data(0), [at_value]), data(3)
        stops = data(4)
        none, whole = ir.Constant(float_, 0.0), ir.Constant(float_, 1.0)
        weight = ir.Constant(ir.IntType(32), 3)
        total = cgutils.alloca_once_value(builder, ir.Constant(four, [0.0] * 4))
        with cgutils.for_range(builder, pixels_value) as pixel:
            x = builder.add(pixel.index, first_value)
            here, there = (
                builder.bitcast(builder.gep(begin, [builder.shl(n, ir.Constant(n.type, 2))]), four.as_pointer())
                for begin, n in ((row, pixel.index), (picture_row, x))
            )
            now = builder.fadd(builder.load(total), builder.load(here, align=4))
            builder.store(now, total)
            builder.store(ir.Constant(four, [0.0] * 4), here, align=4)
            seen = builder.load(there, align=4)
            coverage, full = builder.extract_element(now, weight), builder.extract_element(seen, weight)
            room = builder.fsub(whole, full)
            stop = builder.zext(builder.load(builder.gep(stops, [x])), bin_value.type)
            is_behind = builder.and_(
                builder.icmp_signed("<", bin_value, stop), builder.fcmp_ordered(">", full, fill_value)
            )
            is_none = builder.or_(
                builder.fcmp_ordered("<=", coverage, least_value), builder.fcmp_ordered("<=", room, none)
            )
            part = builder.select(builder.fcmp_ordered("<=", coverage, room), whole, builder.fdiv(room, coverage))
            part = builder.select(builder.or_(is_none, is_behind), none, part)
            share = builder.fmul(now, _vector(builder, four, [part] * 4), flags=("contract",))
            builder.store(builder.fadd(seen, share, flags=("contract",)), there, align=4)
        return context.get_dummy_value()

    return signature, generate


def _prefetch(typing_context, array, index):
    """Ask for the cache line of ``array`` at ``index``, counted from its first element, which need not lie within."""
    if not isinstance(array, types.Array):
        return None
    signature = types.void(array, types.int64)

    def generate(context, builder, signature, arguments):
        place = builder.gep(context.make_array(signature.args[0])(context, builder, arguments[0]).data, [arguments[1]])
        byte = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        wanted = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [byte, number, number, number]), "llvm.prefetch.p0i8"
        )
        # To read; to be kept in all caches; of data.
        builder.call(wanted, [builder.bitcast(place, byte), *(ir.Constant(number, value) for value in (0, 3, 1))])
        return context.get_dummy_value()

    return signature, generate


if TYPE_CHECKING:

    def add_run(array, index, run, begin, lag, steps, first, second) -> None: ...

    def add_rows(array, index, stride, run, lag, steps, cells, shares, first_row, rows) -> None: ...

    def prefetch(array, index) -> None: ...

    def scale_pixels(target, at, source, begin, pixels, factor) -> None: ...

    def take_bin(sums, at, pixels, picture, backstop, first, bin_, least_coverage, least_to_fill) -> None: ...

    def add_two_pixels(array, index, red, green, blue, weight, first, second) -> None: ...

    def add_two_pairs(array, index, value, weight, first, second) -> None: ...

else:
    add_run = intrinsic(_add_run)
    add_rows = intrinsic(_add_rows)
    take_bin = intrinsic(_take_bin)
    prefetch = intrinsic(_prefetch)
    scale_pixels = intrinsic(_scale_pixels)
    add_two_pixels = intrinsic(_add_two_pixels)
    add_two_pairs = intrinsic(_add_two_pairs)


def _vector(builder: ir.IRBuilder, kind: ir.VectorType, values):
    vector = ir.Constant(kind, ir.Undefined)
    for lane, value in enumerate(values):
        vector = builder.insert_element(vector, value, ir.Constant(ir.IntType(32), lane))
    return vector
