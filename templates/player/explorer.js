// The explorer of convanim: <convanim-explorer> has a slider for each argument of a layer, over a player.
(() => {
  "use strict";
  if (customElements.get("convanim-explorer")) return;
  const STYLE = `
    :host { display: block; font: 16px/1.45 system-ui, sans-serif; color: var(--text); }
    .top { display: flex; flex-wrap: wrap; gap: 10px 28px; align-items: start; }
    fieldset { border: 0; margin: 0; padding: 0; min-width: 150px; flex: 1 1 150px; max-width: 260px; }
    label { font-weight: 600; }
    input { width: 100%; margin: 4px 0 0; accent-color: var(--accent); }
    .values { display: flex; justify-content: space-between; padding: 0 3px; }
    .values button { font: inherit; color: inherit; background: none; border: 0; padding: 0 2px; cursor: pointer; }
    .values .chosen { font-weight: 700; text-decoration: underline; }
    .values .none { text-decoration: line-through; opacity: 0.6; }
    :is(input, button, select):focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
    .facts { margin: 10px 0; min-height: 4.4em; } .facts p { margin: 0; }
    .size { font-size: 1.25em; font-weight: 600; } .facts code { white-space: pre-wrap; }
    .formula { white-space: pre-wrap; font-variant-numeric: tabular-nums; }
    .code { display: flex; gap: 8px; align-items: center; flex-wrap: wrap; }
    .code button, .code select { font: inherit; color: inherit; background: none; border: 1px solid currentColor;
      border-radius: 6px; padding: 3px 8px; cursor: pointer; }
    .code select option { color: #111; background: #fff; }
    .hidden { visibility: hidden; }`;

  const make = (name, attributes = {}, children = []) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  class Explorer extends HTMLElement {
    async connectedCallback() {
      if (this.data) return;
      this.data = {};
      const packed = this.querySelector('script[type="application/gzip"]').textContent;
      const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
      const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      this.data = await new Response(text).json();
      this.attachShadow({ mode: "open" });
      const { shared, labels, found } = this.data;
      const of = (name) => {
        const both = shared.colours.map((colours) => colours[shared.named[name]]);
        return both[1] ? `light-dark(${both})` : both[0];
      };
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(`:host{--text:${of("text")};--accent:${of("kernel.stroke")}}${STYLE}`);
      this.shadowRoot.adoptedStyleSheets = [sheet];
      const first = Object.keys(found).find((key) => !found[key].error);
      this.values = this.keyed() ?? first.split(",").map(Number);
      this.controls = this.data.arguments.map((argument, i) => this.control(argument, i));
      this.size = make("p", { class: "size" });
      this.formula = make("p", { class: "formula" });
      this.facts = make("div", { class: "facts", role: "status", "aria-live": "polite" }, [this.size, this.formula]);
      this.framework = make("select", { "aria-label": labels.code });
      this.line = make("code");
      this.copy = make("button", { type: "button" }, [labels.copy]);
      const code = make("div", { class: "code" }, [this.framework, this.line, this.copy]);
      this.player = make("convanim-player", { paused: "" });
      const top = make("div", { class: "top" }, this.controls.map((control) => control.box));
      this.shadowRoot.append(top, this.facts, this.player, code);
      this.framework.addEventListener("change", () => this.write());
      this.copy.addEventListener("click", async () => {
        await navigator.clipboard?.writeText(this.line.textContent);
        this.copy.textContent = labels.copied;
        setTimeout(() => (this.copy.textContent = labels.copy), 1500);
      });
      addEventListener("hashchange", () => {
        const values = this.keyed();
        if (values) this.choose(values);
      });
      this.choose(this.values);
    }

    // The combination in the address, as in #kernel=3&stride=2.
    keyed() {
      const named = new URLSearchParams(location.hash.slice(1));
      const { arguments: all, found } = this.data;
      if (!all.some(({ name }) => named.has(name))) return null;
      const values = all.map(({ name, values }) => Number(named.get(name) ?? values[0]));
      return found[values.join(",")] ? values : null;
    }

    control({ name, values }, i) {
      const label = make("label", { for: name }, [this.data.labels[name]]);
      const range = make("input", { id: name, type: "range", min: 0, max: Math.max(0, values.length - 1), step: 1 });
      const buttons = values.map((value) => make("button", { type: "button", tabindex: -1 }, [String(value)]));
      const change = (at) => this.choose(this.values.map((old, j) => (j === i ? values[at] : old)));
      range.addEventListener("input", () => change(Number(range.value)));
      buttons.forEach((button, at) => button.addEventListener("click", () => change(at)));
      const marks = make("div", { class: "values", "aria-hidden": "true" }, buttons);
      return { box: make("fieldset", {}, [label, range, marks]), range, buttons, values };
    }

    choose(values) {
      this.values = values;
      const { found, labels, shared } = this.data;
      const one = found[values.join(",")];
      this.controls.forEach(({ range, buttons, values: all }, i) => {
        range.value = all.indexOf(values[i]);
        range.setAttribute("aria-valuetext", String(values[i]));
        buttons.forEach((button, at) => {
          const { error } = found[values.map((old, j) => (j === i ? all[at] : old)).join(",")];
          button.classList.toggle("none", Boolean(error));
          button.classList.toggle("chosen", all[at] === values[i]);
          button.title = error ?? "";
        });
      });
      this.player.classList.toggle("hidden", Boolean(one.error));
      this.copy.parentNode.classList.toggle("hidden", Boolean(one.error));
      this.size.textContent = one.error ? labels.none : one.facts.size;
      this.formula.textContent = one.error ?? one.facts.formula.join("\n");
      const named = this.data.arguments.map(({ name }, i) => `${name}=${values[i]}`).join("&");
      if (location.hash !== `#${named}`) history.replaceState(null, "", `#${named}`);
      if (one.error) return this.player.data && this.player.pause();
      this.player.start({ ...shared, ...one });
      this.player.go(one.start);
      const chosen = this.framework.value;
      this.framework.replaceChildren(...one.facts.code.map(({ name }) => make("option", { value: name }, [name])));
      if (one.facts.code.some(({ name }) => name === chosen)) this.framework.value = chosen;
      this.write();
    }

    write() {
      const { code } = this.data.found[this.values.join(",")].facts;
      const line = code.find(({ name }) => name === this.framework.value) ?? code[0];
      this.line.textContent = line?.code || line?.note || "";
    }
  }
  customElements.define("convanim-explorer", Explorer);
})();
