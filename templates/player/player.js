// The player of convanim: <convanim-player> shows the frames of an animation as vectors.
// Its data are the JSON in the attribute `data`. What is inside the element shows until this script runs.
(() => {
  "use strict";
  if (customElements.get("convanim-player")) return;
  const SVG = "http://www.w3.org/2000/svg";
  const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4];

  const make = (name, attributes = {}, children = []) => {
    const svg = /^(svg|g|defs|path|rect|use|polygon|clipPath|title)$/.test(name);
    const node = svg ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const pairs = (numbers) => {
    const out = [];
    for (let i = 0; i < numbers.length; i += 2) out.push(`${numbers[i]} ${numbers[i + 1]}`);
    return out;
  };
  const closed = (numbers) => `M${pairs(numbers).join("L")}z`;

  const STYLE = `
    :host { display: block; position: relative; font: 15px/1.4 system-ui, sans-serif; color: var(--text);
      background: var(--page); border-radius: 6px; }
    :is(button, input, select):focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
    :host(:focus-visible) { outline: none; } /* drawn inside, where no notebook cuts it off */
    :host(:focus-visible)::after { content: ""; position: absolute; inset: 0; border: 3px solid var(--accent);
      border-radius: inherit; pointer-events: none; }
    svg { display: block; width: 100%; height: auto; }
    .stage { position: relative; }
    .stage use { cursor: default; } .stage use.written { cursor: pointer; }
    .none, .letters, .rules, .under, .over, .words { pointer-events: none; }
    .terms rect { fill: transparent; cursor: pointer; }
    .light { fill: none; stroke: var(--accent); pointer-events: none; }
    .bar { display: flex; align-items: center; gap: 8px; padding: 6px 10px; flex-wrap: wrap; }
    .bar button, .bar select { font: inherit; color: inherit; background: none; border: 1px solid transparent;
      border-radius: 6px; min-width: 34px; min-height: 34px; padding: 0 6px; cursor: pointer; }
    .bar select option { color: #111; background: #fff; }
    .bar button:hover, .bar select:hover { border-color: currentColor; }
    .bar button svg { width: 18px; height: 18px; margin: auto; fill: currentColor; }
    .track { flex: 1 1 90px; position: relative; }
    .track input { width: 100%; margin: 0; accent-color: var(--accent); }
    .marks { position: absolute; inset: auto 8px -3px; height: 5px; pointer-events: none; }
    .marks i { position: absolute; width: 2px; height: 5px; background: currentColor; opacity: 0.6; }
    .count { font-variant-numeric: tabular-nums; min-width: 5.5em; text-align: right; }
    .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    .tip { position: absolute; z-index: 2; max-width: 80%; padding: 4px 8px; border-radius: 6px; pointer-events: none;
      background: var(--text); color: var(--page); font-variant-numeric: tabular-nums; }
    .tip:empty { display: none; }
    .sheet { display: none; }
    :host(:fullscreen) { display: flex; flex-direction: column; border-radius: 0; }
    :host(:fullscreen) .stage { flex: 1; min-height: 0; } :host(:fullscreen) .stage svg { height: 100%; }
    @media print {
      .stage, .bar, .tip { display: none; }
      .sheet { display: grid; grid-template-columns: 1fr 1fr; gap: 12px; }
      .sheet svg { border: 1px solid #ccc; break-inside: avoid; } .sheet svg:last-child { grid-column: 1 / -1; }
    }`;

  const ICONS = {
    play: "M5 3v12l10-6z",
    pause: "M4 3h4v12H4zM10 3h4v12h-4z",
    back: "M13 3v12L6 9zM4 3h2v12H4z",
    on: "M5 3v12l7-6zM12 3h2v12h-2z",
    full: "M2 2h6v2H4v4H2zM10 2h6v6h-2V4h-4zM2 10h2v4h4v2H2zM14 10h2v6h-6v-2h4z",
  };

  class Player extends HTMLElement {
    connectedCallback() {
      // Notebooks take the results that are out of sight from the page, and put them back later.
      if (this.data) return this.listen();
      const data = this.getAttribute("data");
      if (data) this.start(JSON.parse(data));
    }

    // Show other data in place of the present ones.
    start(data) {
      this.disconnectedCallback();
      this.data = data;
      this.at = -1;
      this.clips = 0;
      this.now = new Int32Array(this.slots()); // the sprite of each cell
      this.texts = {};
      this.rate = 1;
      this.left = this.data.plays || Infinity;
      if (!this.shadowRoot) this.attachShadow({ mode: "open" });
      this.shadowRoot.replaceChildren();
      this.shadowRoot.adoptedStyleSheets = [this.sheet(STYLE), this.sheet(this.inks())];
      this.build();
      this.index();
      this.listen();
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      const paused = still || this.hasAttribute("paused");
      this.show(still ? this.last : 0);
      if (!this.hashed() && !paused) this.play();
    }

    disconnectedCallback() {
      this.pause();
      this.ends?.abort();
    }

    get last() {
      return this.data.frames.length - 1;
    }

    sheet(text) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      return sheet;
    }

    slots() {
      return this.data.panels.reduce((sum, panel) => sum + panel.at.length / 2, 0);
    }

    // Colours as classes, which follow the color-scheme of the page if there are two themes.
    inks() {
      const [light, dark] = this.data.colours;
      const both = (i) => (dark ? `light-dark(${light[i]},${dark[i]})` : light[i]);
      const of = (name) => both(this.data.named[name]);
      const rules = light.map((_, i) => `.f${i}{fill:${both(i)}}.s${i}{stroke:${both(i)};fill:none}`);
      return `:host{--page:${of("page")};--text:${of("text")};--accent:${of("kernel.stroke")}}${rules.join("")}`;
    }

    // Drawing.

    build() {
      const { size, labels, fixed, panels, title } = this.data;
      const parts = { defs: make("defs"), words: make("g", { class: "words" }) };
      this.defs = parts.defs;
      this.defined = new Set();
      const layer = (name) => (parts[name] = make("g", { class: name }));
      const grounds = make("g");
      const letters = layer("letters");
      this.grounds = [];
      this.letters = [];
      for (const panel of panels)
        for (let i = 0; i < panel.at.length; i += 2) {
          const where = { x: panel.at[i], y: panel.at[i + 1] };
          this.grounds.push(make("use", where));
          this.letters.push(make("use", where));
        }
      grounds.append(...this.grounds);
      letters.append(...this.letters);
      this.layers = parts;
      this.svg = make("svg", { viewBox: `0 0 ${size[0]} ${size[1]}`, role: "img", "aria-label": title }, [
        parts.defs,
        make("rect", { width: size[0], height: size[1], class: `f${this.data.named.page}` }),
        make("g", { class: "none" }, this.shapes(fixed)),
        parts.words,
        grounds,
        layer("rules"),
        layer("under"),
        letters,
        layer("over"),
        layer("light"),
        layer("terms"),
      ]);
      const button = (name, icon) => {
        const node = make("button", { type: "button", "aria-label": labels[name], title: labels[name] });
        node.append(make("svg", { viewBox: "0 0 18 18", "aria-hidden": "true" }, [make("path", { d: ICONS[icon] })]));
        return node;
      };
      this.buttons = {
        back: button("back", "back"),
        play: button("play", "play"),
        on: button("on", "on"),
        full: button("full", "full"),
      };
      this.range = make("input", { type: "range", min: 0, max: this.last, step: 1, "aria-label": labels.scrub });
      this.speed = make("select", { "aria-label": labels.speed, title: labels.speed });
      for (const rate of SPEEDS) {
        const option = make("option", { value: rate }, [`${rate}×`]);
        option.selected = rate === 1;
        this.speed.append(option);
      }
      this.count = make("span", { class: "count", "aria-hidden": "true" });
      const marks = make("div", { class: "marks", "aria-hidden": "true" });
      for (const [start] of this.data.phases.slice(1)) {
        const mark = make("i");
        mark.style.left = `${(100 * start) / Math.max(1, this.last)}%`;
        marks.append(mark);
      }
      this.said = make("div", { class: "said", role: "status", "aria-live": "polite" });
      this.tip = make("div", { class: "tip", "aria-hidden": "true" });
      this.printed = make("div", { class: "sheet" });
      const { back, play, on, full } = this.buttons;
      this.stage = make("div", { class: "stage", part: "stage" }, [this.svg, this.tip]);
      const track = make("div", { class: "track" }, [this.range, marks]);
      const bar = make("div", { class: "bar", part: "bar" }, [play, back, on, track, this.count, this.speed, full]);
      this.shadowRoot.append(this.stage, bar, this.said, this.printed);
      if (!this.hasAttribute("tabindex")) this.tabIndex = 0;
      if (!this.hasAttribute("role")) this.setAttribute("role", "group");
      if (!this.hasAttribute("aria-label")) this.setAttribute("aria-label", title);
    }

    // The reference to a letter ("l"), or to the lower ("a") or upper ("b") shapes of a cell, defined on first use.
    ref(kind, number) {
      const id = kind + number;
      if (!this.defined.has(id)) {
        this.defined.add(id);
        const { glyphs, sprites } = this.data;
        if (kind === "l") this.defs.append(make("path", { id, d: glyphs[number][1] }));
        else this.defs.append(make("g", { id }, this.shapes(sprites[number][kind === "a" ? 0 : 1])));
      }
      return `#${id}`;
    }

    shapes(list) {
      return list.map((shape) => this.shape(shape));
    }

    shape([kind, a, b, c, d, e, f, g]) {
      if (kind === "f") {
        const node = make("rect", { class: `${g ? "s" : "f"}${a}`, x: b, y: c, width: d, height: e });
        if (g) node.setAttribute("stroke-width", g);
        if (f) node.setAttribute("rx", f);
        return node;
      }
      if (kind === "p") return make("path", { class: `f${a}`, d: closed(b), ...(c < 1 && { opacity: c }) });
      if (kind === "s") {
        const d0 = c.map((line) => {
          const shut = line.length > 4 && line[0] === line.at(-2) && line[1] === line.at(-1);
          return shut ? closed(line.slice(0, -2)) : `M${pairs(line).join("L")}`;
        });
        const more = d ? { "stroke-dasharray": d } : e ? { "stroke-linecap": "round", "stroke-linejoin": "round" } : {};
        return make("path", { class: `s${a}`, "stroke-width": b, d: d0.join(""), ...more });
      }
      if (kind === "w") {
        const scale = b / this.data.em;
        const letters = [];
        let pen = 0;
        e.forEach((glyph, i) => {
          const [advance, path] = this.data.glyphs[glyph];
          const x = f ? f[i] / this.data.tenths / scale : pen;
          if (path) letters.push(make("use", { href: this.ref("l", glyph), x: Math.round(10 * x) / 10 }));
          pen += advance;
        });
        return make("g", { class: `f${a}`, transform: `translate(${c} ${d}) scale(${scale})` }, letters);
      }
      if (kind === "g") {
        const moved = { x: a, y: b };
        return make("g", {}, ["a", "b"].map((part) => make("use", { href: this.ref(part, c), ...moved })));
      }
      const node = make("g", {}, this.shapes(c));
      const inside = a.length ? closed(a) : "";
      const [width, height] = this.data.size;
      const outside = b.length ? `M0 0H${width}V${height}H0z${closed(b)}` : "";
      return [inside, outside].reduce((inner, path) => {
        if (!path) return inner;
        const id = `k${(this.clips = (this.clips || 0) + 1)}`;
        const clip = make("clipPath", { id }, [make("path", { d: path, "clip-rule": "evenodd" })]);
        return make("g", { "clip-path": `url(#${id})` }, [clip, inner]);
      }, node);
    }

    // What the cells show after a frame: each change of the frames up to it.
    state(number) {
      const from = number > this.at ? this.at + 1 : 0;
      const cells = from ? new Map() : new Map(Array.from(this.now, (_, i) => [i, 0]));
      const [texts, rules] = [{}, {}];
      for (let i = from; i <= number; i++) {
        const { c = [], t = {}, l = {} } = this.data.frames[i];
        for (let j = 0; j < c.length; j += 2) cells.set(c[j], c[j + 1]);
        Object.assign(texts, t);
        Object.assign(rules, l);
      }
      return [cells, texts, rules];
    }

    show(number) {
      number = Math.max(0, Math.min(this.last, number));
      if (number === this.at) return;
      const frame = this.data.frames[number];
      const [cells, texts, rules] = this.state(number);
      for (const [slot, sprite] of cells) {
        if (this.now[slot] === sprite) continue;
        this.now[slot] = sprite;
        this.grounds[slot].setAttribute("href", this.ref("a", sprite));
        this.letters[slot].setAttribute("href", this.ref("b", sprite));
      }
      for (const [layer, changed] of [["words", texts], ["rules", rules]])
        for (const [key, shapes] of Object.entries(changed)) {
          const name = `${layer} ${key}`;
          const node = this.texts[name] ?? (this.texts[name] = this.layers[layer].appendChild(make("g")));
          node.replaceChildren(...this.shapes(shapes));
        }
      this.layers.under.replaceChildren(...this.shapes(frame.u ?? []));
      this.layers.over.replaceChildren(...this.shapes(frame.o ?? []));
      this.layers.light.replaceChildren();
      this.layers.terms.replaceChildren(
        ...(frame.k ?? []).map(([slot, x, y, width, height]) => {
          const box = make("rect", { x, y, width, height });
          box.term = slot;
          return box;
        }),
      );
      this.tip.textContent = "";
      this.at = number;
      this.range.value = number;
      this.range.setAttribute("aria-valuetext", frame.say || `${number + 1} / ${this.last + 1}`);
      this.count.textContent = frame.s ? `${frame.s} / ${this.data.steps}` : `– / ${this.data.steps}`;
      this.dispatchEvent(new CustomEvent("convanim-step", { detail: { frame: number, step: frame.s ?? 0 } }));
    }

    announce() {
      this.said.textContent = this.data.frames[this.at].say ?? "";
    }

    // Time.

    get playing() {
      return this.timer !== undefined;
    }

    play() {
      if (this.playing) return;
      if (this.at === this.last) this.show(0);
      this.label("pause");
      this.tick();
    }

    tick() {
      this.timer = setTimeout(() => {
        if (this.at === this.last) {
          if (--this.left <= 0) {
            this.left = this.data.plays || Infinity;
            return this.pause();
          }
          this.show(0);
        } else this.show(this.at + 1);
        this.tick();
      }, this.data.frames[this.at].ms / this.rate);
    }

    pause() {
      clearTimeout(this.timer);
      this.timer = undefined;
      if (this.buttons) this.label("play");
    }

    restart() {
      this.pause();
      this.left = this.data.plays || Infinity;
      this.show(0);
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.play();
    }

    label(name) {
      const { play } = this.buttons;
      play.setAttribute("aria-label", this.data.labels[name]);
      play.title = this.data.labels[name];
      play.querySelector("path").setAttribute("d", ICONS[name]);
    }

    go(number) {
      this.pause();
      this.show(number);
      this.announce();
    }

    // The last frame of a placement, counted from 1.
    step(number) {
      const found = this.data.frames.findLastIndex((frame) => frame.s === number && frame.w);
      this.go(found >= 0 ? found : number < 1 ? 0 : this.last);
    }

    hashed() {
      const found = /(?:^#|&)step=(\d+)/.exec(location.hash);
      if (found) this.step(Number(found[1]));
      return Boolean(found);
    }

    // Which frames write and read each cell.
    index() {
      this.writes = new Map();
      this.reads = new Map();
      this.data.frames.forEach(({ r = [], w = [] }, i) => {
        if (!w.length) return;
        for (const slot of w) this.writes.set(slot, [...(this.writes.get(slot) ?? []), i]);
        for (const slot of r) this.reads.set(slot, [...(this.reads.get(slot) ?? []), i]);
      });
      for (const slot of this.writes.keys()) this.grounds[slot].classList.add("written");
      this.grounds.forEach((node, slot) => (node.slotNumber = slot));
    }

    outline(slot) {
      for (const panel of this.data.panels) {
        const cells = panel.at.length / 2;
        if (slot < cells) {
          const [x, y] = [panel.at[2 * slot], panel.at[2 * slot + 1]];
          const moved = panel.area.map((number, i) => number + (i % 2 ? y : x));
          return make("path", { d: closed(moved), "stroke-width": this.data.size[0] / 400 });
        }
        slot -= cells;
      }
    }

    touch(slot, event) {
      const written = this.writes.get(slot);
      const frames = written ?? this.reads.get(slot) ?? [];
      const cells = new Set([slot]);
      for (const i of frames) {
        const { r = [], w = [] } = this.data.frames[i];
        for (const other of written ? r : w) cells.add(other);
      }
      this.layers.light.replaceChildren(...[...cells].map((cell) => this.outline(cell)));
      const formulas = [...new Set(frames.map((i) => this.data.frames[i].f).filter(Boolean))];
      const { labels } = this.data;
      const used = `${labels.used}: ${formulas.length}`;
      this.tip.textContent = formulas.length > 2 ? used : formulas.join("   ");
      const box = this.stage.getBoundingClientRect();
      this.tip.style.top = `${event.clientY - box.top + 14}px`;
      const [near, far] = event.clientX - box.left > box.width / 2 ? ["right", "left"] : ["left", "right"];
      this.tip.style[far] = "auto";
      this.tip.style[near] = `${near === "left" ? event.clientX - box.left : box.right - event.clientX}px`;
    }

    listen() {
      this.ends?.abort();
      this.ends = new AbortController();
      const { signal } = this.ends;
      const on = (target, name, act) => target.addEventListener(name, act, { signal });
      const { back, play, on: next, full } = this.buttons;
      const toggle = () => (this.playing ? (this.pause(), this.announce()) : this.play());
      on(play, "click", toggle);
      on(back, "click", () => this.go(this.at - 1));
      on(next, "click", () => this.go(this.at + 1));
      on(full, "click", () => (document.fullscreenElement ? document.exitFullscreen() : this.requestFullscreen()));
      on(this.range, "input", () => this.go(Number(this.range.value)));
      on(this.speed, "change", () => {
        this.rate = Number(this.speed.value);
        if (this.playing) (clearTimeout(this.timer), this.tick());
      });
      on(this.svg, "pointermove", (event) => {
        const { slotNumber: slot, term } = event.target;
        if (term !== undefined) return this.layers.light.replaceChildren(this.outline(term));
        if (slot === undefined || !this.now[slot]) return this.leave();
        this.touch(slot, event);
      });
      on(this.svg, "pointerleave", () => this.leave());
      on(this.svg, "click", (event) => {
        const frames = this.writes.get(event.target.slotNumber);
        if (frames) this.go(frames.at(-1));
      });
      const keys = {
        " ": toggle,
        ArrowRight: () => this.go(this.at + 1),
        ArrowLeft: () => this.go(this.at - 1),
        Home: () => this.go(0),
        End: () => this.go(this.last),
        f: () => full.click(),
      };
      on(this, "keydown", (event) => {
        const inner = event.composedPath()[0];
        const own = inner instanceof HTMLButtonElement && event.key === " ";
        if (!keys[event.key] || own || inner === this.speed || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        event.stopPropagation(); // a deck would turn the slide
        keys[event.key]();
      });
      on(window, "hashchange", () => this.hashed());
      on(window, "message", ({ data }) => this.hear(data));
      on(window, "beforeprint", () => this.contact());
      on(document, "slidechanged", (event) => {
        const slide = event.currentSlide ?? event.detail?.currentSlide;
        if (slide) slide.contains(this) ? this.restart() : this.pause();
      });
    }

    leave() {
      this.layers.light.replaceChildren();
      this.tip.textContent = "";
    }

    // Messages of a page around it: "slide:start" and "slide:stop" of reveal, or {convanim: "step", to: 7}.
    hear(data) {
      if (data === "slide:start") this.restart();
      if (data === "slide:stop") this.pause();
      const acts = {
        play: () => this.play(),
        pause: () => this.pause(),
        restart: () => this.restart(),
        next: () => this.go(this.at + 1),
        previous: () => this.go(this.at - 1),
        step: () => Number.isInteger(data.to) && this.step(data.to),
        frame: () => Number.isInteger(data.to) && this.go(data.to),
      };
      if (data && Object.hasOwn(acts, data.convanim)) acts[data.convanim]();
    }

    // A page that is printed shows some of the frames, the last one largest.
    contact() {
      const [at, running] = [this.at, this.playing];
      this.pause();
      const sheets = this.data.sheet.map((number) => {
        this.show(number);
        const copy = this.svg.cloneNode(true);
        copy.querySelector("defs").remove(); // letters and cells are those of the picture on the screen
        return copy;
      });
      this.printed.replaceChildren(...sheets);
      this.show(at);
      if (running) this.play();
    }
  }
  customElements.define("convanim-player", Player);
})();
