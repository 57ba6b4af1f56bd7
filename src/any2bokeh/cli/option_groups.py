"""Groups of options, in the order in which ``--help`` and the reference show them."""

from enum import StrEnum


class Group(StrEnum):
    """Heading that options stand under."""

    ARGUMENTS = "Arguments"
    OUTPUT = "Output"
    PART = "Part of the clip"
    PICTURE = "The picture"
    BATCH = "Batch"
    TIMELINES = "Timelines"
    FOCUS = "Focus (give exactly one)"
    TRACKING = "Following the subject"
    SUBJECT = "The subject, for the built-in estimate"
    BLUR = "Blur (a strength or a lens)"
    DISPARITY = "Disparity"
    APERTURE = "Aperture (default: round)"
    LOOK = "Look of the lens"
    RANGE = "Focus range"
    FINISH = "Finish"
    ENGINE = "Engine"
    DIFFUSION = "Diffusion engine"
    AOV = "Pictures for compositing"
    RECIPE = "Recipes and projects"
    SEGMENTS = "Long renders"
    READING = "How the input is read"
    CONNECTION = "Connection"
    STUDIO = "Studio"
    MODELS = "Models"
    CLIPS = "Clips"
    SCENES = "Scenes"
    SCENE_LENS = "Lens"
    SCORED = "What is scored"
    REAL = "Real clips (--real)"
    NETWORKS = "Networks behind metrics (left out unless given)"
    TRAINING = "Training"
    RUN = "Run"
    OTHER = "Options"
    PRINTED = "What is printed"


class Commands(StrEnum):
    """Heading that commands stand under."""

    REFOCUS = "Refocus"
    PREPARE = "Disparity and focus"
    LOOK_UP = "Look up"
    MODELS = "Models, training and measuring"
