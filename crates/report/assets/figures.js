// Draws the figures of a report with Vega, in the page's own colours and as wide as the page allows.
(() => {
  "use strict";
  const root = document.documentElement;
  const token = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const series = (name, count) => Array.from({ length: count }, (_, i) => token(`--${name}-${i + 1}`));

  /** So many colours of the ramp, from its one end to its other. */
  function ramp(count) {
    const colours = series("ramp", 6);
    const part = (colour, at) => parseInt(colour.slice(1 + 2 * at, 3 + 2 * at), 16);
    return Array.from({ length: count }, (_, i) => {
      const place = count > 1 ? (i / (count - 1)) * (colours.length - 1) : 0;
      const left = Math.min(Math.floor(place), colours.length - 2);
      const mixed = [0, 1, 2].map((at) => Math.round(part(colours[left], at) + (place - left) * (part(colours[left + 1], at) - part(colours[left], at))));
      return `rgb(${mixed.join(",")})`;
    });
  }

  /** Vega's configuration from the page's variables. */
  function theme(width, about) {
    const narrow = width < 520;
    const size = narrow ? 11 : 12.5;
    const ink = token("--ink"), muted = token("--muted"), rule = token("--rule");
    const ramp = series("ramp", 6);
    const text = {
      labelColor: muted, titleColor: ink, labelFontSize: size, titleFontSize: size, titleFontWeight: "normal",
    };
    return {
      background: "transparent",
      font: token("--font-label"),
      padding: 2,
      axis: { ...text, gridColor: rule, domainColor: muted, tickColor: muted, labelPadding: 4, titlePadding: 8, tickCount: narrow ? 4 : 6 },
      axisX: { labelFlush: true, labelOverlap: true, grid: false },
      axisY: { domain: false, ticks: false, labelOverlap: true },
      legend: {
        ...text, orient: "top", direction: "horizontal", labelLimit: Math.min(260, width - 60), titleLimit: width - 20,
        columnPadding: 16, rowPadding: 4, offset: about.words_above ? 24 : 8, titlePadding: 6,
        gradientLength: Math.min(220, width - 80), gradientThickness: 10,
      },
      header: { ...text, labelColor: ink, labelFontWeight: 600, labelPadding: 4, labelLimit: Math.max(120, width / 3) },
      range: { category: series("series", 8), ordinal: ramp, ramp, heatmap: ramp, diverging: ramp },
      mark: { color: token("--series-1") },
      rule: { color: ink },
      text: { color: muted, font: token("--font-label"), fontSize: size },
      line: { strokeWidth: narrow ? 1.8 : 2.2, strokeJoin: "round", strokeCap: "round" },
      point: { filled: true, size: narrow ? 26 : 42, opacity: 0.85 },
      style: { sample: { color: ink }, reference: { stroke: ink }, "reference-label": { fill: muted, fontSize: size } },
      view: { stroke: null },
    };
  }

  /** As many lines of a legend's entries as fit side by side. */
  function legendColumns(specification, width) {
    const longest = (domain) => Math.max(...domain.map((value) => String(value).length));
    const rows = new Map();
    const visit = (node) => {
      if (Array.isArray(node)) return node.forEach(visit);
      if (!node || typeof node !== "object") return;
      for (const key of ["color", "strokeDash"]) {
        const channel = node[key];
        const domain = channel && channel.scale && channel.scale.domain;
        if (key === "color" && channel && channel.type === "ordinal" && domain) channel.scale.range = ramp(domain.length);
        if (channel && channel.field && Array.isArray(domain) && channel.type !== "quantitative" && domain.length) {
          const entry = 40 + 7.2 * longest(domain);
          const room = Math.max(1, Math.min(domain.length, Math.floor(width / entry)));
          // Even rows: seven entries in rows of four are 4 + 3, not 6 + 1.
          const columns = Math.ceil(domain.length / Math.ceil(domain.length / room));
          channel.legend = { ...channel.legend, columns };
          rows.set(channel.field, columns * entry);
        }
      }
      Object.entries(node).forEach(([key, value]) => { if (key !== "data") visit(value); });
    };
    visit(specification);
    const together = Array.from(rows.values()).reduce((sum, row) => sum + row, 0);
    if (together > width) specification.config = { legend: { layout: { top: { direction: "vertical", margin: 10 } } } };
  }

  /** A title in lines of so many letters, broken between words. */
  function lines(title, letters) {
    const out = [];
    for (const word of title.split(" ")) {
      const last = out.length - 1;
      if (last >= 0 && out[last].length + 1 + word.length <= letters) out[last] += ` ${word}`;
      else out.push(word);
    }
    return out.length > 1 ? out : title;
  }

  /** Titles of axes no longer than the axes. */
  function wrapTitles(specification, across, upwards) {
    const visit = (node) => {
      if (Array.isArray(node)) return node.forEach(visit);
      if (!node || typeof node !== "object") return;
      for (const [key, room] of [["x", across], ["y", upwards]]) {
        const channel = node.encoding && node.encoding[key];
        if (channel && typeof channel.title === "string") channel.title = lines(channel.title, Math.max(8, Math.floor(room / 6.6)));
      }
      Object.entries(node).forEach(([key, value]) => { if (key !== "data") visit(value); });
    };
    visit(specification);
  }

  /** How many pixels the names beside an upright axis take, across and upwards. */
  function names(specification) {
    let longest = 0, count = 0;
    const visit = (node) => {
      if (Array.isArray(node)) return node.forEach(visit);
      if (!node || typeof node !== "object") return;
      const y = node.encoding && node.encoding.y;
      if (y && y.type !== "quantitative" && Array.isArray(y.sort)) {
        longest = Math.max(longest, ...y.sort.map((name) => String(name).length));
        count = Math.max(count, y.sort.length);
      }
      Object.entries(node).forEach(([key, value]) => { if (key !== "data") visit(value); });
    };
    visit(specification);
    return { beside: Math.min(longest * 6.6, 220), tall: 20 * count };
  }

  /**
   * The specification with the page's sizes: one picture across, or as many panels as there is room for. Panels are
   * narrowed by so many pixels in all, where a first try came out too wide.
   */
  function fitted(original, width, excess) {
    const specification = structuredClone(original);
    const about = (original.usermeta && original.usermeta.taut) || {};
    delete specification.config;
    delete specification.title;
    for (const parameter of specification.params || []) delete parameter.bind;
    legendColumns(specification, width);
    const { beside, tall: named } = names(specification);
    const height = Math.round(Math.max(Math.min(400, Math.max(230, width * 0.52)), named && named + 70));
    if (!specification.facet) {
      wrapTitles(specification, width - Math.max(60, beside + 20), height - 40);
      specification.width = width;
      specification.height = height;
      specification.autosize = { type: "fit", contains: "padding", resize: true };
      return specification;
    }
    const gap = width < 520 ? 14 : 22;
    const axis = Math.max(62, beside + 16);
    const panels = about.panels || 1;
    const free = Boolean(specification.resolve);
    const least = free ? 230 : 170;
    let across = Math.max(1, Math.min(panels, Math.floor((width - axis + gap) / (least + gap))));
    if (specification.columns !== undefined) {
      // Even rows: five panels in three columns are 3 + 2, not 4 + 1.
      across = Math.ceil(panels / Math.ceil(panels / across));
      specification.columns = across;
    } else {
      across = panels;
    }
    const axes = free ? axis * across : axis;
    const each = Math.max(60, Math.floor((width - axes - gap * (across - 1) - 8 - excess) / across));
    const tall = Math.round(Math.max(Math.min(300, Math.max(150, each * 0.72)), named));
    const headers = specification.facet.field ? [specification.facet] : [specification.facet.column, specification.facet.row];
    for (const channel of headers) {
      if (channel) channel.header = { ...channel.header, labelLimit: channel === specification.facet.row ? tall : each };
    }
    wrapTitles(specification, each, tall);
    specification.spacing = gap;
    specification.spec.width = each;
    specification.spec.height = tall;
    return specification;
  }

  /** A number as people write it: 1,024, 0.25, 3.2·10⁸. */
  function said10(value) {
    if (typeof value !== "number") return String(value);
    const size = Math.abs(value);
    if (size === 0 || (size >= 1e-3 && size < 1e6)) {
      return value.toLocaleString("en", { maximumSignificantDigits: Number.isInteger(value) ? 7 : 4 }).replace("-", "−");
    }
    const [front, back] = value.toExponential(3).split("e");
    const power = String(Number(back)).replace("-", "⁻").replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);
    const mantissa = String(Number(front)).replace("-", "−");
    return mantissa === "1" ? `10${power}` : `${mantissa}·10${power}`;
  }

  const tip = () => document.getElementById("tip");
  const place = (box, x, y) => {
    const { width, height } = box.getBoundingClientRect();
    const left = x + 14 + width > window.innerWidth ? x - 14 - width : x + 14;
    const top = y + 14 + height > window.innerHeight ? y - 14 - height : y + 14;
    box.style.left = `${Math.max(6, left)}px`;
    box.style.top = `${Math.max(6, top)}px`;
  };

  /** Values of the row under the pointer; texts only, never markup. */
  function tooltip(_handler, event, _item, value) {
    const box = tip();
    if (!box) return;
    if (value === null || value === undefined || value === "") {
      box.classList.remove("shown");
      return;
    }
    box.replaceChildren();
    if (typeof value === "object") {
      const list = document.createElement("dl");
      for (const [name, shown] of Object.entries(value)) {
        if (shown === undefined || shown === null || shown === "undefined" || shown === "null") continue;
        const term = document.createElement("dt"), said = document.createElement("dd");
        term.textContent = name;
        said.textContent = /^[-−]?\d(\.\d+)?e[+-−]\d+$/.test(shown) ? said10(Number(String(shown).replace(/−/g, "-"))) : String(shown);
        list.append(term, said);
      }
      box.append(list);
    } else {
      box.textContent = String(value);
    }
    box.classList.add("shown");
    place(box, event.clientX, event.clientY);
  }

  // What Vega-Lite remarks is about specifications; readers of a report did not write them.
  const quiet = { level: () => quiet, error: () => quiet, warn: () => quiet, info: () => quiet, debug: () => quiet };

  const refusing = () => {
    const refuse = () => Promise.reject(new Error("a report loads nothing"));
    return { load: refuse, sanitize: refuse, http: refuse, file: refuse };
  };

  /** Rows are in the specification: nothing is waited for that a page being printed would not wait for. */
  async function view(specification, width, container, renderer) {
    const about = (specification.usermeta && specification.usermeta.taut) || {};
    const compiled = vegaLite.compile(specification, { config: theme(width, about), logger: quiet }).spec;
    const runtime = vega.parse(compiled, null, { ast: true });
    const made = new vega.View(runtime, {
      expr: vegaInterpreter.expressionInterpreter,
      loader: refusing(),
      logLevel: vega.Error,
      renderer,
      container,
      hover: Boolean(container),
    });
    made.tooltip(tooltip);
    await made.runAsync();
    return made;
  }

  /**
   * How wide the whole picture is. It is laid out when `run` returns but painted a little later, so the element cannot
   * say it yet, and the signal `width` is that of a panel: only the view's own account is left.
   */
  const pictureWidth = (made) => made._viewWidth + made.padding().left + made.padding().right;

  class Drawing {
    constructor(figure) {
      this.figure = figure;
      this.picture = figure.querySelector(".picture");
      this.specification = JSON.parse(document.getElementById(figure.dataset.specification).textContent);
      this.about = (this.specification.usermeta && this.specification.usermeta.taut) || {};
      this.width = 0;
      this.slider();
      this.tools();
    }

    slider() {
      const slider = this.about.slider;
      if (!slider || !slider.values.length) return;
      const row = document.createElement("label");
      const input = document.createElement("input"), shown = document.createElement("output");
      const name = document.createElement("span");
      row.className = "slider";
      name.textContent = slider.title;
      input.type = "range";
      Object.assign(input, { min: 0, max: slider.values.length - 1, step: 1, value: slider.values.length - 1 });
      const tell = () => {
        const value = slider.values[Number(input.value)];
        const text = said10(value);
        shown.textContent = text;
        input.setAttribute("aria-valuetext", `${slider.title} ${text}`);
      };
      input.addEventListener("input", () => {
        tell();
        if (this.view) this.view.signal(slider.param, Number(input.value)).runAsync();
      });
      tell();
      row.append(name, input, shown);
      this.picture.before(row);
      this.input = input;
    }

    tools() {
      const row = this.figure.querySelector(".tools");
      if (!row) return;
      const name = this.figure.dataset.name || "figure";
      const save = (blob, ending) => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(blob);
        link.download = `${name}.${ending}`;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      };
      const button = (label, title, act) => {
        const made = document.createElement("button");
        made.type = "button";
        made.className = "quiet";
        made.textContent = label;
        made.title = title;
        made.addEventListener("click", act);
        row.append(made);
      };
      button("Save SVG", "this picture as SVG", async () => {
        if (this.view) save(new Blob([await this.view.toSVG()], { type: "image/svg+xml" }), "svg");
      });
      button("Save PNG", "this picture as PNG, twice the size", async () => {
        if (!this.view) return;
        const canvas = await this.view.toCanvas(2);
        canvas.toBlob((blob) => { if (blob) save(blob, "png"); });
      });
      button("Save Vega-Lite", "the specification with its rows, to edit or to load elsewhere", () => {
        save(new Blob([JSON.stringify(this.specification, null, 1)], { type: "application/json" }), "vl.json");
      });
    }

    async draw() {
      const width = Math.floor(this.picture.clientWidth);
      if (width < 60) return;
      this.width = width;
      const slider = this.about.slider;
      const old = this.view;
      const rows = this.specification.data.values.length;
      const attempt = async (excess) => {
        const specification = fitted(this.specification, width, excess);
        if (slider && this.input) {
          const parameter = specification.params.find((known) => known.name === slider.param);
          if (parameter) parameter.value = Number(this.input.value);
        }
        const container = document.createElement("div");
        const made = await view(specification, width, container, rows > 1500 ? "canvas" : "svg");
        return { made, container, wide: pictureWidth(made) };
      };
      try {
        let { made, container, wide } = await attempt(0);
        // How wide axes, labels and gaps between panels are is only known when they are drawn.
        if (this.specification.facet && (wide > width || wide < width - 12)) {
          made.finalize();
          ({ made, container, wide } = await attempt(Math.ceil(wide - width)));
        }
        this.view = made;
        this.picture.replaceChildren(container);
        this.figure.dataset.drawn = "true";
      } catch (error) {
        this.picture.textContent = `This figure cannot be drawn: ${error.message}`;
        this.figure.dataset.drawn = "false";
        console.error(error);
      }
      if (old) old.finalize();
    }
  }

  let drawings = [];
  let round = 0;
  async function drawAll(which) {
    round += 1;
    const own = round;
    for (const drawing of which) {
      // Between two figures the page answers; a later round takes over from an earlier one.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (own !== round) return;
      await drawing.draw();
    }
    root.dataset.figures = "drawn";
    document.dispatchEvent(new CustomEvent("taut-figures"));
  }

  function redraw() {
    if (root.dataset.printing) drawings.forEach((drawing) => drawing.draw());
    else drawAll(drawings);
  }

  document.addEventListener("DOMContentLoaded", () => {
    drawings = Array.from(document.querySelectorAll("figure[data-specification]"), (figure) => new Drawing(figure));
    drawAll(drawings);
    document.addEventListener("taut-theme", redraw);
    let waiting = 0;
    window.addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        drawAll(drawings.filter((drawing) => Math.abs(drawing.picture.clientWidth - drawing.width) > 4));
      }, 120);
    });

    // What a column means, for pointer and keyboard.
    const show = (element) => {
      const box = tip();
      if (!box) return;
      box.textContent = element.dataset.tip;
      box.classList.add("shown");
      const { left, bottom } = element.getBoundingClientRect();
      place(box, left - 10, bottom - 8);
    };
    const hide = () => tip() && tip().classList.remove("shown");
    for (const element of document.querySelectorAll("[data-tip]")) {
      element.addEventListener("pointerenter", () => show(element));
      element.addEventListener("pointerleave", hide);
      element.addEventListener("focus", () => show(element));
      element.addEventListener("blur", hide);
    }
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
      // The names of one table are one stop of the tabulator; arrows go along them.
      const here = event.target instanceof Element ? event.target.closest("thead [data-tip]") : null;
      const names = here ? Array.from(here.closest("tr").querySelectorAll("[data-tip]")) : [];
      const ways = { ArrowRight: 1, ArrowLeft: -1, Home: -names.length, End: names.length };
      if (!here || !(event.key in ways)) return;
      const to = Math.min(Math.max(names.indexOf(here) + ways[event.key], 0), names.length - 1);
      event.preventDefault();
      here.tabIndex = -1;
      names[to].tabIndex = 0;
      names[to].focus();
    });
  });
})();
