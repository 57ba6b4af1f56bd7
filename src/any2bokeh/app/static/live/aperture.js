// The shape of the aperture, and how light lies within it; `optics/aperture.py` and `optics/profile.py` explain them.

// A convex opening in the unit disc, y downwards: `outline(vertices)`, pairs of x and y, and `gauge(x, y)`, by how much it
// must be scaled for a point to lie on its boundary.
export function apertureOf(look) {
  if (look.blades === 0 && look.anamorphic_ratio === 1) return DISC;
  // An oval is an iris of any number of round blades.
  const [blades, curvature] = look.blades ? [look.blades, look.blade_curvature] : [6, 1];
  return polygon(blades, curvature, look.aperture_rotation_deg, 1 / look.anamorphic_ratio);
}

const DISC = {
  outline(vertices) {
    const turn = (2 * Math.PI) / vertices;
    // The polygon that has the disc's area, not the one inscribed in it.
    const radius = Math.sqrt(turn / Math.sin(turn));
    return Array.from({ length: vertices }, (_, i) => [radius * Math.cos(i * turn), radius * Math.sin(i * turn)]);
  },
  gauge: (x, y) => Math.hypot(x, y),
};

function polygon(blades, curvature, rotationDeg, squeeze) {
  const [squeezeX, squeezeY] = [Math.min(squeeze, 1), Math.min(1 / squeeze, 1)];
  const sector = (2 * Math.PI) / blades;
  const rotation = (rotationDeg * Math.PI) / 180;
  const radiusAt = (angle) => {
    const within = angle - Math.floor(angle / sector) * sector;
    const straight = Math.cos(sector / 2) / Math.cos(within - sector / 2);
    return straight + curvature * (1 - straight);
  };
  return {
    outline(vertices) {
      return Array.from({ length: vertices }, (_, i) => {
        const angle = (i * 2 * Math.PI) / vertices;
        const turned = angle - Math.PI / 2 + rotation;
        return [squeezeX * radiusAt(angle) * Math.cos(turned), squeezeY * radiusAt(angle) * Math.sin(turned)];
      });
    },
    gauge(x, y) {
      const [u, v] = [x / squeezeX, y / squeezeY];
      return Math.hypot(u, v) / radiusAt(Math.atan2(v, u) + Math.PI / 2 - rotation);
    },
  };
}

// Brightness from the centre to the rim.
export class Profile {
  constructor({ spherical, softness, onion_rings }, constants) {
    Object.assign(this, { spherical, softness, rings: onion_rings, constants });
  }

  get isFlat() {
    return this.spherical === 0 && this.softness === 0 && this.rings === 0;
  }

  // Brightness, up to a factor, at a place from 0 (centre) to 1 (rim).
  brightness(rho, inFront) {
    const spherical = inFront ? -this.spherical : this.spherical;
    let bright = 1 + spherical * (2 * rho * rho - 1);
    bright *= 1 + this.rings * Math.cos(2 * Math.PI * this.constants.RINGS * rho);
    if (this.softness > 0) {
      const inwards = Math.min(Math.max((1 - rho) / this.softness, 0), 1);
      bright *= inwards * inwards * (3 - 2 * inwards);
    }
    return rho <= 1 ? bright : 0;
  }

  // The profile as discs laid on one another, of areas that grow evenly: the brightness that each adds.
  steps(count, inFront) {
    const samples = this.constants.ANNULUS_SAMPLES;
    const means = Array.from({ length: count }, (_, disc) => {
      let total = 0;
      for (let i = 0; i < samples; i++) total += this.brightness(Math.sqrt((disc + (i + 0.5) / samples) / count), inFront);
      return total / samples;
    });
    return means.map((mean, disc) => mean - (means[disc + 1] || 0));
  }
}
