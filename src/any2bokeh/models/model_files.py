"""Files of a model folder: the configuration, and weights as safetensors. Pickles can run code and are not read."""

import json
from pathlib import Path
from typing import Any

from any2bokeh.errors import InputError

CONFIG_FILE = "config.json"
_PICKLE_SUFFIXES = (".bin", ".ckpt", ".pt", ".pth", ".pkl", ".msgpack")


def refuse_file(model: Path, noun: str) -> None:
    """Refuse a file where the folder of a model is wanted."""
    if model.is_file():
        why = "is a pickle; only safetensors are read" if model.suffix in _PICKLE_SUFFIXES else "is a file"
        raise InputError(f"{noun} {model} {why}; give the model's folder, with its configuration and safetensors")


def read_json(path: Path, noun: str) -> dict[str, Any]:
    """A JSON object of a model folder.

    Args:
        path: of the file.
        noun: what the model is, for the message.

    Raises:
        InputError: missing, not JSON, or not an object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{noun} {path.parent} has no readable {path.name} ({error.strerror}); give a folder with "
            f"{CONFIG_FILE} and weights as safetensors"
        ) from None
    except ValueError as error:
        raise InputError(f"{noun}: {path} is not JSON ({error}); copy the model again") from None
    if not isinstance(content, dict):
        raise InputError(f"{noun}: {path} is not a JSON object; copy the model again")
    return content


def weight_files(folder: Path, stem: str | None = None) -> list[Path]:
    """The safetensors of a model folder.

    Args:
        folder: of one model.
        stem: name of the file without its suffix, or of the index that names its shards; any safetensors where None.

    Raises:
        InputError: none there, only pickles there, or a shard is missing.
    """
    files = sorted(folder.glob("*.safetensors")) if stem is None else _of_stem(folder, stem)
    if files:
        return files
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLE_SUFFIXES)
    if pickles:
        raise InputError(
            f"{folder} has weights only as {pickles[0]}, a pickle, which can run code when it is read; convert it to "
            f"safetensors (docs/depth-models.md shows how)"
        )
    raise InputError(f"{folder} has no {stem or ''}.safetensors{'' if stem else ' file'}; give the folder of a model")


def _of_stem(folder: Path, stem: str) -> list[Path]:
    """The file, or the shards that its index names."""
    single, index = folder / f"{stem}.safetensors", folder / f"{stem}.safetensors.index.json"
    if single.is_file():
        return [single]
    if not index.is_file():
        return []
    shards = sorted({folder / shard for shard in read_json(index, "model")["weight_map"].values()})
    missing = [shard.name for shard in shards if not shard.is_file()]
    if missing:
        named = missing[0] if len(missing) == 1 else f"{len(missing)} files, such as {missing[0]}"
        raise InputError(f"{folder} lacks {named}, which {index.name} names; copy the whole folder")
    return shards
