"""How light lies within a disc of confusion."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError

_RINGS = 6.0
_ANNULUS_SAMPLES = 32


@dataclass(frozen=True, slots=True)
class BokehProfile:
    """Brightness over the disc, from its centre to its rim.

    Attributes:
        spherical: spherical aberration in [-1, 1]. Above 0 discs behind the focal plane have a bright rim (soap
            bubbles) and those in front of it a bright core (creamy); below 0 the other way round.
        softness: share of the radius, in [0, 1], over which the rim fades.
        onion_rings: contrast of rings, in [0, 1], as the grinding marks of aspheric elements leave them.

    Source: third-order spherical aberration displaces rays by the cube of their place in the pupil, which to first
    order thins them out or crowds them as ``1 + s (2 rho^2 - 1)``; cf. Hecht, Optics, 6.3.1.
    """

    spherical: float = 0.0
    softness: float = 0.0
    onion_rings: float = 0.0

    def __post_init__(self) -> None:
        for name, low in (("spherical", -1), ("softness", 0), ("onion_rings", 0)):
            value = getattr(self, name)
            if not low <= value <= 1:
                raise InputError(f"{name.replace('_', ' ')} of the bokeh is {value:g}; it lies in {low} to 1")

    @property
    def is_flat(self) -> bool:
        """Whether all of the disc is equally bright."""
        return self == BokehProfile()

    def brightness(self, gauge: NDArray[np.floating], *, in_front: bool) -> NDArray[np.float64]:
        """Brightness, up to a factor, at places from 0 (centre) to 1 (rim); 0 outside.

        Args:
            gauge: any shape; see ``ConvexAperture.gauge``.
            in_front: of the focal plane.
        """
        rho = np.asarray(gauge, np.float64)
        spherical = -self.spherical if in_front else self.spherical
        bright = 1 + spherical * (2 * rho**2 - 1)
        bright = bright * (1 + self.onion_rings * np.cos(2 * np.pi * _RINGS * rho))
        if self.softness > 0:
            inwards = np.clip((1 - rho) / self.softness, 0, 1)
            bright = bright * inwards * inwards * (3 - 2 * inwards)
        return np.where(rho <= 1, bright, 0.0)

    def steps(self, count: int, *, in_front: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The profile as discs laid on one another: their radii, and the brightness that each adds, ``(count,)``.

        The annuli between them have the same area, and the mean brightness that the profile has there.
        """
        edges = np.sqrt(np.arange(1, count + 1) / count)
        inner = np.sqrt(np.arange(count) / count)
        share = (np.arange(_ANNULUS_SAMPLES) + 0.5) / _ANNULUS_SAMPLES
        places = np.sqrt(inner[:, None] ** 2 + share * (edges**2 - inner**2)[:, None])
        mean = self.brightness(places, in_front=in_front).mean(axis=1)
        return edges, mean - np.append(mean[1:], 0.0)
