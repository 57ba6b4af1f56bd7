"""Who may reach a studio: under which names, with which password, and within whose pages."""

import ipaddress
import re
import secrets
import socket
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from any2bokeh.errors import InputError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Names of this machine that only itself can use."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Access:
    """Who may reach a studio.

    Attributes:
        host: address that it listens on. On a loopback address only this machine's own names are let in. Elsewhere
            addresses in digits are let in, and the machine's names; a name that somebody else made to point here (DNS
            rebinding) is neither.
        names: further host names that the studio is reached under, such as that of a proxy.
        password: what the link must carry; None lets everyone in.
        framed_by: origins whose pages may show the studio in a frame.

    Raises:
        InputError: a name or an origin that cannot be one.
    """

    host: str = "127.0.0.1"
    names: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)
    framed_by: tuple[str, ...] = ()
    _cookie: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def __post_init__(self) -> None:
        for name in self.names:
            if not _NAME.fullmatch(name):
                raise InputError(f"host name is {name!r}; give a name alone, such as studio.example.org")
        for origin in self.framed_by:
            if not _ORIGIN.fullmatch(origin):  # it becomes part of a policy: nothing else may stand in it
                raise InputError(f"origin is {origin!r}; give a scheme and a host, such as https://example.org")

    @property
    def is_local(self) -> bool:
        return self.host in LOOPBACK

    @property
    def cookie(self) -> str:
        """What a browser that came by the link is known by from then on."""
        return self._cookie

    @property
    def cookie_name(self) -> str:
        """Different for each studio: browsers send the cookies of a host to all of its ports."""
        return f"any2bokeh-{self._cookie[:6]}"

    def knows_host(self, host: str) -> bool:
        """Whether a ``Host`` header names this studio."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in LOOPBACK or name in {each.lower() for each in self.names}:
            return True
        return not self.is_local and (_is_address(name) or name in _own_names())


def new_password() -> str:
    """A random one, of 24 bytes."""
    return secrets.token_urlsafe(24)


def own_address() -> str:
    """The address of this machine on its network; a loopback address where it has none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: asks the routing table only
            return probe.getsockname()[0]
        except OSError:
            return LOOPBACK[0]


def _own_names() -> set[str]:
    name = socket.gethostname().lower()
    return {name, name.partition(".")[0], f"{name.partition('.')[0]}.local"}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
