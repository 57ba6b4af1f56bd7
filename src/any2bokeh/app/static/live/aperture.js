// The shape of the aperture, and how light lies within it; `optics/aperture.py` and `optics/profile.py` explain them.

// A convex opening in the unit disc, y downwards: `outline(vertices)`, pairs of x and y, and `gauge(x, y)`, by how much it
// must be scaled for a point to lie on its boundary. Or, where there is a mask, a picture of one: `gauge` likewise, and
// `picture`, see below.
export function apertureOf(look, mask) {
  if (mask) return pictured(mask);
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

// mask: the share of the light that gets through, in [0, 1], and its `shape`.
function pictured(mask) {
  const [height, width] = mask.shape;
  const side = Math.max(height, width) / 2;
  const gauge = (x, y) => Math.hypot(x, y);
  return {
    gauge,
    transmission(x, y) {
      const [column, row] = [Math.floor(x * side + width / 2), Math.floor(y * side + height / 2)];
      return column >= 0 && column < width && row >= 0 && row < height ? mask[row * width + column] : 0;
    },
    // Brightness of each pixel around the centre, at most 1, `side` pixels across; upside down and mirrored in front.
    picture(radius, profile, inFront) {
      const reach = Math.ceil(radius - 0.5);
      // Several places in each pixel, and in each of the mask's: their mean is the mean over the pixel.
      const fine = Math.max(4, Math.ceil(Math.max(height, width) / (2 * radius)));
      const across = 2 * reach + 1;
      const unit = Float64Array.from({ length: across * fine }, (_, i) => (((i + 0.5) / fine - reach - 0.5) / radius) * (inFront ? -1 : 1));
      const bright = new Float64Array(across * across);
      let most = 0;
      for (let i = 0; i < unit.length; i++) {
        const row = Math.floor(unit[i] * side + height / 2);
        if (row < 0 || row >= height) continue;
        const line = Math.floor(i / fine) * across;
        for (let j = 0; j < unit.length; j++) {
          const column = Math.floor(unit[j] * side + width / 2);
          if (column < 0 || column >= width) continue;
          const light = mask[row * width + column];
          // Its corners lie outside the unit disc, where a profile has no rim: it ends at the borders.
          if (light) bright[line + Math.floor(j / fine)] += profile.isFlat ? light : light * profile.brightness(Math.min(gauge(unit[j], unit[i]), 1), inFront);
        }
      }
      for (const value of bright) most = Math.max(most, value);
      return { bright: bright.map((value) => value / most), side: across };
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
