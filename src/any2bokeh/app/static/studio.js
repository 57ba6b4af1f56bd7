// The studio's page. Gradio brings the state as JSON and takes commands; pictures and files come from studio/<token>/.
(() => {
  "use strict";
  if (window.studio) return;

  const parts = {};            // the elements of each part of the page, by name
  const store = { state: {}, frame: 0, view: "result", locked: false, compare: false, split: 50, send: null };
  const unsent = [];           // commands given before the stage, which sends them, was mounted
  const clip = () => store.state.clip || null;
  const url = (path) => `studio/${store.state.token}/${path}`;
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const el = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name in made && name !== "list") made[name] = value; else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };

  // ---- commands--------------------------------------------------------------------------------------------------
  function command(what, more = {}) {
    if (what !== "sync") say("");
    const told = { do: what, ...more };
    if (store.send) store.send(told); else unsent.push(told);
  }

  function say(text) {
    const line = parts.header && parts.header.message;
    if (!line) return;
    line.textContent = text || "";
    line.hidden = !text;
  }

  async function upload(kind, file) {
    const box = parts.stage;
    if (!store.state.token || !file) return;
    say("");
    box.welcome.hidden = true;
    box.work.hidden = false;
    box.upload.hidden = kind === "script";
    box.uploadtext.textContent = kind === "video" ? `Opening ${file.name}` : `Reading ${file.name}`;
    box.uploadbar.removeAttribute("value");
    try {
      await sendFile(url(`${kind}?name=${encodeURIComponent(file.name)}`), file, (share) => {
        if (share < 1) box.uploadbar.value = share; else box.uploadbar.removeAttribute("value");
      });
      if (kind === "video") store.frame = 0;
    } catch (error) {
      say(error.message);
    } finally {
      box.upload.hidden = true;
      command("sync");
    }
  }

  function sendFile(to, file, told) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", to);
      request.setRequestHeader("X-Any2bokeh", "1");
      request.upload.onprogress = (event) => event.lengthComputable && told(event.loaded / event.total);
      request.onload = () => request.status === 200 ? resolve() : reject(new Error(sentenceOf(request)));
      request.onerror = () => reject(new Error("The upload failed. The file may be too large, or the studio is no longer running."));
      request.send(file);
    });
  }

  function sentenceOf(request) {
    try { return JSON.parse(request.responseText).error; } catch { return `The studio rejected the file (status ${request.status}).`; }
  }

  // ---- pictures: one request at a time, the newest wish next -----------------------------------------------------
  const pictures = { busy: false, shown: "", provisional: false, beforeFrame: -1 };

  const wish = () => clip() ? `${store.state.token}/${clip().revision}/${store.frame}/${store.view}` : "";

  async function refresh(again = false) {
    const box = parts.stage;
    if (!box || !clip() || pictures.busy) { return; }
    const wanted = wish();
    if (wanted === pictures.shown && !again) return;
    pictures.busy = true;
    pictures.knew = knowledge();
    box.stage.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(url(`picture?frame=${store.frame}&view=${store.view}`));
      if (!answer.ok) {
        const told = await answer.json().catch(() => ({}));
        say(told.error || "The picture could not be rendered.");
        pictures.shown = wanted;
      } else {
        const picture = URL.createObjectURL(await answer.blob());
        await shown(box.pic, picture);
        pictures.shown = wanted;
        pictures.provisional = answer.headers.get("X-Provisional") === "1";
        read(answer.headers.get("X-Focus"), answer.headers.get("X-Blur"));
        box.stage.dataset.shown = wanted;
        box.stage.dataset.provisional = String(pictures.provisional);
      }
      if (store.compare && pictures.beforeFrame !== store.frame) await loadBefore();
    } catch {
      say("The studio does not respond. Check that it is still running.");
      pictures.shown = wanted;
    } finally {
      pictures.busy = false;
      box.stage.removeAttribute("aria-busy");
    }
    if (wish() !== pictures.shown || isStale()) refresh(true);
  }

  function shown(image, source) {
    return new Promise((resolve) => {
      const before = image.src;
      image.onload = image.onerror = () => { if (before.startsWith("blob:")) URL.revokeObjectURL(before); resolve(); };
      image.src = source;
    });
  }

  async function loadBefore() {
    const frame = store.frame;
    const answer = await fetch(url(`picture?frame=${frame}&view=source`));
    if (answer.ok) {
      await shown(parts.stage.beforepic, URL.createObjectURL(await answer.blob()));
      pictures.beforeFrame = frame;
    }
  }

  function read(focus, blur) {
    parts.stage.read.textContent = focus ? `focus ${Number(focus).toFixed(3)} · K ${Number(blur).toPrecision(3)} px` : "";
  }

  // ---- state from the server -------------------------------------------------------------------------------------
  let polling = 0;

  function take(json) {
    let state;
    try { state = JSON.parse(json); } catch { return; }
    if (state.message) say(state.message);
    const before = clip();
    store.state = { ...store.state, ...state };
    if (clip() && before && clip().name !== before.name) { store.frame = 0; pictures.beforeFrame = -1; }
    if (clip()) store.frame = clamp(store.frame, 0, clip().frames - 1);
    draw();
  }

  function draw() {
    if (!parts.stage || !parts.header) return;
    drawHeader();
    drawStage();
    drawTimeline();
    if (parts.keyframes) drawRows();
    if (parts.job) drawJob();  // its tab may not have been opened yet
    drawLoop(store.state.job, store.state.results || {});
    refresh(isStale());
    poll();
  }

  // A provisional picture is asked for again when more is known than when it was asked for.
  const knowledge = () => `${clip().finding.stage}/${clip().depth}/${knownAt(store.frame)}`;
  const isStale = () => pictures.provisional && clip() && knowledge() !== pictures.knew;

  function knownAt(frame) {
    const values = clip().focus;
    return values.length ? values[Math.round(frame / Math.max(1, clip().frames - 1) * (values.length - 1))] !== null : false;
  }

  function poll() {
    const found = clip() && ["estimating", "following"].includes(clip().finding.stage);
    const job = store.state.job && ["waiting", "running", "cancelling"].includes(store.state.job.state);
    if (!(found || job) || polling) return;
    polling = setTimeout(async () => {
      try {
        const answer = await fetch(url("state"));
        polling = 0;
        if (answer.ok) take(JSON.stringify(await answer.json()));
      } catch { polling = 0; setTimeout(poll, 2000); }
    }, 300);
  }

  // Connections break: as long as this page is open, its files are wanted.
  setInterval(() => store.state.token && fetch(url("alive")).catch(() => {}), 25_000);

  // ---- header ----------------------------------------------------------------------------------------------------
  function drawHeader() {
    const box = parts.header, now = clip();
    document.body.classList.toggle("st-has-clip", !!now);
    document.body.classList.toggle("st-has-script", !!(now && (now.keyframes.length || now.is_dense)));
    box.clip.textContent = now ? `${now.name} · ${now.width}×${now.height} · ${now.fps} fps · ${(now.frames / now.fps).toFixed(1)} s` : "";
    if (now) box.save.href = url("focus.json");
    box.root.querySelector('[data-do="undo"]').disabled = !(now && now.can_undo);
    box.root.querySelector('[data-do="redo"]').disabled = !(now && now.can_redo);
  }

  // ---- picture ---------------------------------------------------------------------------------------------------
  function drawStage() {
    const box = parts.stage, now = clip();
    if (box.upload.hidden) {
      box.welcome.hidden = !!now;
      box.work.hidden = !now;
    }
    if (!now) return;
    box.stage.style.setProperty("--ratio", `${now.width} / ${now.height}`);
    box.stage.style.setProperty("--aspect", now.width / now.height);
    box.scrub.max = now.frames - 1;
    box.scrub.value = store.frame;
    box.scrub.setAttribute("aria-valuetext", `frame ${store.frame} of ${now.frames}, ${(store.frame / now.fps).toFixed(2)} seconds`);
    box.clock.textContent = `${(store.frame / now.fps).toFixed(2)} s · frame ${store.frame} of ${now.frames - 1}`;
    for (const button of box.root.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-checked", String(button.dataset.view === store.view));
      button.tabIndex = button.dataset.view === store.view ? 0 : -1;
    }
    box.lock.setAttribute("aria-pressed", String(store.locked));
    box.compare.setAttribute("aria-pressed", String(store.compare));
    for (const part of [box.before, box.edge, box.splitbox]) part.hidden = !store.compare;
    box.stage.style.setProperty("--split", `${store.split}%`);
    box.pic.alt = `Frame ${store.frame}, ${store.view === "result" ? "refocused" : store.view}`;
    const here = now.keyframes.find((k) => k.frame === store.frame);
    box.hint.textContent = here && here.gives_way ? "This keyframe is ignored because a locked keyframe is near it. Lock it to use it."
      : now.keyframes.length || now.is_dense ? "" : "Click the subject that should be in focus";
    box.hint.hidden = !box.hint.textContent;
    drawMarks();
    drawStatus();
  }

  function drawMarks() {
    const here = clip().keyframes.filter((k) => k.frame === store.frame && k.point);
    parts.stage.marks.replaceChildren(...here.map((k) =>
      el("i", { className: k.locked ? "is-locked" : "", style: `left:${k.point[0] * 100}%;top:${k.point[1] * 100}%` })));
  }

  function drawStatus() {
    const { finding, depth_is_rough } = clip(), line = parts.stage.status;
    const share = finding.total ? `${Math.round(100 * finding.done / finding.total)}%` : "";
    const told = {
      estimating: `Estimating the disparity of the clip: ${share}`,
      following: `Following the subject: ${share}`,
      failed: finding.message,
    }[finding.stage] || "";
    line.textContent = told || (depth_is_rough ? "The disparity is a rough estimate. Add a disparity file for better results." : "");
    line.title = finding.remarks.join("\n");
    line.classList.toggle("is-error", finding.stage === "failed");
  }

  // ---- timeline --------------------------------------------------------------------------------------------------
  const place = (frame) => clip().frames > 1 ? 100 * frame / (clip().frames - 1) : 0;

  function drawTimeline() {
    const box = parts.stage, now = clip();
    if (!now) return;
    box.head.style.left = `${place(store.frame)}%`;
    const known = `${now.revision}/${JSON.stringify(now.finding)}/${now.frames}`;
    if (box.timeline.dataset.known === known) return;
    box.timeline.dataset.known = known;
    const graph = box.graph;
    graph.setAttribute("viewBox", "0 0 1000 100");
    const ticks = [];
    const length_s = now.frames / now.fps;
    const step_s = [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600].find((s) => length_s / s <= 12) || 1200;
    for (let s = 0; s <= length_s + 1e-6; s += step_s) {
      const x = 1000 * s * now.fps / Math.max(1, now.frames - 1);
      if (x <= 1000) ticks.push(`<path class="st-tick" d="M${x} 0V100"/>`);
    }
    graph.innerHTML = `${ticks.join("")}<path class="st-track" d="${line(now.focus, 1)}"/>`;
    drawKeys();
  }

  function line(values, most) {
    let path = "", is_down = false;
    values.forEach((value, index) => {
      if (value === null) { is_down = false; return; }
      path += `${is_down ? "L" : "M"}${(1000 * index / Math.max(1, values.length - 1)).toFixed(1)} ${(96 - 92 * value / most).toFixed(2)}`;
      is_down = true;
    });
    return path;
  }

  function drawKeys() {
    const now = clip();
    parts.stage.keys.replaceChildren(...now.keyframes.map((k) => {
      const key = el("button", {
        type: "button", className: `st-key${k.locked ? " is-locked" : ""}${k.kind === "blur" ? " is-blur" : ""}`,
        style: `left:${place(k.frame)}%`, title: `Frame ${k.frame}: ${k.what}${k.locked ? ", locked" : ""}`,
      });
      key.setAttribute("aria-label", `Keyframe at frame ${k.frame}, ${k.what}`);
      dragged(key, k.frame);
      return key;
    }));
  }

  function frameAt(event) {
    const area = parts.stage.timeline.getBoundingClientRect();
    return Math.round(clamp((event.clientX - area.left) / area.width, 0, 1) * (clip().frames - 1));
  }

  function dragged(key, frame) {
    let to = null;
    key.addEventListener("pointerdown", (event) => { key.setPointerCapture(event.pointerId); to = frame; event.stopPropagation(); });
    key.addEventListener("pointermove", (event) => {
      if (to === null) return;
      to = frameAt(event);
      key.style.left = `${place(to)}%`;
    });
    key.addEventListener("pointerup", () => {
      if (to === null) return;
      if (to === frame) go(frame); else { command("move", { frame, to }); go(to); }
      to = null;
    });
    key.addEventListener("pointercancel", () => { to = null; key.style.left = `${place(frame)}%`; });
    key.addEventListener("click", (event) => { if (event.detail === 0) go(frame); });  // from the keyboard
  }

  // ---- list of keyframes -----------------------------------------------------------------------------------------
  function drawRows() {
    const box = parts.keyframes, now = clip();
    const rows = now ? now.keyframes : [];
    const known = JSON.stringify([rows, now && now.is_dense, now && now.frames]);
    const note = box.none;
    note.hidden = rows.length > 0;
    note.textContent = now && now.is_dense
      ? "The script has a value for every frame. Clear it to set keyframes here."
      : "There are no keyframes yet. Click the subject that should be sharp.";
    box.clear.hidden = !(rows.length || (now && now.is_dense));
    if (box.rows.dataset.known !== known) {
      box.rows.dataset.known = known;
      box.rows.replaceChildren(...rows.map(row));
    }
    for (const item of box.rows.children) item.classList.toggle("is-here", Number(item.dataset.frame) === store.frame);
  }

  function row(k) {
    const change = (changes) => command("change", { frame: k.frame, changes });
    const number = (value, attributes, changed) => {
      const input = el("input", { type: "number", value: value ?? "", ...attributes });
      input.addEventListener("change", () => changed(input.value === "" ? null : Number(input.value)));
      return input;
    };
    const frame = number(k.frame, { min: 0, max: clip().frames - 1, step: 1, className: "st-frame", ariaLabel: "Frame of the keyframe" },
      (to) => Number.isInteger(to) && command("move", { frame: k.frame, to }));
    const what = el("button", { type: "button", className: "st-what", title: `${k.kind} ${k.what}: go to frame ${k.frame}` }, k.what);
    what.addEventListener("click", () => go(k.frame));
    const lock = el("button", { type: "button", className: "st-toggle st-mini", title: "A locked keyframe has priority over others near it" }, "Lock");
    lock.setAttribute("aria-pressed", String(k.locked));
    lock.addEventListener("click", () => change({ locked: !k.locked }));
    const follow = el("button", { type: "button", className: "st-toggle st-mini", title: "Follow the subject; otherwise its disparity is held" }, "Follow");
    follow.setAttribute("aria-pressed", String(k.track));
    follow.hidden = k.track === null;
    follow.addEventListener("click", () => change({ track: !k.track }));
    const gone = el("button", { type: "button", className: "st-link st-gone", ariaLabel: `Delete the keyframe at frame ${k.frame}`, title: "Delete this keyframe (Del)" }, "×");
    gone.addEventListener("click", () => command("delete", { frame: k.frame }));
    const blur = number(k.blur_strength, { min: 0, step: 0.5, placeholder: "same", ariaLabel: "Blur strength K, pixels" }, (value) => change({ blur_strength: value }));
    const easing = el("select", { ariaLabel: "Easing" }, ...["smooth", "linear", "hold"].map((name) => el("option", { value: name, selected: name === k.easing }, name)));
    easing.addEventListener("change", () => change({ easing: easing.value }));
    const seconds = number(k.transition_s, { min: 0, step: 0.1, placeholder: "whole", ariaLabel: "Transition, seconds" }, (value) => change({ transition_s: value }));
    const item = el("li", {},
      el("div", { className: "st-row-top" }, frame, what, follow, lock, gone),
      el("div", { className: "st-row-more" },
        el("label", {}, "K ", blur), el("label", {}, "Move ", easing), el("label", {}, "in ", seconds, " s")));
    item.dataset.frame = k.frame;
    if (k.gives_way) { item.classList.add("gives-way"); item.title = "Ignored because a locked keyframe is near it"; }
    return item;
  }

  // ---- render ----------------------------------------------------------------------------------------------------
  function drawJob() {
    const box = parts.job, job = store.state.job, results = store.state.results || {};
    const live = job && ["waiting", "running", "cancelling"].includes(job.state);
    box.job.hidden = !job || (job.kind === "loop" && !live) || job.state === "done" && job.kind === "loop";
    if (job) {
      box.line.textContent = jobLine(job);
      box.line.classList.toggle("is-error", job.state === "failed");
      box.bar.hidden = !live;
      if (job.total) box.bar.value = job.done / job.total; else box.bar.removeAttribute("value");
      box.cancel.hidden = !live;
      box.cancel.disabled = job.state === "cancelling";
    }
    box.job.dataset.state = job ? `${job.kind} ${job.state}` : "";
    box.result.hidden = !results.render;
    if (results.render && box.video.dataset.name !== results.render + store.state.token) {
      box.video.dataset.name = results.render + store.state.token;
      box.video.src = url(`result?of=${results.render}`);
      box.download.href = url("result?download=1");
      box.download.download = job && job.kind === "render" ? job.name : "";  // a click must not look like leaving the page
      box.download.textContent = `Download ${results.render.split(".").pop().toUpperCase()}`;
    }
    box.commandbox.hidden = !(clip() && clip().keyframes.length);
    box.command.textContent = store.state.command || "";
  }

  function jobLine(job) {
    const what = job.kind === "loop" ? "Preview" : "Render";
    if (job.state === "waiting") return `${what} is waiting; ${job.ahead} ahead of it.`;
    if (job.state === "cancelling") return "The render stops at the next frame.";
    if (job.state === "cancelled") return `${what} was cancelled.`;
    if (job.state === "failed") return job.message;
    if (job.state === "done") return `Rendered ${job.total} frames in ${clockTime(job.elapsed_s)}.`;
    if (!job.total) return "Determining the focus of every frame.";
    const left = job.seconds_left === null ? "" : `, about ${clockTime(job.seconds_left)} left`;
    return `${job.done} of ${job.total} frames${left}.`;
  }

  const clockTime = (seconds) => seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

  function drawLoop(job, results) {
    const box = parts.stage, makes = job && job.kind === "loop" && ["waiting", "running", "cancelling"].includes(job.state);
    box.play.lastElementChild.textContent = store.playing ? "Stop" : makes ? `${job.total ? Math.round(100 * job.done / job.total) : 0}%` : "Play 2 s";
    box.play.classList.toggle("is-busy", !!makes);
    if (store.wantsLoop && job && job.kind === "loop" && !makes) {
      store.wantsLoop = false;
      if (job.state === "done") play(results.loop);
      else if (job.state === "failed") say(job.message);
    }
  }

  function play(name) {
    const video = parts.stage.loop;
    video.src = url(`loop?of=${name}`);
    video.hidden = false;
    store.playing = true;
    video.play().catch(() => {});
    draw();
  }

  function stop() {
    if (!store.playing) return;
    const video = parts.stage.loop;
    store.playing = false;
    video.pause();
    video.hidden = true;
    video.removeAttribute("src");
    video.load();
  }

  function playOrStop() {
    if (!clip()) return;
    if (store.playing) { stop(); draw(); return; }
    if (store.wantsLoop) { store.wantsLoop = false; command("cancel"); return; }
    store.wantsLoop = true;
    command("loop", { frame: store.frame });
  }

  // ---- where we are ----------------------------------------------------------------------------------------------
  function go(frame) {
    if (!clip()) return;
    stop();
    store.frame = clamp(frame, 0, clip().frames - 1);
    draw();
  }

  function step(to) {
    const frames = clip() ? clip().keyframes.map((k) => k.frame) : [];
    if (to === "next") return go(frames.find((f) => f > store.frame) ?? clip().frames - 1);
    if (to === "previous") return go(frames.reverse().find((f) => f < store.frame) ?? 0);
    go(store.frame + Number(to));
  }

  function show(view) { stop(); store.view = view; draw(); }
  function lock() { store.locked = !store.locked; draw(); }
  function compare() { store.compare = !store.compare; if (store.compare) loadBefore(); draw(); }

  function focusAt(x, y, locked) {
    stop();
    if (store.view === "source") store.view = "result";
    store.clicked = performance.now();
    command("focus", { frame: store.frame, x, y, locked: locked || store.locked });
  }

  // ---- hands -----------------------------------------------------------------------------------------------------
  function handsOnStage(box) {
    box.stage.addEventListener("pointerdown", (event) => { store.down = [event.clientX, event.clientY]; });
    box.stage.addEventListener("click", (event) => {
      if (!clip() || clip().is_dense && say("The script has a value for every frame. Clear it to set keyframes here.")) return;
      if (store.down && Math.hypot(event.clientX - store.down[0], event.clientY - store.down[1]) > 8) return;
      const area = box.pic.getBoundingClientRect();
      const x = (event.clientX - area.left) / area.width, y = (event.clientY - area.top) / area.height;
      if (x >= 0 && x <= 1 && y >= 0 && y <= 1) focusAt(x, y, event.shiftKey);
    });
    box.edge.addEventListener("pointerdown", (event) => { event.stopPropagation(); event.preventDefault(); box.edge.setPointerCapture(event.pointerId); store.sliding = true; });
    box.edge.addEventListener("pointermove", (event) => {
      if (!store.sliding) return;
      const area = box.stage.getBoundingClientRect();
      setSplit(clamp(100 * (event.clientX - area.left) / area.width, 0, 100));
    });
    box.edge.addEventListener("pointerup", () => { store.sliding = false; });
    box.edge.addEventListener("click", (event) => event.stopPropagation());
    box.split.addEventListener("input", () => setSplit(Number(box.split.value)));
    box.scrub.addEventListener("input", () => go(Number(box.scrub.value)));
    let scrubbing = false;
    box.timeline.addEventListener("pointerdown", (event) => { if (event.target.closest(".st-key")) return; scrubbing = true; box.timeline.setPointerCapture(event.pointerId); go(frameAt(event)); });
    box.timeline.addEventListener("pointermove", (event) => scrubbing && go(frameAt(event)));
    for (const over of ["pointerup", "pointercancel"]) box.timeline.addEventListener(over, () => { scrubbing = false; });
    for (const button of box.root.querySelectorAll("[data-view]")) {
      button.addEventListener("click", () => show(button.dataset.view));
      button.addEventListener("keydown", (event) => {
        const all = [...box.root.querySelectorAll("[data-view]")], at = all.indexOf(button);
        const to = { ArrowRight: at + 1, ArrowLeft: at - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault(); event.stopPropagation();
        const next = all[(to + all.length) % all.length];
        show(next.dataset.view); next.focus();
      });
    }
    for (const button of box.root.querySelectorAll("[data-go]")) button.addEventListener("click", () => step(button.dataset.go));
    box.lock.addEventListener("click", lock);
    box.compare.addEventListener("click", compare);
    box.play.addEventListener("click", playOrStop);
  }

  function setSplit(share) {
    store.split = share;
    parts.stage.split.value = share;
    parts.stage.stage.style.setProperty("--split", `${share}%`);
  }

  function handsOnFiles(root) {
    for (const input of root.querySelectorAll("input[type=file]")) {
      input.addEventListener("change", () => { upload(input.dataset.el, input.files[0]); input.value = ""; });
      input.parentElement.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); input.click(); }
      });
    }
    for (const button of root.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => {
        if (button.dataset.do === "help") parts.help.help.showModal();
        else { if (button.dataset.do === "demo") { store.frame = 0; button.classList.add("is-busy"); setTimeout(() => button.classList.remove("is-busy"), 1500); } command(button.dataset.do); }
      });
    }
  }

  // ---- keyboard --------------------------------------------------------------------------------------------------
  const aim = { is_on: false, x: 0.5, y: 0.5 };

  function drawAim() {
    const mark = parts.stage.aim;
    mark.hidden = !aim.is_on;
    mark.style.left = `${aim.x * 100}%`;
    mark.style.top = `${aim.y * 100}%`;
  }

  function aimed(event) {
    const far = event.shiftKey ? 0.1 : 0.02;
    const way = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }[event.key];
    if (way) { aim.x = clamp(aim.x + way[0], 0, 1); aim.y = clamp(aim.y + way[1], 0, 1); }
    else if (event.key === "Enter") { focusAt(aim.x, aim.y, event.shiftKey); aim.is_on = false; }
    else if (event.key === "Escape") aim.is_on = false;
    else return false;
    drawAim();
    return true;
  }

  function pressed(event) {
    if (!clip() || parts.help.help.open) { if (event.key === "?" && !typing(event)) parts.help.help.showModal(); return; }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !typing(event)) {
      event.preventDefault();
      command(event.shiftKey ? "redo" : "undo");
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event)) return;
    const onButton = event.target.closest && event.target.closest("button, a, label, summary, [role=tab]");
    if (onButton && (event.key === " " || event.key === "Enter")) return;
    if (aim.is_on && aimed(event)) { event.preventDefault(); return; }
    const commands = {
      ArrowLeft: () => step(event.shiftKey ? -10 : -1), ArrowRight: () => step(event.shiftKey ? 10 : 1),
      Home: () => go(0), End: () => go(clip().frames - 1), "[": () => step("previous"), "]": () => step("next"),
      " ": playOrStop, 1: () => show("result"), 2: () => show("source"), 3: () => show("plane"), 4: () => show("depth"),
      c: compare, l: lock, f: () => { aim.is_on = true; drawAim(); parts.stage.stage.focus(); },
      Delete: () => clip().keyframes.some((k) => k.frame === store.frame) && command("delete", { frame: store.frame }),
      "?": () => parts.help.help.showModal(),
    };
    const act = commands[event.key] || commands[event.key.toLowerCase()];
    if (act) { event.preventDefault(); act(); }
  }

  function typing(event) {
    const target = event.target;
    return target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName || "") && !(target.type === "range" && target === parts.stage.split && false);
  }

  // ---- mounting --------------------------------------------------------------------------------------------------
  const mounted = {
    header(box) { handsOnFiles(box.root); },
    stage(box, props, send, watch) {
      store.send = send;
      for (const told of unsent.splice(0)) send(told);
      handsOnFiles(box.root);
      handsOnStage(box);
      watch("value", () => take(props.value));
      if (props.value) take(props.value);
    },
    keyframes(box) { box.clear.addEventListener("click", () => command("clear")); },
    job(box) { box.cancel.addEventListener("click", () => command("cancel")); },
    help(box) {
      box.close.addEventListener("click", () => box.help.close());
      box.help.addEventListener("click", (event) => event.target === box.help && box.help.close());
    },
  };

  window.studio = {
    mount(name, element, props, send, watch) {
      const box = { root: element };
      for (const part of element.querySelectorAll("[data-el]")) box[part.dataset.el] = part;
      parts[name] = box;
      // Before this nobody hears them; see the markup.
      for (const control of element.querySelectorAll("[data-do], input[type=file]")) control.disabled = false;
      mounted[name](box, props, send, watch);
      draw();
    },
    store,
  };

  document.addEventListener("keydown", pressed);
  document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("st-dropping"); });
  document.addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("st-dropping"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("st-dropping");
    const file = event.dataTransfer.files[0];
    if (file) upload(file.name.endsWith(".json") ? "script" : file.name.endsWith(".npy") ? "disparity" : "video", file);
  });
})();
