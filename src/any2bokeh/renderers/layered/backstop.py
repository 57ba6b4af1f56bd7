"""Backstops: how far back one can look at each pixel.

The discs of one continuous surface add up to full coverage only where their radii are alike: on a ramp, and with noisy
disparity, they leave gaps, through which whatever lies behind would shine. But past a surface one sees only through the
part of the aperture that reaches over its edge: nothing shows at a pixel that is farther than everything in the picture
within the pixel's own circle of confusion. That farthest defocus, less some slack for slopes that go on, is its
backstop; bins behind it are left out, and what is in front of it is brought to full coverage.

Among hair that the map has whole, a mixed pixel may show a background that no pixel around it has. There its own
background is its backstop.
"""

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.optics.radii import radius_index
from any2bokeh.renderers.layered.bins import FOCUS_BIN, bins_away
from any2bokeh.renderers.layered.layers import BEHIND, BLOCK, FRONT, SPLIT, STEP_PX

CELL = 4
"""Side of the square cells of pixels for which the least defocus is kept; divides ``BLOCK``."""

MARGIN_PX = 2.0
"""Added to the radius within which a pixel looks for what may show: edges of disparity are a pixel or two off."""

_LEAST_SLACK_PX = 1.0
_SLACK = 0.5  # of the range within the circle of confusion: background may go on as it goes there
_ALIKE_PX = 1.0  # ends of one search that need no closer look
_CELLS = BLOCK // CELL


def levels_of(across: int) -> int:
    """How many levels of least defocus ``across`` cells side by side have; see ``find_cell_lows``."""
    return max(across, 1).bit_length()


