"""The node that finds the focus of every frame."""

import logging
from typing import Any

import torch
from comfy_api.latest import io

from any2bokeh import FocusScript, InputError, TrackerChoice
from any2bokeh.focus import Keyframe, MaskTarget, PointTarget, resolve
from any2bokeh.focus.tracked_subjects import TrackedSubjects

from .batch import BatchDisparity, BatchPictures, frames_of
from .disparity_reading import reading_inputs, reading_of

FOCUS_TYPE = "ANY2BOKEH_FOCUS"
"""The type of a focus track between our nodes: an ``any2bokeh.FocusTrack``."""


class FocusTrackNode(io.ComfyNode):
    """Focal plane and blur strength of every frame, from a point that is followed or from a focus script."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Any2BokehFocusTrack",
            display_name="Bokeh: focus track",
            category="any2bokeh",
            description="Focuses on what is at a point, and follows it; or does what a focus script says.",
            inputs=[
                io.Image.Input("images", tooltip="The clip, all in focus."),
                io.Image.Input("disparity", tooltip="Of each frame, grey; white near, unless said below."),
                io.Float.Input("x", default=0.5, min=0, max=1, step=0.01, tooltip="0 left to 1 right."),
                io.Float.Input("y", default=0.5, min=0, max=1, step=0.01, tooltip="0 top to 1 bottom."),
                io.Int.Input("frame", default=0, min=0, max=1_000_000, tooltip="That the point is seen in, from 0."),
                io.Boolean.Input("track", default=True, tooltip="Follow the subject; else hold its disparity there."),
                io.Float.Input(
                    "blur_strength",
                    default=16.0,
                    min=0,
                    max=1000,
                    step=0.5,
                    tooltip="K: radius in pixels, per unit of disparity, in a frame of 1024 px on its longer side.",
                ),
                io.Float.Input("fps", default=24.0, min=0.1, max=1000, step=0.001, tooltip="Of the clip."),
                io.String.Input(
                    "script",
                    default="",
                    multiline=True,
                    tooltip="A focus script, JSON, in place of the point; blur_strength counts where it gives none.",
                ),
                *reading_inputs(),
            ],
            outputs=[
                io.Custom(FOCUS_TYPE).Output(display_name="focus", tooltip="For the render nodes."),
                io.String.Output(display_name="script", tooltip="The same, one value a frame, as a focus script."),
            ],
        )

    @classmethod
    def execute(
        cls,
        images: torch.Tensor,
        disparity: torch.Tensor,
        x: float,
        y: float,
        frame: int,
        track: bool,
        blur_strength: float,
        fps: float,
        script: str,
        disparity_kind: Any = "disparity",
        disparity_polarity: Any = "near-white",
    ) -> io.NodeOutput:
        frames = frames_of(images)
        count, _, height, width = frames.shape
        reading = reading_of(disparity_kind, disparity_polarity)
        maps = BatchDisparity(disparity, frame_count=count, frame_size=(width, height), reading=reading)
        wanted = FocusScript.loads(script) if script.strip() else _at_point(x, y, frame, track)
        for keyframe in wanted.keyframes:
            # A path from a workflow could name any file of the machine that runs it.
            if isinstance(keyframe.target, MaskTarget):
                raise InputError(
                    f"the focus script names the mask {keyframe.target.path}, which is not read here; give a point, "
                    "a box or focus_disparity"
                )
        subjects = TrackedSubjects(BatchPictures(frames), maps, TrackerChoice())
        try:
            found = resolve(
                wanted,
                disparity=maps,
                frame_count=count,
                fps=fps,
                frame_size=(width, height),
                blur_strength=blur_strength,
                subjects=subjects,
            )
        finally:
            subjects.close()
        for remark in found.warnings:
            logging.getLogger("any2bokeh").warning("%s", remark)
        dense = FocusScript.from_dense(found.focus_disparity.tolist(), found.blur_strength.tolist())
        return io.NodeOutput(found, dense.dumps())


def _at_point(x: float, y: float, frame: int, track: bool) -> FocusScript:
    return FocusScript(keyframes=(Keyframe(frame, PointTarget(x, y, track=track)),))
