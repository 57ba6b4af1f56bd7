"""Which detectors there are on this machine."""

from typing import Literal

from any2bokeh.subject.detection.detector import DetectedKind, Detector

Detectors = Literal[
    "auto",  # those whose model files are on this machine
    "off",
]

_TITLES: dict[DetectedKind, str] = {"face": "faces (YuNet)", "person": "people (PP-HumanSeg)"}


def detectors_at_hand(wanted: Detectors = "auto") -> tuple[Detector, ...]:
    """The detectors whose model files are on this machine; nothing is fetched.

    Raises:
        InputError: a file is damaged, or does not load.
    """
    if wanted == "off":
        return ()
    loaded = (detector_of("face"), detector_of("person"))
    return tuple(each for each in loaded if each is not None)


def detector_of(kind: DetectedKind) -> Detector | None:
    """The detector of a kind; None where its model file is not on this machine.

    Raises:
        InputError: the file is damaged, or does not load.
    """
    from any2bokeh.subject.detection.faces import YUNET, FaceDetector
    from any2bokeh.subject.detection.people import HUMANSEG, PersonSegmenter

    file, load = (YUNET, FaceDetector) if kind == "face" else (HUMANSEG, PersonSegmenter)
    path = file.intact()
    return None if path is None else load(path)


def announcement(detectors: tuple[Detector, ...]) -> str | None:
    """A line that says what is looked for; None where nothing is."""
    if not detectors:
        return None
    return (
        f"--focus auto prefers {' and '.join(_TITLES[each.kind] for each in detectors)}; --detect off leaves them out"
    )
