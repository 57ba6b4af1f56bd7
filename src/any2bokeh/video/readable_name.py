"""Names of files as libraries can take them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def readable_name(path: Path) -> Iterator[str]:
    """A name under which a library that wants UTF-8 can open ``path``.

    File systems hold names in any bytes, such as ``b"\\xff.png"``; Python reads and opens them, but C++ libraries are
    given UTF-8. Where a name is not, it is read through a link that has a plain one.
    """
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory(prefix="any2bokeh-") as folder:
            link = Path(folder) / f"image{path.suffix.encode('ascii', 'ignore').decode()}"
            link.symlink_to(path.absolute())
            yield str(link)
        return
    yield str(path)
