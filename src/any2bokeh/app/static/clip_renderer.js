// The GPU's renderer on a canvas of the page, with the lens that the clip has, where the browser has a GPU for it.
import { url } from "./api.js";
import { byId } from "./element.js";
import { clip, store } from "./store.js";

// `?webgpu=off` never draws here, `?webgpu=software` also where the processor does what a GPU should.
const MODE = new URLSearchParams(location.search).get("webgpu");
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|software/i;
const MOST_APART = 8;  // mean difference in codes from the studio's picture that is allowed to a GPU

/** Whether it is worth a try. */
export const mayDraw = () => MODE !== "off" && Boolean(navigator.gpu);

export class ClipRenderer {
  /**
   * Open it; null where the studio does not answer. An error says why this browser cannot.
   *
   * @param lost hears of a GPU that goes away later.
   */
  static async open(canvas, lost) {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) throw new Error("this browser finds no graphics processor");
    if (MODE !== "software" && isSoftware(adapter)) throw new Error("this browser's WebGPU is computed by the processor");
    const { LiveRenderer } = await import("./live/renderer.js");
    const lens = lensNow(), engine = await fetched("live-engine");
    if (!engine) return null;
    const renderer = await LiveRenderer.open(canvas, await engine.arrayBuffer(), { lost });
    return new ClipRenderer(canvas, renderer, lens);
  }

  constructor(canvas, renderer, lens) {
    this._canvas = canvas;
    this._renderer = renderer;
    this._lens = lens; // the look that the renderer began with: of which clip and lens, and its settings
  }

  /**
   * Take the look that holds, and give its settings that differ from those that the renderer began with; null where the
   * studio does not answer. Sliders do not show all of what a lens of the catalogue may have: that the studio tells.
   */
  async mount() {
    const now = lensNow();
    if (now.of !== this._lens.of) {
      const engine = await fetched("live-engine");
      if (!engine) return null;
      await this._renderer.mount(await engine.arrayBuffer());
      this._lens = now;
    }
    return Object.fromEntries(Object.entries(now.look).filter(([name, value]) => value !== this._lens.look[name]));
  }

  /** Take the studio's frame of a number: what its message says, and as `live` by what it is known; null without one. */
  async hold(frame) {
    const answer = await fetched(`live-frame?frame=${frame}`);
    return answer && { ...this._renderer.give(await answer.arrayBuffer()), live: answer.headers.get("X-Live") };
  }

  give(frame) { return this._renderer.give(frame); }
  giveShown(source, size, frame) { return this._renderer.giveShown(source, size, frame); }
  show(wanted) { return this._renderer.show(wanted); }
  close() { this._renderer.close(); }

  /** Throw where what was drawn is not the picture that the studio shows. */
  requireSame() {
    const apart = difference(this._canvas, byId("picture"));
    if (apart > MOST_APART) throw new Error(`its picture is ${apart.toFixed(1)} codes off`);
  }
}

/** What the studio has at a path of the session; null where it has nothing. */
export async function fetched(path) {
  const answer = await fetch(url(path)).catch(() => null);
  return answer && answer.status === 200 ? answer : null;
}

function isSoftware(adapter) {
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info ?? {};
  return Boolean(isFallbackAdapter ?? adapter.isFallbackAdapter) || SOFTWARE.test([vendor, architecture, device, description].join(" "));
}

const lensNow = () => ({ of: `${store.token}/${clip().playback.of}/${clip().lens.name}`, look: { ...clip().lens.look } });

/** How far apart two images of the page are on average, in codes. */
function difference(one, other) {
  const size = { width: 64, height: 36 };
  const [drawn, shown] = [one, other].map((image) => {
    const small = Object.assign(document.createElement("canvas"), size).getContext("2d", { willReadFrequently: true });
    small.imageSmoothingQuality = "high";
    small.drawImage(image, 0, 0, size.width, size.height);
    return small.getImageData(0, 0, size.width, size.height).data;
  });
  return drawn.reduce((sum, value, at) => sum + Math.abs(value - shown[at]), 0) / drawn.length;
}
