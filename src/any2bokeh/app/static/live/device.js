// A GPU that computes: its buffers, its pipelines, and lists of dispatches. `gpu/device.py` is its twin.

const UNIFORM_SLOT = 256;
const MOST_DISPATCHES = 2048;
const NEEDED = { maxComputeWorkgroupStorageSize: 16384, maxComputeInvocationsPerWorkgroup: 256, maxStorageBuffersPerShaderStage: 8 };

// The GPU cannot do what is asked of it. The message is one line, for a person.
export class GpuFault extends Error {}

// Open the browser's GPU.
//
// mostBytes: the largest buffer that is asked for; the browser may give less.
// lost: called with a GpuFault when the GPU goes away later.
export async function openDevice({ mostBytes = 2 ** 31 - 4, lost = () => {} } = {}) {
  if (!navigator.gpu) throw new GpuFault("this browser has no WebGPU, or the page was not loaded over HTTPS or from this machine");
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new GpuFault("this browser has WebGPU, but found no graphics processor for it");
  for (const [name, least] of Object.entries(NEEDED)) {
    if (adapter.limits[name] < least) throw new GpuFault(`the graphics processor is too small: ${name} is ${adapter.limits[name]}, and ${least} is needed`);
  }
  // WebGPU's defaults are enough for the shaders; larger buffers are asked for where there are any.
  const defaults = { maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 };
  const requiredLimits = {};
  for (const [name, size] of Object.entries(defaults)) {
    requiredLimits[name] = Math.min(adapter.limits[name], Math.max(size, mostBytes));
  }
  let device;
  try {
    device = await adapter.requestDevice({ requiredLimits });
  } catch (error) {
    throw new GpuFault(`the graphics processor could not be opened: ${oneLine(error)}`);
  }
  return new Device(device, Math.min(mostBytes, ...Object.values(requiredLimits)), nameOf(adapter), lost);
}

class Device {
  constructor(device, mostBytes, name, lost) {
    this.device = device;
    this.mostBytes = mostBytes; // of a buffer that a stage binds
    this.name = name;
    this.fault = null; // why it can no longer be used
    this.picture = null; // the view of what `copyPicture` copied
    this._texture = null;
    this._buffers = new Map();
    this._pipelines = new Map();
    this._groups = new Map();
    this._ids = new WeakMap();
    this._lastId = 0;
    device.lost.then((info) => {
      if (this.fault) return; // closed by the page
      this.fault = new GpuFault(`the graphics processor was lost${info.message ? `: ${oneLine(info)}` : ""}`);
      lost(this.fault);
    });
  }

  // Of all its buffers, and the picture.
  get heldBytes() {
    const ofPicture = this._texture ? 4 * this._texture.width * this._texture.height : 0;
    return [...this._buffers.values()].reduce((total, { size }) => total + size, ofPicture);
  }

