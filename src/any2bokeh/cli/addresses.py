"""Commands whose inputs and results may lie at addresses such as ``s3://bucket/clip.mp4``."""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

from any2bokeh.errors import InputError
from any2bokeh.remote.address import address_of, has_address, renamed


def trees_at_addresses(command: Callable[..., None]) -> Callable[..., None]:
    """A command with ``input`` and ``output`` that are folders of clips and of results, and options."""

    @wraps(command)
    def called(**given: Any) -> None:
        input, output = given["input"], given["output"]
        if address_of(input) is None and (output is None or address_of(output) is None):
            command(**given)
            return
        from any2bokeh.remote.tree import Tree

        tree = Tree(input, output)
        try:
            try:
                command(**given | {"input": tree.input, "output": tree.output})
            finally:
                tree.send("report.json")
        except InputError as error:
            raise InputError(renamed(str(error))) from error
        finally:
            tree.remove()

    return called


def at_addresses(command: Callable[..., None]) -> Callable[..., None]:
    """A command with ``input``, ``output``, ``overwrite`` and options, which is given copies on this machine.

    Its result is sent when it is done. After a failure nothing is left but segments that are kept.
    """

    @wraps(command)
    def called(**given: Any) -> None:
        paths = [value for name, value in given.items() if name != "input"]
        if address_of(given["input"]) is None and not any(map(has_address, paths)):
            command(**given)
            return
        from any2bokeh.remote.stage import Stage

        with Stage() as stage:
            try:
                try:
                    output: Path = stage.output(given["output"], overwrite=given["overwrite"])
                    local = {name: stage.localised(value) for name, value in given.items() if name != "output"}
                    command(**local | {"input": stage.fetched(given["input"]), "output": output})
                except BaseException:
                    with suppress(InputError):  # the failure that led here is told
                        stage.keep()
                    raise
                stage.send()
            except InputError as error:
                raise InputError(renamed(str(error))) from error

    return called
