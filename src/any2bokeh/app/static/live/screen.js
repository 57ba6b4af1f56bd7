// The canvas that shows a frame, pixel for pixel; the page's style says how large it appears.

import { GpuFault } from "./device.js";
import { packed } from "./params.js";

const SHOWN = ["width", "height", "window_top", "window_left", "window_width", "band_top", "band_rows", "is_linear"].map((name) => [name, "i"]);

export class Screen {
  constructor(canvas, device, source) {
    this._canvas = canvas;
    this._context = canvas.getContext("webgpu");
    if (!this._context) throw new GpuFault("this canvas cannot show what the graphics processor makes");
    const format = navigator.gpu.getPreferredCanvasFormat();
    this._context.configure({ device: device.device, format, alphaMode: "opaque" });
    const module = device.device.createShaderModule({ code: source });
    this._pipeline = device.device.createRenderPipeline({
      layout: "auto",
      vertex: { module, entryPoint: "over_all" },
      fragment: { module, entryPoint: "colour", targets: [{ format }] },
    });
  }

  // Draw a band of a frame, of which `result` holds the code values; null = the frame's own pixels.
  draw(device, commands, frame, isLinear, result, band) {
    const [height, width] = frame.arrays.disparity.shape;
    const [top, bottom, left, right] = frame.window;
    if (this._canvas.width !== right - left) this._canvas.width = right - left;
    if (this._canvas.height !== bottom - top) this._canvas.height = bottom - top;
    const params = packed(SHOWN, {
      width,
      height,
      window_top: top,
      window_left: left,
      window_width: right - left,
      band_top: band.top,
      band_rows: result ? band.bottom - band.top : 0,
      is_linear: isLinear ? 1 : 0,
    });
    const pixels = device.buffer("pixels", 0);
    const view = this._context.getCurrentTexture().createView();
    const target = { view, loadOp: band.top === 0 ? "clear" : "load", storeOp: "store" };
    const rows = [band.top, band.bottom - band.top, right - left];
    commands.draw(this._pipeline, params, [result || device.buffer("result", 0), pixels], { colorAttachments: [target] }, rows);
  }

  close() {
    this._context.unconfigure();
  }
}
