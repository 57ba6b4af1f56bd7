"""Options of a render that can be interrupted and goes on, and of one that other machines take part in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.errors import InputError, require_installed

if TYPE_CHECKING:
    from any2bokeh.cluster.farm import Farm
    from any2bokeh.segments.cut import Segmentation


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """Which machines render, as typed."""

    cluster: Annotated[
        str | None,
        option(
            "--cluster",
            help="Render in segments on a Ray cluster: auto starts one on this machine that ends with the command, and "
            "an address such as 10.0.0.5:6379 is that of its head. All machines must see the clip and the output under "
            "the same paths, or both at addresses such as s3://bucket/clip.mp4 (default: this process renders).",
            panel=Group.SEGMENTS,
            metavar="auto|ADDRESS",
        ),
    ] = None

    def require_ray(self) -> None:
        """Refuse, before any work, a cluster without Ray.

        Raises:
            InputError: Ray is not installed.
        """
        if self.cluster is not None:
            require_installed("--cluster", ["ray"], "cluster", instead="leave it out to render on this machine")

    @contextmanager
    def workers(self) -> "Iterator[Farm | None]":
        """The machines, connected; None where this process renders.

        Raises:
            InputError: Ray is not installed, or there is no such cluster.
        """
        if self.cluster is None:
            yield None
            return
        from any2bokeh.cluster.farm import Farm

        with Farm(self.cluster) as farm:
            yield farm


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """Whether a result is rendered in segments that are kept, as typed."""

    resume: Annotated[
        bool,
        option(
            "--resume",
            help="Render in segments and keep each in the folder OUT.parts as soon as it is complete; the same command "
            "goes on from there after an interruption, a crash or a full disk.",
            common="Keep finished segments; go on after a stop.",
            panel=Group.OUTPUT,
        ),
    ] = False
    segment_frames: Annotated[
        int | None,
        option(
            "--segment-frames",
            help="Frames of each segment with --resume or --cluster, 8 or more (default: those of 5 seconds).",
            panel=Group.SEGMENTS,
            metavar="N",
        ),
    ] = None

    def segmentation(self, cluster: ClusterOptions) -> "Segmentation | None":
        """How the result is cut; None where it is rendered in one piece.

        Raises:
            InputError: a length of segments that there are none of, or that is too small.
        """
        from any2bokeh.segments.cut import SHORTEST, Segmentation

        is_cut = self.resume or cluster.cluster is not None
        if self.segment_frames is not None and not is_cut:
            raise InputError(
                f"--segment-frames {self.segment_frames} is for --resume and --cluster; give one of them, or leave it "
                f"out"
            )
        if self.segment_frames is not None and self.segment_frames < SHORTEST:
            raise InputError(f"--segment-frames is {self.segment_frames}; give {SHORTEST} or more")
        return Segmentation(self.segment_frames, keeps=self.resume) if is_cut else None