  // The buffer of a name, with room for `size` bytes; what it held is lost where it has to grow.
  buffer(name, size, usage = GPUBufferUsage.STORAGE) {
    size = Math.ceil(Math.max(size, 16) / 16) * 16;
    if (usage === GPUBufferUsage.STORAGE && size > this.mostBytes) throw new GpuFault(`a buffer of ${Math.ceil(size / 2 ** 20)} MiB is larger than this browser's GPU allows`);
    let buffer = this._buffers.get(name);
    if (!buffer || buffer.size < size) {
      if (buffer) {
        buffer.destroy();
        this._groups.clear();
      }
      buffer = this.device.createBuffer({ size, usage: usage | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
      this._buffers.set(name, buffer);
    }
    return buffer;
  }

  // The buffer of a name, filled with typed arrays, one after another.
  upload(name, ...arrays) {
    const buffer = this.buffer(name, arrays.reduce((total, { byteLength }) => total + byteLength, 0));
    let at = 0;
    for (const each of arrays) {
      this.device.queue.writeBuffer(buffer, at, each);
      at += each.byteLength;
    }
    return buffer;
  }

  // Copy what a video, or another picture of the page, shows now; what was copied before is lost. A browser that cannot
  // throws an error, or it resolves to what the GPU refused; else to null.
  copyPicture(source, width, height) {
    this.device.pushErrorScope("validation");
    let refused;
    try {
      if (!this._texture || this._texture.width !== width || this._texture.height !== height) {
        if (this._texture) this._texture.destroy();
        const { COPY_DST, RENDER_ATTACHMENT, TEXTURE_BINDING } = GPUTextureUsage;
        const usage = COPY_DST | RENDER_ATTACHMENT | TEXTURE_BINDING;
        this._texture = this.device.createTexture({ size: [width, height], format: "rgba8unorm", usage });
        this.picture = this._texture.createView();
        this._groups.clear();
      }
      this.device.queue.copyExternalImageToTexture({ source }, { texture: this._texture }, [width, height]);
    } finally {
      refused = this.device.popErrorScope();
    }
    return refused;
  }

  // Compile stages, beside one another: pairs of a key and a source.
  async compile(sources) {
    const missing = sources.filter(([key]) => !this._pipelines.has(key));
    const made = missing.map(async ([key, code]) => {
      const module = this.device.createShaderModule({ code });
      const compute = { module, entryPoint: "main" };
      this._pipelines.set(key, await this.device.createComputePipelineAsync({ layout: "auto", compute }));
    });
    try {
      await Promise.all(made);
    } catch (error) {
      throw new GpuFault(`a shader could not be compiled: ${oneLine(error)}`);
    }
  }

  commands() {
    return new Commands(this);
  }

  // Do some work; a fault of the GPU in it is thrown once all of it is done.
  async guarded(work) {
    if (this.fault) throw this.fault;
    this.device.pushErrorScope("out-of-memory");
    this.device.pushErrorScope("validation");
    let thrown = null;
    try {
      work();
    } catch (error) {
      thrown = error;
    }
    const scopes = [this.device.popErrorScope(), this.device.popErrorScope()];
    let errors = [];
    try {
      errors = await Promise.all(scopes);
      await this.device.queue.onSubmittedWorkDone();
    } catch (error) {
      throw this.fault || new GpuFault(`the graphics processor was lost: ${oneLine(error)}`);
    }
    if (thrown) throw thrown;
    if (this.fault) throw this.fault;
    for (const error of errors) if (error) throw new GpuFault(`the graphics processor refused: ${oneLine(error)}`);
  }

  // Give all memory back.
  close() {
    this.fault = this.fault || new GpuFault("the preview was closed");
    for (const buffer of this._buffers.values()) buffer.destroy();
    if (this._texture) this._texture.destroy();
    this._texture = this.picture = null;
    this._buffers.clear();
    this._groups.clear();
    this.device.destroy();
  }

  // A uniform buffer, and where in it a slot begins.
  uniform(offset) {
    const buffer = this.buffer("params", MOST_DISPATCHES * UNIFORM_SLOT, GPUBufferUsage.UNIFORM);
    return { buffer, offset, size: UNIFORM_SLOT };
  }

  // The buffers and views of a dispatch, bound; kept, as the next frame binds the same.
  group(pipeline, uniform, buffers) {
    const key = [pipeline, uniform.buffer, ...buffers].map((each) => this._idOf(each)).join() + `@${uniform.offset}`;
    if (!this._groups.has(key)) {
      const resources = [uniform, ...buffers.map((each) => (each instanceof GPUBuffer ? { buffer: each } : each))];
      const entries = resources.map((resource, binding) => ({ binding, resource }));
      this._groups.set(key, this.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    }
    return this._groups.get(key);
  }

  _idOf(thing) {
    if (!this._ids.has(thing)) this._ids.set(thing, ++this._lastId);
    return this._ids.get(thing);
  }
}

// Dispatches in order, each with its parameters.
class Commands {
  constructor(device) {
    this._device = device;
    this._steps = [];
    this._slots = [];
  }

  // Run a stage: `buffers` from binding 1 on, `groups` workgroups across and down.
  dispatch(key, params, buffers, groups) {
    const pipeline = this._device._pipelines.get(key);
    if (!pipeline) throw new Error(`stage ${key} was not compiled`);
    const group = this._device.group(pipeline, this._slotOf(params), buffers);
    this._steps.push({ pipeline, group, groups });
  }

  // Draw a triangle over some rows of a picture; `pass` says where, and what becomes of the rest.
  draw(pipeline, params, buffers, pass, [top, rows, width]) {
    const group = this._device.group(pipeline, this._slotOf(params), buffers);
    this._steps.push({ pipeline, group, pass, scissor: [0, top, width, rows] });
  }

  // Zero a buffer.
  clear(buffer) {
    this._steps.push({ clears: buffer });
  }

  // Hand all over to the GPU; returns at once.
  submit() {
    const { device } = this._device;
    const bytes = new Uint8Array(this._slots.length * UNIFORM_SLOT);
    this._slots.forEach((params, i) => bytes.set(params, i * UNIFORM_SLOT));
    device.queue.writeBuffer(this._device.uniform(0).buffer, 0, bytes);
    const encoder = device.createCommandEncoder();
    let computing = null;
    for (const { pipeline, group, groups, clears, pass, scissor } of this._steps) {
      if (clears || pass) {
        if (computing) computing.end();
        computing = null;
      }
      if (clears) {
        encoder.clearBuffer(clears);
      } else if (pass) {
        const drawing = encoder.beginRenderPass(pass);
        drawing.setPipeline(pipeline);
        drawing.setBindGroup(0, group);
        drawing.setScissorRect(...scissor);
        drawing.draw(3);
        drawing.end();
      } else {
        computing = computing || encoder.beginComputePass();
        computing.setPipeline(pipeline);
        computing.setBindGroup(0, group);
        computing.dispatchWorkgroups(...groups);
      }
    }
    if (computing) computing.end();
    device.queue.submit([encoder.finish()]);
  }

  _slotOf(params) {
    if (this._slots.length === MOST_DISPATCHES) throw new GpuFault("a frame takes more steps than the GPU is given at a time");
    this._slots.push(params);
    return this._device.uniform((this._slots.length - 1) * UNIFORM_SLOT);
  }
}

function nameOf(adapter) {
  const { description, device, architecture, vendor } = adapter.info || {};
  return description || [vendor, device || architecture].filter(Boolean).join(" ") || "unnamed adapter";
}

function oneLine(error) {
  return String(error.message || error).split(/\s+/).join(" ").slice(0, 200);
}
