"""The stand-in of ``comfy_api.latest.io``: types with inputs and outputs, schemas and nodes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any


class Input:
    """A place where something is connected."""

    io_type = ""

    def __init__(
        self,
        id: str,
        display_name: str | None = None,
        optional: bool = False,
        tooltip: str | None = None,
        lazy: bool | None = None,
    ) -> None:
        self.id = id
        self.display_name = display_name
        self.optional = optional
        self.tooltip = tooltip
        self.lazy = lazy


class WidgetInput(Input):
    """An input with a field that has a value of its own."""

    def __init__(
        self,
        id: str,
        display_name: str | None = None,
        optional: bool = False,
        tooltip: str | None = None,
        lazy: bool | None = None,
        default: Any = None,
    ) -> None:
        super().__init__(id, display_name, optional, tooltip, lazy)
        self.default = default


class Output:
    """What a node gives. The first argument is an id, and no name to be shown."""

    io_type = ""

    def __init__(
        self,
        id: str | None = None,
        display_name: str | None = None,
        tooltip: str | None = None,
        is_output_list: bool = False,
    ) -> None:
        self.id = id
        self.display_name = display_name
        self.tooltip = tooltip
        self.is_output_list = is_output_list


class Image:
    class Input(Input):
        io_type = "IMAGE"

    class Output(Output):
        io_type = "IMAGE"


class Boolean:
    class Input(WidgetInput):
        io_type = "BOOLEAN"

    class Output(Output):
        io_type = "BOOLEAN"


class _Number(WidgetInput):
    def __init__(
        self, id: str, *, min: float | None = None, max: float | None = None, step: float | None = None, **told
    ):
        super().__init__(id, **told)
        self.min = min
        self.max = max
        self.step = step


class Int:
    class Input(_Number):
        io_type = "INT"

    class Output(Output):
        io_type = "INT"


class Float:
    class Input(_Number):
        io_type = "FLOAT"

    class Output(Output):
        io_type = "FLOAT"


class String:
    class Input(WidgetInput):
        io_type = "STRING"

        def __init__(self, id: str, *, multiline: bool = False, placeholder: str | None = None, **told):
            super().__init__(id, **told)
            self.multiline = multiline
            self.placeholder = placeholder

    class Output(Output):
        io_type = "STRING"


class Combo:
    class Input(WidgetInput):
        io_type = "COMBO"

        def __init__(self, id: str, options: list[str], **told):
            super().__init__(id, **told)
            self.options = options


def Custom(io_type: str) -> Any:
    """A type of one's own, known by its name."""

    class Custom:
        class Input(Input):
            pass

        class Output(Output):
            pass

    Custom.Input.io_type = Custom.Output.io_type = io_type
    return Custom


@dataclass
class Schema:
    """What a node is, with the documented fields that are used here."""

    node_id: str
    display_name: str | None = None
    category: str = "sd"
    inputs: list[Input] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    hidden: list[Any] = field(default_factory=list)
    description: str = ""
    search_aliases: list[str] = field(default_factory=list)
    is_output_node: bool = False
    is_deprecated: bool = False
    is_experimental: bool = False
    not_idempotent: bool = False

    def finalize(self) -> None:
        """Give outputs without an id one."""
        for number, output in enumerate(self.outputs):
            output.id = output.id or f"_{number}_{output.io_type}_"

    def validate(self) -> None:
        """Ids are unique among inputs, among outputs, and between both."""
        inputs, outputs = [each.id for each in self.inputs], [each.id for each in self.outputs]
        if len({*inputs, *outputs}) != len(inputs) + len(outputs):
            raise ValueError(f"ids must be unique: {inputs}, {outputs}")


class NodeOutput:
    """What ``execute`` returns: a value for each output, in order."""

    def __init__(self, *args: Any, ui: Any = None, expand: Any = None, block_execution: str | None = None) -> None:
        self.args = args
        self.ui = ui
        self.expand = expand
        self.block_execution = block_execution

    @property
    def result(self) -> tuple[Any, ...] | None:
        return self.args or None


class ComfyNode(ABC):
    """A node: class methods only, without state."""

    @classmethod
    @abstractmethod
    def define_schema(cls) -> Schema: ...

    @classmethod
    @abstractmethod
    def execute(cls, *args: Any, **kwargs: Any) -> Any: ...

    @classmethod
    def GET_SCHEMA(cls) -> Schema:
        """The schema, finalized and validated."""
        schema = cls.define_schema()
        schema.finalize()
        schema.validate()
        return schema
