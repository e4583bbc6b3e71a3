// The page of a model: <convanim-model> has a grid for each layer; a cell shows what it depends on, and what on it.
(() => {
  "use strict";
  if (customElements.get("convanim-model")) return;
  const SVG = "http://www.w3.org/2000/svg";
  const STYLE = `
    :host { display: block; font: 16px/1.4 system-ui, sans-serif; color: var(--text); }
    .bar { position: sticky; top: 0; z-index: 2; background: var(--page); padding: 10px 0; display: flex; flex-wrap: wrap;
      gap: 8px 16px; align-items: center; border-bottom: 1px solid var(--line); }
    .bar label { font-weight: 600; display: flex; gap: 6px; align-items: center; min-width: 0; }
    .bar :is(input, select) { font: inherit; color: inherit; background: none; border: 1px solid currentColor;
      border-radius: 6px; padding: 3px 6px; min-width: 0; }
    .bar input { width: 4.5em; } .bar select { max-width: 15em; } select option { color: #111; background: #fff; }
    .said { flex: 1 1 100%; min-height: 2.8em; margin: 0; font-variant-numeric: tabular-nums; }
    :is(input, button, select):focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
    .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 22px 16px; margin-top: 16px;
      align-items: start; padding: 0; list-style: none; }
    .card { min-width: 0; overflow-wrap: anywhere; font-size: 0.875em; }
    .card p { margin: 0; color: var(--muted); } .card .told { color: var(--text); min-height: 1.4em; }
    .card button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: left; }
    .card .name { font-weight: 600; } .card .name[aria-pressed="true"] { text-decoration: underline;
      text-decoration-color: var(--accent); text-decoration-thickness: 3px; }
    .card .open { border: 1px solid currentColor; border-radius: 6px; padding: 1px 8px; margin-top: 4px; }
    .card .fault { color: var(--text); border-left: 4px solid var(--accent); padding-left: 6px; }
    .grid { display: block; width: 100%; margin: 5px 0; cursor: pointer; touch-action: pan-y; overflow: visible; }
    .ground { fill: var(--pending); stroke: var(--line); } .first .ground { fill: var(--input); }
    .net { stroke: var(--page); fill: none; }
    :is(.ground, .net, .mark) { vector-effect: non-scaling-stroke; stroke-width: 1px; }
    .mark { stroke-width: 1.5px; } .needs { fill: var(--needs); stroke: var(--needs); }
    .feeds { fill: var(--feeds); stroke: var(--feeds); }
    .chosen { fill: var(--accent); stroke: var(--accent); stroke-width: 4px; }
    dialog { width: min(1000px, 94vw); max-height: 92vh; border: 1px solid var(--line); border-radius: 8px; padding: 14px;
      background: var(--page); color: var(--text); box-sizing: border-box; }
    dialog::backdrop { background: #0008; } dialog p { margin: 4px 0; } dialog code { overflow-wrap: anywhere; }
    dialog h2 { font-size: 1.1em; margin: 0; } dialog button.close { font: inherit; color: inherit; background: none; float: right;
      border: 1px solid currentColor; border-radius: 6px; padding: 2px 10px; cursor: pointer; }
    @media (max-width: 480px) { .cards { grid-template-columns: repeat(2, minmax(0, 1fr)); } .bar { position: static; } }
    @media print { .bar :is(label), .open { display: none; } }`;

  const make = (name, attributes = {}, children = []) => {
    const svg = /^(svg|path|rect)$/.test(name);
    const node = svg ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const parted = (name) => name.split(/(?<=[./_])/).flatMap((part) => [part, make("wbr")]); // lines break at its dots
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  const only = (size, at) => Uint8Array.from({ length: size }, (_, i) => (i === at ? 1 : 0));
  const count = (mask) => mask.reduce((sum, one) => sum + one, 0);

  // Cells are rectangles: one mask for each axis. Those inside another one, and empty ones, are left out.
  const pruned = (parts) => {
    const kept = [];
    const sized = parts.map((part) => [part, part.reduce((size, mask) => size * count(mask), 1)]);
    for (const [part, size] of sized.sort((a, b) => b[1] - a[1]))
      if (size && !kept.some((other) => part.every((mask, i) => mask.every((one, j) => one <= other[i][j])))) kept.push(part);
    return kept;
  };
  const amount = (parts, sizes) => {
    const from = (some, axis) => {
      if (some.length < 2) return some.length && some[0].slice(axis).reduce((size, mask) => size * count(mask), 1);
      let sum = 0;
      if (axis === sizes.length) return 1;
      for (let i = 0; i < sizes[axis]; i++) sum += from(some.filter((part) => part[axis][i]), axis + 1);
      return sum;
    };
    return from(parts, 0);
  };
  // The rows and columns of a map: one axis is a row, and of three the first one is not seen.
  const face = (axes, one) => (axes.length > 1 ? axes.slice(-2) : [one, axes[0]]);
  const runs = (mask) => {
    const found = [];
    for (let i = 0; i < mask.length; i++) if (mask[i]) (i && mask[i - 1] ? found.at(-1)[1]++ : found.push([i, 1]));
    return found;
  };

  class Model extends HTMLElement {
    async connectedCallback() {
      if (this.data) return;
      this.data = {};
      const packed = this.querySelector('script[type="application/gzip"]').textContent;
      const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
      const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      const data = JSON.parse(await new Response(text).text());
      this.pairs = data.pairs.map(({ size, count: counts, cells }) => {
        let at = 0;
        let cell = 0;
        return { size, rows: counts.map((n) => cells.slice(at, (at += n)).map((step) => (cell += step))) };
      });
      this.data = data;
      this.attachShadow({ mode: "open" });
      const { shared } = data;
      const of = (name) => {
        const both = shared.colours.map((colours) => colours[shared.named[name]]);
        return both[1] ? `light-dark(${both})` : both[0];
      };
      const names = { page: "page", text: "text", muted: "muted", line: "line", pending: "pending.fill" };
      Object.assign(names, { input: "data.fill", needs: "data.stroke", accent: "kernel.stroke", feeds: "done.stroke" });
      const inks = Object.entries(names).map(([key, name]) => `--${key}:${of(name)}`);
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(`:host{${inks.join(";")}}${STYLE}`);
      this.shadowRoot.adoptedStyleSheets = [sheet];
      this.build();
      addEventListener("hashchange", () => this.hashed());
      const mapped = this.shown.filter(({ layer }) => layer.size);
      if (!this.hashed()) this.choose(mapped[mapped.length >> 1].number);
    }

    build() {
      const { labels, layers } = this.data;
      const own = layers.map((layer, number) => ({ layer, number }));
      this.shown = own.filter(({ layer }) => !layer.passes);
      // Layers that leave every cell in its place are named at the one that they follow.
      const home = [];
      own.forEach(({ layer, number }) => (home[number] = layer.passes ? home[layer.reads[0][0]] : number));
      this.after = new Map();
      own.forEach(({ layer, number }) => {
        if (layer.passes) this.after.set(home[number], [...(this.after.get(home[number]) ?? []), layer]);
      });
      this.home = home;
      const field = (text, node) => make("label", {}, [text, node]);
      this.layer = make("select");
      for (const { layer, number } of this.shown)
        if (layer.size) this.layer.append(make("option", { value: number }, [layer.name]));
      this.inputs = [labels.slice, labels.row, labels.column].map((label) => {
        const input = make("input", { type: "number", min: 0, value: 0 });
        return { input, field: field(label, input) };
      });
      this.said = make("p", { class: "said", role: "status", "aria-live": "polite" });
      const bar = make("div", { class: "bar", role: "group", "aria-label": labels.cells });
      bar.append(field(labels.layer, this.layer), ...this.inputs.map((one) => one.field), this.said);
      this.cards = make("ol", { class: "cards" });
      this.cards.append(...this.shown.map((one, place) => this.card(one, this.shown[place - 1])));
      this.dialog = make("dialog", { "aria-labelledby": "line" });
      this.shadowRoot.append(bar, this.cards, this.dialog);
      this.layer.addEventListener("change", () => this.choose(Number(this.layer.value)));
      for (const { input } of this.inputs)
        input.addEventListener("input", () => {
          if (input.value === "") return;
          const cell = this.inputs.map(({ input: { max, value } }) => Math.max(0, Math.min(Number(max), Number(value) | 0)));
          this.choose(this.number, cell.slice(-layers[this.number].size.length));
        });
    }

    card(one, before) {
      const { labels } = this.data;
      const { layer, number } = one;
      const parts = [];
      one.name = make(layer.size ? "button" : "span", { class: "name" }, parted(layer.name));
      if (layer.size) {
        one.name.type = "button";
        one.name.addEventListener("click", () => this.choose(number));
      }
      const meta = [layer.kind, layer.shape].filter(Boolean).join(" · ");
      parts.push(make("div", {}, [one.name]), make("p", {}, [meta]));
      const sources = layer.reads.map(([source]) => this.home[source]);
      if (before && (sources.length > 1 || (sources.length && sources[0] !== before.number)))
        parts.push(make("p", {}, parted(fill(labels.from, { layers: sources.map((n) => this.data.layers[n].name).join(", ") }))));
      if (layer.size) parts.push(this.grid(one), (one.told = make("p", { class: "told" })));
      else parts.push(make("p", {}, [labels.none]));
      const after = this.after.get(number);
      if (after) parts.push(make("p", {}, [fill(labels.after, { layers: after.map(({ kind }) => kind).join(", ") })]));
      for (const text of [layer, ...(after ?? [])].flatMap(({ faults = [] }) => faults))
        parts.push(make("p", { class: "fault" }, [text]));
      if (layer.player !== undefined) {
        const open = make("button", { type: "button", class: "open" }, [labels.player]);
        open.setAttribute("aria-label", `${labels.player}: ${layer.name}`);
        open.addEventListener("click", () => this.open(layer));
        parts.push(open);
      }
      return make("li", { class: number ? "card" : "card first" }, parts);
    }

    grid(one) {
      const { size } = one.layer;
      const [rows, columns] = face(size, 1);
      const flat = size.length < 2;
      const box = { x: 0, y: 0, width: columns, height: rows };
      const lines = [];
      if (Math.max(rows, columns) <= 40) {
        for (let i = 1; i < rows; i++) lines.push(`M0 ${i}H${columns}`);
        for (let j = 1; j < columns; j++) lines.push(`M${j} 0V${rows}`);
      }
      one.marks = make("path", { class: "mark" });
      const high = flat ? "28px" : "auto";
      one.svg = make("svg", { class: "grid", viewBox: `0 0 ${columns} ${rows}`, "aria-hidden": "true" }, [
        make("rect", { class: "ground", ...box }),
        one.marks,
        make("path", { class: "net", d: lines.join("") }),
      ]);
      one.svg.style.height = high;
      if (flat) one.svg.setAttribute("preserveAspectRatio", "none");
      else one.svg.style.aspectRatio = `${columns} / ${Math.max(rows, columns / 8)}`;
      const touch = (event) => {
        const where = new DOMPoint(event.clientX, event.clientY).matrixTransform(one.svg.getScreenCTM().inverse());
        const at = [[where.y, rows], [where.x, columns]].map(([n, most]) => Math.max(0, Math.min(most - 1, Math.floor(n))));
        const slice = this.number === one.number ? this.cell[0] : undefined;
        this.choose(one.number, [slice, ...at].slice(-size.length));
      };
      one.svg.addEventListener("pointerdown", touch);
      one.svg.addEventListener("pointermove", (event) => event.buttons & 1 && touch(event));
      return one.svg;
    }

    // The cells of all earlier layers that some cells depend on, by the number of the layer.
    needs(number, cells) {
      const { layers } = this.data;
      const found = new Map([[number, [cells]]]);
      for (let here = number; here > 0; here--) {
        const parts = found.get(here);
        if (!parts) continue;
        for (const [source, ways] of layers[here].reads) {
          const moved = parts.map((part) => part.map((above, i) => {
            if (ways[i] < 0) return above;
            const { size, rows } = this.pairs[ways[i]];
            const below = new Uint8Array(size);
            above.forEach((one, target) => one && rows[target].forEach((cell) => (below[cell] = 1)));
            return below;
          }));
          found.set(source, pruned([...(found.get(source) ?? []), ...moved]));
        }
      }
      return found;
    }

    // The cells of all later layers that depend on some cells.
    feeds(number, cells) {
      const { layers } = this.data;
      const found = new Map([[number, [cells]]]);
      for (let here = number + 1; here < layers.length; here++) {
        const parts = layers[here].reads.flatMap(([source, ways]) =>
          (found.get(source) ?? []).map((part) => part.map((below, i) => {
            if (ways[i] < 0) return below;
            const { rows } = this.pairs[ways[i]];
            return Uint8Array.from(rows, (row) => (row.some((cell) => below[cell]) ? 1 : 0));
          })));
        if (parts.length) found.set(here, pruned(parts));
      }
      return found;
    }

    choose(number, cell) {
      const { layers, labels } = this.data;
      const { size, name } = layers[number];
      cell = size.map((n, i) => Math.max(0, Math.min(n - 1, cell?.[i] ?? (n - 1) >> 1)));
      Object.assign(this, { number, cell });
      const start = size.map((n, i) => only(n, cell[i]));
      this.back = this.needs(number, start);
      this.on = this.feeds(number, start);
      this.layer.value = number;
      this.inputs.forEach(({ input, field }, i) => {
        const axis = i + size.length - this.inputs.length;
        field.style.display = axis < 0 ? "none" : "";
        if (axis < 0) return;
        input.max = size[axis] - 1;
        if (Number(input.value) !== cell[axis] || input.value === "") input.value = cell[axis];
      });
      let last = null;
      for (const one of this.shown) {
        if (!one.layer.size) continue;
        const chosen = one.number === number;
        const parts = (chosen ? [start] : this.back.get(one.number) ?? this.on.get(one.number)) ?? [];
        const kind = chosen ? "chosen" : this.back.has(one.number) ? "needs" : "feeds";
        one.marks.setAttribute("class", `mark ${kind}`);
        one.marks.setAttribute("d", parts.map((part) => this.path(part)).join(""));
        const whole = amount(parts, one.layer.size);
        const n = parts.length === 1 ? parts[0].map(count).join("×") : whole;
        one.told.textContent = chosen || !whole ? "" : fill(kind === "needs" ? labels.read : labels.reached, { n });
        one.name.setAttribute("aria-pressed", String(chosen));
        if (kind === "feeds" && whole) last = [one.layer, whole];
      }
      this.said.textContent = this.sentence(name, cell, this.back.get(0) ?? [], last);
      const named = `#layer=${encodeURIComponent(name)}&cell=${cell.join(",")}`;
      if (location.hash !== named) history.replaceState(null, "", named);
    }

    path(part) {
      const [rows, columns] = face(part, Uint8Array.of(1));
      const across = runs(columns);
      return runs(rows).map(([y, h]) => across.map(([x, w]) => `M${x} ${y}h${w}v${h}h${-w}z`).join("")).join("");
    }

    sentence(layer, cell, parts, last) {
      const { layers, labels } = this.data;
      const sizes = layers[0].size;
      const all = sizes.reduce((a, b) => a * b, 1);
      const span = (i, text) => {
        const masks = parts.map((part) => part[i]);
        return fill(text, {
          first: Math.min(...masks.map((mask) => mask.indexOf(1))),
          last: Math.max(...masks.map((mask) => mask.lastIndexOf(1))),
        });
      };
      const texts = [labels.slices, labels.rows, labels.columns].slice(-sizes.length);
      const area = parts.length ? texts.map((text, i) => span(i, text)).join(", ") : "–";
      const n = amount(parts, sizes);
      const told = [fill(labels.told, { cell: `(${cell.join(", ")})`, layer, n, all, area })];
      if (last) {
        const rest = last[0].size.reduce((a, b) => a * b, 1);
        told.push(fill(labels.onward, { n: last[1], all: rest, layer: last[0].name }));
      }
      return told.join(" ");
    }

    hashed() {
      const named = new URLSearchParams(location.hash.slice(1));
      const number = this.data.layers.findIndex(({ name, size }) => size && name === named.get("layer"));
      if (number < 0) return false;
      const cell = (named.get("cell") ?? "").split(",").filter(Boolean).map((n) => Number(n) | 0);
      this.choose(this.home[number], cell.length === this.data.layers[number].size.length ? cell : undefined);
      return true;
    }

    open(layer) {
      const { labels, players, shared, file } = this.data;
      const player = make("convanim-player", { paused: "" });
      const close = make("button", { type: "button", class: "close" }, [labels.close]);
      const one = players[layer.player];
      const quoted = /^[\w./-]+$/.test(layer.name) ? layer.name : `'${layer.name.replaceAll("'", "'\\''")}'`;
      const target = layer.name.replace(/[^\w.-]+/g, "-").replace(/^-|-$/g, "");
      this.dialog.replaceChildren(
        close,
        make("h2", { id: "line" }, [one.line]),
        make("p", {}, [labels.small]),
        player,
        ...(file.endsWith(".onnx")
          ? [make("p", {}, [`${labels.real} `, make("code", {}, [`convanim model ${file} --layer ${quoted} -o ${target}.gif`])])]
          : []),
      );
      close.addEventListener("click", () => this.dialog.close());
      this.dialog.addEventListener("close", () => this.dialog.replaceChildren(), { once: true });
      this.dialog.showModal();
      player.start({ ...shared, ...one });
      player.go(one.start);
    }
  }
  customElements.define("convanim-model", Model);
})();