@compiled(nogil=True)
def find_cell_lows(rows, defocus, levels, cell_low):
    """Least defocus of the cells of one row of blocks, and of 2, 4, 8... of them side by side.

    Args:
        rows: index of the row of blocks.
        defocus: ``(3, H, W)`` signed pixels; that of ``FRONT`` is read.
        levels: how many are wanted.
        cell_low: ``(levels or more, rows, columns)`` of cells: in level l of a cell and the ``2 ** l - 1`` right of it,
            as far as the frame goes; written.
    """
    height, width = defocus.shape[1:]
    top, bottom = rows * BLOCK, min((rows + 1) * BLOCK, height)
    for y in range(top, bottom):
        line = y // CELL
        for x in range(width):
            here = defocus[FRONT, y, x]
            if (y % CELL == 0 and x % CELL == 0) or here < cell_low[0, line, x // CELL]:
                cell_low[0, line, x // CELL] = here
    columns = cell_low.shape[2]
    for level in range(1, levels):
        half = 1 << (level - 1)
        for line in range(top // CELL, (bottom + CELL - 1) // CELL):
            below, above = cell_low[level - 1, line], cell_low[level, line]
            for cell in range(columns - half):
                above[cell] = min(below[cell], below[cell + half])
            for cell in range(max(columns - half, 0), columns):
                above[cell] = below[cell]


@compiled(nogil=True)
def find_backstops(rows, defocus, block_low, block_high, cell_low, widest, shift_px, table, backstop):
    """Backstops of one row of blocks.

    Args:
        rows: index of the row of blocks.
        defocus: ``(3, H, W)`` signed pixels; that of ``FRONT`` is read.
        block_low, block_high: ``(rows, columns)`` of blocks; least and largest defocus.
        cell_low: of the whole frame, in ``levels_of`` as many cells as lie in reach; see :func:`find_cell_lows`.
        widest: radius of the widest circle of confusion, of any channel.
        shift_px: by how much a channel may be blurred more.
        table: see ``bins.bin_table``.
        backstop: ``(H, W)`` uint8: the farthest bin that may show; 0 where all may. The row is written.
    """
    height, width = defocus.shape[1:]
    top, bottom = rows * BLOCK, min((rows + 1) * BLOCK, height)
    across = int(widest + MARGIN_PX) // BLOCK + 1
    doubtful = np.empty(((2 * (int(widest + MARGIN_PX) // CELL + 2) + 1) ** 2, 2), np.int32)
    for block in range(block_low.shape[1]):
        left, right = block * BLOCK, min((block + 1) * BLOCK, width)
        backstop[top:bottom, left:right] = 0
        low = block_low[rows, block]
        for j in range(max(rows - across, 0), min(rows + across + 1, block_low.shape[0])):
            for i in range(max(block - across, 0), min(block + across + 1, block_low.shape[1])):
                low = min(low, block_low[j, i])
        if block_high[rows, block] - low <= STEP_PX:
            continue  # nothing that reaches here lies behind what is here
        for cell_y in range(top // CELL, (bottom + CELL - 1) // CELL):
            for cell_x in range(left // CELL, (right + CELL - 1) // CELL):
                _find_in_cell(cell_y, cell_x, defocus, cell_low, shift_px, table, doubtful, backstop)


@compiled(nogil=True)
def _find_in_cell(cell_y, cell_x, defocus, cell_low, shift_px, table, doubtful, backstop):
    """Backstops of one cell: by whole cells where the answer is clear, by pixels where an edge passes."""
    height, width = defocus.shape[1:]
    first_y, last_y = cell_y * CELL, min(cell_y * CELL + CELL, height)
    first_x, last_x = cell_x * CELL, min(cell_x * CELL + CELL, width)
    least, most = np.float32(np.inf), np.float32(0)
    for y in range(first_y, last_y):
        for x in range(first_x, last_x):
            radius = abs(defocus[FRONT, y, x])
            least, most = min(least, radius), max(most, radius)
    # Everything within the inner radius is in reach of all pixels of the cell, nothing beyond the outer of any.
    inner, outer = least + abs(shift_px) + np.float32(MARGIN_PX), most + abs(shift_px) + np.float32(MARGIN_PX)
    inner_px2, outer_px2 = int(inner * inner), int(outer * outer)
    rows, columns = cell_low.shape[1:]
    away = int(outer) // CELL + 1
    top, bottom = max(cell_y - away, 0), min(cell_y + away + 1, rows)
    left, right = max(cell_x - away, 0), min(cell_x + away + 1, columns)
    surely, perhaps = np.float32(np.inf), np.float32(np.inf)
    for j in range(top, bottom):
        apart = CELL * abs(j - cell_y)
        left_over = outer_px2 - max(apart - CELL + 1, 0) ** 2
        if left_over >= 0:
            reach = (int(np.sqrt(left_over)) + CELL - 1) // CELL
            perhaps = min(perhaps, _least_in_row(cell_low, j, cell_x, reach))
        left_over = inner_px2 - (apart + CELL - 1) ** 2
        reach = int(np.sqrt(max(left_over, 0))) - CELL + 1
        if reach >= 0:
            surely = min(surely, _least_in_row(cell_low, j, cell_x, reach // CELL))
    count = 0
    if surely - perhaps > _ALIKE_PX:
        for j in range(top, bottom):
            for i in range(left, right):
                if cell_low[0, j, i] < surely - np.float32(_ALIKE_PX):
                    doubtful[count, 0], doubtful[count, 1] = j, i
                    count += 1
    for y in range(first_y, last_y):
        for x in range(first_x, last_x):
            here = defocus[FRONT, y, x]
            farthest = min(here, perhaps if count == 0 else surely)
            reach = abs(here) + abs(shift_px) + np.float32(MARGIN_PX)
            reach_px2 = int(reach * reach)
            for number in range(count):
                if farthest <= perhaps + np.float32(_ALIKE_PX):
                    break
                j, i = np.int64(doubtful[number, 0]), np.int64(doubtful[number, 1])
                if cell_low[0, j, i] < farthest:
                    farthest = _farthest_in(j, i, y, x, reach_px2, defocus, farthest)
            slack = max(np.float32(_LEAST_SLACK_PX), np.float32(_SLACK) * (here - farthest))
            backstop[y, x] = _bin_of(farthest - slack, table)


@compiled(nogil=True)
def show_own_background(rows, defocus, kind, table, backstop):
    """Let the background of the mixed pixels of one row of blocks show in these; arguments as for ``find_backstops``.

    Args:
        kind: see ``layers.py``.
        backstop: of the row; lowered.
    """
    height, width = kind.shape
    for y in range(rows * BLOCK, min((rows + 1) * BLOCK, height)):
        for x in range(width):
            if kind[y, x] & SPLIT:
                own = _bin_of(defocus[BEHIND, y, x] - np.float32(_LEAST_SLACK_PX), table)
                backstop[y, x] = min(np.int64(backstop[y, x]), own)


@compiled(nogil=True, inline="always")
def _bin_of(defocus, table):
    """``bins.depth_bin`` by the table."""
    away = bins_away(abs(defocus), radius_index(abs(defocus)), table)
    return FOCUS_BIN + away if defocus > 0 else FOCUS_BIN - away


@compiled(nogil=True, inline="always")
def _least_in_row(cell_low, row, column, reach):
    """The least defocus of the cells of a row that lie no more than ``reach`` cells beside ``column``."""
    first, last = max(column - reach, 0), min(column + reach, cell_low.shape[2] - 1)
    level = 0
    while 2 << level <= last - first + 1:
        level += 1
    return min(cell_low[level, row, first], cell_low[level, row, last - (1 << level) + 1])


@compiled(nogil=True, inline="always")
def _farthest_in(cell_y, cell_x, y, x, reach_px2, defocus, farthest):
    """The lesser of ``farthest`` and the least defocus of a cell within reach of a pixel."""
    height, width = defocus.shape[1:]
    near_y = min(max(y, cell_y * CELL), cell_y * CELL + CELL - 1)
    near_x = min(max(x, cell_x * CELL), cell_x * CELL + CELL - 1)
    if (near_y - y) ** 2 + (near_x - x) ** 2 <= reach_px2:
        # Without a branch for each pixel, of which none could be foretold; at the border, the outermost counts again.
        for down in range(CELL):
            j = min(cell_y * CELL + down, height - 1)
            left_px2 = np.int32(reach_px2 - (j - y) ** 2)
            for right in range(CELL):
                i = min(cell_x * CELL + right, width - 1)
                there = defocus[FRONT, np.uint64(j), np.uint64(i)]
                apart = np.int32(i - x)
                farthest = min(farthest, there if apart * apart <= left_px2 else farthest)
    return farthest
