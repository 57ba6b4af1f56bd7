// The layered engine in the browser: draws one frame on a canvas, as often as its focus, strength or lens changes.

import { openDevice } from "./device.js";
import { bandsOf, dispatchBand } from "./frame_passes.js";
import { hasLook, withLens, withLook } from "./lens.js";
import { opened } from "./message.js";
import { takePicture } from "./picture.js";
import { Screen } from "./screen.js";
import { Unlayered } from "./unlayered.js";

export { GpuFault } from "./device.js";

// The GPU did not take a picture from the page; it may be given as numbers.
export class PictureFault extends Error {
  name = "PictureFault";
}

export class LiveRenderer {
  // A renderer that draws on a canvas. It is rejected with a GpuFault, whose message is one line, where there is no
  // WebGPU, or none that can be used.
  //
  // engine: an ArrayBuffer, the message that `engine_message` of `app/live.py` makes of a look.
  // lost: called with a GpuFault when the GPU goes away later.
  // mostBytes: see openDevice.
  static async open(canvas, engine, { lost, mostBytes } = {}) {
    const renderer = new LiveRenderer();
    const message = opened(engine);
    const device = await openDevice({ lost, mostBytes });
    try {
      renderer.device = device;
      renderer._screen = new Screen(canvas, device, message.shaders.present);
      await renderer._take(withLens(message));
    } catch (error) {
      device.close();
      throw error;
    }
    return renderer;
  }

  constructor() {
    this.device = null;
    this._engine = null;
    this._tables = {}; // that the GPU has, by name
    this._frame = null;
    this._copied = null; // resolves to why the GPU has no copy of its picture; null = it has, or needs none
    this._isUploaded = false;
    this._wanted = null;
    this._isDrawing = false;
  }

  // Take another lens: the message of another look, for frames of the same transfer.
  mount(engine) {
    return this._take(withLens(opened(engine)));
  }

  // Take another frame: an ArrayBuffer, the message that `frame_message` of `app/live.py` makes, or what is in one: its
  // `window` and `arrays`. `show` draws it. Returns what the message says.
  give(frame) {
    this._frame = frame instanceof ArrayBuffer ? opened(frame) : frame;
    this._isUploaded = false;
    this._copied = null;
    return this._frame;
  }

  // Take a frame whose picture a video, or a canvas, shows now, without reading it back; whether this browser can. If not,
  // `give` wants its pixels as numbers. `show` is rejected with a PictureFault where that turns out later.
  //
  // size: of what is shown, width and height; frame: its `window`, and under `arrays` its `disparity`, a Uint8Array of
  // which 255 is 1. It may have another size.
  giveShown(source, size, frame) {
    let copied;
    try {
      copied = this.device.copyPicture(source, ...size);
    } catch {
      return false;
    }
    this.give({ ...frame, picture: size });
    this._copied = copied;
    return true;
  }

  // Draw the frame. Of several wishes only the newest is drawn, when the GPU is done with the one before.
  //
  // wanted: `focusDisparity` in [0, 1]; `blurStrength`, K >= 0; and `look`, settings of it that change, if any do.
  //
  // Resolves to whether it was drawn; false = a newer wish came before. It is rejected with a GpuFault, or with a
  // RangeError for a blur wider than the frame, or a look that only the server can make.
  show(wanted) {
    if (this._wanted) this._wanted.done(false);
    const shown = new Promise((done, failed) => (this._wanted = { ...wanted, done, failed }));
    if (!this._isDrawing) this._drawAll();
    return shown;
  }

  // Give the GPU's memory back.
  close() {
    if (this._wanted) this._wanted.done(false);
    this._wanted = null;
    this._screen.close();
    this.device.close();
  }

  async _take(engine) {
    const { device } = this;
    await device.compile(Object.entries(engine.shaders).filter(([stage]) => isUsed(stage, engine)));
    const { decode, encode } = engine.arrays;
    await device.guarded(() => {
      device.upload("decode", decode);
      device.upload("encode", encode);
      this._engine = engine;
    });
  }

  async _drawAll() {
    this._isDrawing = true;
    await null; // wishes of one event are one
    while (this._wanted) {
      const wanted = this._wanted;
      this._wanted = null;
      try {
        const { look = {} } = wanted;
        const refused = await this._copied;
        if (refused) throw new PictureFault(`this browser copies no picture to the graphics processor: ${refused.message}`);
        if (!hasLook(this._engine, look)) await this._take(withLook(this._engine, look));
        await this.device.guarded(() => this._draw(wanted));
        wanted.done(true);
      } catch (error) {
        wanted.failed(error);
      }
    }
    this._isDrawing = false;
  }

  _draw(wanted) {
    const { device, _frame: frame, _engine: engine } = this;
    if (!frame) throw new Error("there is no frame to be drawn: call give first");
    if (wanted.blurStrength === 0) {
      this._drawSource(frame, engine);
      return;
    }
    const given = new Unlayered(frame, engine, wanted);
    given.requireFits(device);
    this._upload("shapes", "table", engine.lens.tables.shapes(given.mostPx));
    if (given.followsLamps) this._upload("lamp shapes", "lamp table", engine.lens.tables.lampShapes(given.mostPx));
    const bands = bandsOf(given, device.mostBytes);
    let layers = null;
    for (const band of bands) {
      const commands = device.commands();
      layers = layers || given.dispatch(device, commands, !this._isUploaded);
      this._isUploaded = true;
      const result = dispatchBand(device, commands, given, layers, band);
      this._screen.draw(device, commands, frame, engine.transfer.is_linear, result, band);
      commands.submit();
    }
  }

  // Take tables of the lens over to the GPU, unless it has these.
  _upload(ofRecords, ofTable, tables) {
    if (this._tables[ofTable] === tables) return;
    this.device.upload(ofRecords, tables.records);
    this.device.upload(ofTable, tables.table);
    this._tables[ofTable] = tables;
  }

  // No blur: the frame's own pixels.
  _drawSource(frame, engine) {
    const { device } = this;
    const commands = device.commands();
    const [top, bottom] = frame.window;
    if (frame.picture) takePicture(device, commands, frame, true);
    else device.upload("pixels", frame.arrays.pixels);
    this._screen.draw(device, commands, frame, engine.transfer.is_linear, null, { top: 0, bottom: bottom - top });
    commands.submit();
  }
}

// Whether a lens needs a stage, of which there may be two.
function isUsed(stage, { shaders, lens }) {
  if (stage === "present") return false; // the screen's
  if (stage === (lens.limits.levels_share ? "gather_level" : "gather_level_cells")) return false;
  if (stage.endsWith("/cut")) return lens.cuts;
  return !(lens.cuts && `${stage}/cut` in shaders);
}
