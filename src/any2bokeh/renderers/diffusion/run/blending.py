"""Overlapping windows in one pass over a clip: every frame is held only while a window needs it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

import torch

from any2bokeh.renderers.diffusion.run.windows import WindowPlan

Item = TypeVar("Item")


@dataclass(slots=True)
class _Held(Generic[Item]):
    """A frame that the current window covers, and what the windows so far say of it."""

    item: Item
    weighted_sum: torch.Tensor | None = None
    weight: float = 0.0

    def add(self, prediction: torch.Tensor, weight: float) -> None:
        weighted = prediction * weight
        self.weighted_sum = weighted if self.weighted_sum is None else self.weighted_sum + weighted
        self.weight += weight

    def blended(self) -> torch.Tensor | None:
        return None if self.weighted_sum is None or self.weight == 0.0 else self.weighted_sum / self.weight


def blended_groups(
    items: Iterable[Item], plan: WindowPlan, predict: Callable[[list[Item]], torch.Tensor | None]
) -> Iterator[list[tuple[Item, torch.Tensor | None]]]:
    """Predict window by window and blend where windows overlap.

    Args:
        items: frames in order. At most ``plan.window`` of them are read ahead of the last one that was yielded.
        plan: windows and weights; the result is that of ``plan_windows``, though the clip's length is not known here.
        predict: gives ``(T, ...)`` for the frames of a window, or None where nobody needs it.

    Yields:
        Groups of ``plan.stride`` frames, counted from the start of the clip (the last one may be shorter), each frame
        with its blended prediction, or None where no window predicted it. The same windows cover all frames of a group.
    """
    source = iter(items)
    held = [_Held(item) for item in islice(source, plan.window)]
    first = True
    while held:
        prediction = predict([frame.item for frame in held])
        # Over the first frames nothing fades out: they are final before it is known whether another window follows.
        _add(held[: plan.stride], prediction, plan.weights(len(held), first=first, last=True)[: plan.stride])
        yield [(frame.item, frame.blended()) for frame in held[: plan.stride]]

        following = list(islice(source, 1)) if len(held) == plan.window else []
        last = not following
        tail = held[plan.stride :]
        weights = plan.weights(len(held), first=first, last=last)[plan.stride :]
        _add(tail, None if prediction is None else prediction[plan.stride :], weights)
        if last:
            for start in range(0, len(tail), plan.stride):
                yield [(frame.item, frame.blended()) for frame in tail[start : start + plan.stride]]
            return
        following += islice(source, plan.stride - 1)
        held = tail + [_Held(item) for item in following]
        first = False


def _add(frames: list[_Held[Item]], prediction: torch.Tensor | None, weights: Iterable[float]) -> None:
    if prediction is not None:
        for frame, frame_prediction, weight in zip(frames, prediction, weights, strict=False):
            frame.add(frame_prediction, float(weight))
