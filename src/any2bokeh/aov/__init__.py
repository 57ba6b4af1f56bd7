"""Pictures for compositing that go with a result, and what its lens did in each frame.

AOV, arbitrary output variable, is what compositors call a picture of something other than colour.
"""

from any2bokeh.aov.kinds import Aov, AovFormat, AovRequest
from any2bokeh.aov.metadata import FocusMetadata

__all__ = ["Aov", "AovFormat", "AovRequest", "FocusMetadata"]
