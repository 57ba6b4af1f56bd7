"""A minimal stand-in of what ComfyUI documents as ``comfy_api.latest``: just what our nodes use, and its checks.

Written from the documentation (docs.comfy.org, custom-nodes/v3_migration) and the interface's own signatures; nothing
of ComfyUI is in it. It is stricter than ComfyUI in that arguments that it does not know are errors.
"""

from abc import ABC, abstractmethod

from comfy_api.latest import _io as io

__all__ = ["ComfyAPI", "ComfyExtension", "io"]


class ComfyExtension(ABC):
    """What ``comfy_entrypoint`` gives."""

    async def on_load(self) -> None:  # noqa: B027 - nothing to do unless a node pack wants to
        """Called once, before the nodes are asked for."""

    @abstractmethod
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """The classes of the nodes."""


class ComfyAPI:
    """Services of a running ComfyUI. What is told is kept in ``told``, for tests.

    As in ComfyUI 0.3.64, ``execution`` is announced by its type alone: neither the class nor what is made of it has
    that attribute, which the documentation uses.
    """

    told: list[tuple[float, float]] = []  # noqa: RUF012 - one list for all of a test

    class Execution:
        async def set_progress(
            self,
            value: float,
            max_value: float,
            node_id: str | None = None,
            preview_image: object = None,
            ignore_size_limit: bool = False,
        ) -> None:
            ComfyAPI.told.append((value, max_value))

    execution: Execution
