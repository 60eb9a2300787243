/* The player: a fit, or the modes of a network, on their way through training.
 *
 * Every <div class="taut-player" data-payload="ID"> becomes a player of the JSON in the element ID, whose form is
 * written down in crates/report/src/player/. Plain SVG, no dependencies; colours are the page's CSS variables, so a
 * change of theme needs no redrawing. Text from the payload only ever becomes text nodes and attributes.
 *
 * Parts, in this order: elements, numbers, scales, charts, the scene of fits, the scene of modes, the player itself.
 */
(function () {
  "use strict";

  // ------------------------------------------------------------------------------------------------- elements

  const SVG = "http://www.w3.org/2000/svg";
  let names = 0;

  /** An element with attributes and children; texts become text nodes. */
  function make(tag, attributes, children) {
    const element = document.createElement(tag);
    return dress(element, attributes, children);
  }

  function shape(tag, attributes, children) {
    return dress(document.createElementNS(SVG, tag), attributes, children);
  }

  function dress(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== null && value !== undefined) element.setAttribute(name, value);
    }
    for (const child of children || []) element.append(child);
    return element;
  }

  /** A name that no other element of the page has. */
  function fresh(prefix) {
    names += 1;
    return `taut-${prefix}-${names}`;
  }

  // -------------------------------------------------------------------------------------------------- numbers

  const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
  const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

  /** 10ᵏ as text. */
  function power(exponent) {
    const digits = String(Math.abs(exponent)).replace(/\d/g, (digit) => SUPERSCRIPTS[digit]);
    return `10${exponent < 0 ? "⁻" : ""}${digits}`;
  }

  /** A number in three digits, or so many as are asked for. */
  function show(value, digits) {
    if (value === null || value === undefined) return "–";
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : value < 0 ? "−∞" : "∞";
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (Number.isInteger(value) && size < 1e6) return value.toLocaleString("en-US").replace("-", "−");
    if (size >= 1e-3 && size < 1e5) return String(Number(value.toPrecision(digits || 3))).replace("-", "−");
    const [front, back] = value.toExponential((digits || 3) - 1).split("e");
    const mantissa = String(Number(front)).replace("-", "−");
    return mantissa === "1" ? power(Number(back)) : `${mantissa}·${power(Number(back))}`;
  }

  /** `bending_energy` as words. */
  const words = (name) => name.replace(/_/g, " ");

  /** What a measure is called; its own name is a hint of its label. */
  const called = (measure) => ({ train_mse: "training error", residual_rms: "residual" })[measure.name] || words(measure.name);

  const hint = (measure) => (measure.doc ? `${measure.name}: ${measure.doc}` : measure.name);

  /** The least and the largest of the numbers among these values. */
  function range(values) {
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) {
      if (isNumber(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
    return low <= high ? [low, high] : null;
  }

  const between = (a, b, share) => (isNumber(a) && isNumber(b) ? a + (b - a) * share : share < 0.5 ? a : b);

  // --------------------------------------------------------------------------------------------------- scales

  /** Round steps for about `count` ticks from low to high. */
  function linearTicks(low, high, count) {
    const rough = (high - low) / Math.max(count, 1);
    if (!(rough > 0)) return [low];
    const base = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * base).find((size) => size >= rough * 0.999);
    const ticks = [];
    const first = Math.ceil(low / step - 1e-9);
    // Counted from the first: a number beyond 2⁵³ has no next one.
    for (let i = 0; i < 100 && (first + i) * step <= high + 1e-9 * step; i += 1) {
      ticks.push(Number(((first + i) * step).toPrecision(12)));
    }
    return ticks;
  }

  /** Powers of ten from low to high, every so many of them. */
  function decades(low, high, count) {
    const [from, to] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
    const stride = Math.max(1, Math.ceil((to - from + 1) / Math.max(count, 1)));
    const ticks = [];
    for (let exponent = Math.ceil(from / stride) * stride; exponent <= to; exponent += stride) ticks.push(exponent);
    return ticks.map((exponent) => ({ value: 10 ** exponent, label: exponent === 0 ? "1" : exponent === 1 ? "10" : power(exponent) }));
  }

  /** A value scale from 0 to 1: logarithmic where all is positive and spans much. */
  function valueScale(values, more) {
    const own = range(values);
    if (!own) return { at: () => null, ticks: () => [] };
    const positive = values.filter((value) => isNumber(value) && value > 0);
    const isLog = own[0] >= 0 && positive.length > 0 && own[1] / Math.min(...positive) > 30;
    if (isLog) {
      // Rounding errors of an exact fit would take most of the room.
      const least = Math.max(Math.min(...positive), own[1] * 1e-14);
      const [low, high] = widened([Math.log10(least), Math.log10(own[1])], (more || []).map(Math.log10), 0.05);
      const at = (value) => (value > 0 ? (Math.log10(value) - low) / (high - low) : value === 0 ? 0 : null);
      return { at, isLog, ticks: (count) => decades(10 ** low, 10 ** high, count) };
    }
    const [low, high] = widened([Math.min(own[0], 0), own[1]], more || [], 0.06, own[0] >= 0);
    const ticks = (count) => linearTicks(low, high, count).map((value) => ({ value, label: show(value) }));
    return { at: (value) => (isNumber(value) ? (value - low) / (high - low) : null), isLog, ticks };
  }

  /** Room for other values too, but never so much that the values themselves have less than two fifths of it. */
  function widened([low, high], more, margin, fromZero) {
    const span = high - low || Math.abs(high) || 1;
    const others = range([low, high, ...more]) || [low, high];
    let [from, to] = [Math.max(others[0], low - 0.75 * span), Math.min(others[1], high + 1.5 * span)];
    const edge = margin * (to - from || span);
    if (!(fromZero && from === 0)) from -= edge;
    return [from, to + edge];
  }

  /**
   * The clock from 0 to 1. On a logarithmic one the start and the end stand apart: a start at 0, and an end that is the
   * limit or lies beyond where anything happens.
   */
  function clockScale(cell) {
    const clock = cell.clock;
    const last = clock.length - 1;
    const isLog = cell.scale === "log";
    const endsApart = clock[last] === null || cell.tail === true;
    const inner = clock.filter((time, i) => isNumber(time) && (!isLog || time > 0) && !(endsApart && i === last));
    const [low, high] = range(inner) || [1, 1];
    const startsApart = isLog && clock[0] === 0;
    const [left, right] = [startsApart ? 0.06 : 0, endsApart ? 0.94 : 1];
    const measure = isLog ? Math.log10 : (time) => time;
    const span = measure(high) - measure(low) || 1;
    const within = (time) => left + ((measure(time) - measure(low)) / span) * (right - left);
    const at = (time, i) => {
      if (endsApart && i === last) return 1;
      if (time === null) return 1;
      if (isLog && time <= 0) return 0;
      return Math.min(Math.max(within(time), 0), 1);
    };
    const ticks = (count) => {
      const inside = isLog ? decades(low, high, count) : linearTicks(low, high, count).map((value) => ({ value, label: show(value) }));
      const placed = inside.map((tick) => ({ at: at(tick.value), label: tick.label }));
      if (startsApart) placed.unshift({ at: 0, label: "0", apart: true });
      if (endsApart) placed.push({ at: 1, label: clock[last] === null ? "∞" : show(clock[last], 1), apart: true });
      return placed;
    };
    const positions = clock.map((time, i) => at(time, i));
    return { at, ticks, positions, gaps: [startsApart ? left : null, endsApart ? right : null] };
  }

  // --------------------------------------------------------------------------------------------------- charts

  /** A panel with axes that draws in pixels: `x` and `y` take numbers from 0 to 1. */
  function chart(label, margins) {
    const clip = fresh("clip");
    const window = shape("rect");
    const axes = shape("g", { class: "tp-axes" });
    const inside = shape("g", { "clip-path": `url(#${clip})` });
    const above = shape("g");
    const svg = shape("svg", { role: "img", "aria-label": label }, [
      shape("defs", {}, [shape("clipPath", { id: clip }, [window])]),
      axes, inside, above,
    ]);
    const self = { svg, axes, inside, above, margins, width: 0, height: 0 };
    self.x = (share) => margins.left + share * self.width;
    self.y = (share) => margins.top + (1 - share) * self.height;
    self.resize = (width, height) => {
      self.size = [width, height];
      dress(svg, { width, height, viewBox: `0 0 ${width} ${height}` });
      self.width = Math.max(width - margins.left - margins.right, 10);
      self.height = Math.max(height - margins.top - margins.bottom, 10);
      dress(window, { x: margins.left, y: margins.top, width: self.width, height: self.height });
    };
    /** Makes room at the left for labels. */
    self.leave = (left) => {
      margins.left = left;
      self.resize(...self.size);
    };
    return self;
  }

  /** A path through pixels; what is not a number is a gap. */
  function trace(points) {
    let path = "";
    let pen = "M";
    for (const point of points) {
      if (!point || !isNumber(point[0]) || !isNumber(point[1])) {
        pen = "M";
      } else {
        path += `${pen}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
        pen = "L";
      }
    }
    return path;
  }

  function text(x, y, content, attributes) {
    return shape("text", { x: x.toFixed(1), y: y.toFixed(1), ...attributes }, [content]);
  }

  /** Gives all these panels, one below the other, the same room for the labels of their ticks. */
  function alignLabels(panels, ticks, least) {
    const longest = Math.max(0, ...ticks.flat().map((tick) => tick.label.length));
    panels.forEach((panel) => panel.leave(Math.max(least, 14 + 6.2 * longest)));
  }

  /** Axes with their ticks: `{at, label}` from 0 to 1. */
  function drawAxes(panel, { xTicks, yTicks, xTitle, title, gaps }) {
    const { axes, margins } = panel;
    axes.replaceChildren();
    const [left, right, bottom] = [panel.x(0), panel.x(1), panel.y(0)];
    for (const tick of yTicks) {
      if (!isNumber(tick.at) || tick.at < -0.001 || tick.at > 1.001) continue;
      const y = panel.y(tick.at);
      axes.append(shape("line", { class: "tp-grid", x1: left, x2: right, y1: y, y2: y }));
      axes.append(text(left - 6, y + 3.5, tick.label, { class: "tp-tick", "text-anchor": "end" }));
    }
    axes.append(shape("line", { class: "tp-base", x1: left, x2: right, y1: bottom, y2: bottom }));
    let free = -Infinity;
    for (const tick of xTicks) {
      const x = panel.x(tick.at);
      axes.append(shape("line", { class: "tp-base", x1: x, x2: x, y1: bottom, y2: bottom + 4 }));
      const half = 3.4 * tick.label.length;
      if (tick.apart || x - half > free) {
        axes.append(text(x, bottom + 16, tick.label, { class: "tp-tick", "text-anchor": "middle" }));
        free = x + half + 4;
      }
    }
    for (const gap of gaps || []) {
      // Two strokes where the axis leaves something out.
      if (gap === null) continue;
      const x = panel.x(gap > 0.5 ? (gap + 1) / 2 : gap / 2);
      axes.append(shape("path", { class: "tp-gap", d: `M${x - 4} ${bottom + 4}l4 -8M${x} ${bottom + 4}l4 -8` }));
    }
    if (xTitle) axes.append(text(right, bottom + 30, xTitle, { class: "tp-title", "text-anchor": "end" }));
    if (title) axes.append(text(8, margins.top - 13, title, { class: "tp-title tp-strong" }));
  }

  // ------------------------------------------------------------------------------------------ what scenes share

  /** A step, a training time, or the limit. */
  const moment = (time) => (time === null ? "∞, the limit" : show(time, 4));

  const clockName = (payload) => (payload.clock === "step" ? "step" : "training time");

  /** The training error of a row, where one was recorded. */
  function errorOf(payload, cell, row) {
    return payload.train ? [{ name: called(payload.train), hint: hint(payload.train), value: show(cell.train[row]), unit: payload.train.unit }] : [];
  }

  const clockTitle = (payload) => (payload.clock === "step" ? "step of training" : "training time");

  /** A line over the clock with a dot that moves along it. */
  function movingLine(panel, attributes) {
    const line = shape("path", { fill: "none", ...attributes });
    const dot = shape("circle", { r: 4.5, class: `tp-dot ${attributes.class}` });
    return { line, dot, at: () => null };
  }

  function placeDot(panel, moving, xs, ys, position) {
    const i = Math.min(Math.floor(position), xs.length - 1);
    const j = Math.min(i + 1, xs.length - 1);
    const share = position - i;
    const [x, y] = [between(xs[i], xs[j], share), between(ys[i], ys[j], share)];
    const isThere = isNumber(x) && isNumber(y);
    moving.dot.style.display = isThere ? "" : "none";
    if (isThere) dress(moving.dot, { cx: panel.x(x).toFixed(1), cy: panel.y(Math.min(Math.max(y, 0), 1)).toFixed(1) });
  }

  /** Lets a pointer choose the moment in a panel over the clock. */
  function scrub(panel, seek) {
    const pick = (event) => {
      const box = panel.svg.getBoundingClientRect();
      seek((event.clientX - box.left - panel.margins.left) / panel.width);
    };
    panel.svg.classList.add("tp-scrub");
    panel.svg.addEventListener("pointerdown", (event) => {
      panel.svg.setPointerCapture(event.pointerId);
      pick(event);
    });
    panel.svg.addEventListener("pointermove", (event) => {
      if (panel.svg.hasPointerCapture(event.pointerId)) pick(event);
    });
  }

  /** The frame that is nearest to a place on the clock. */
  function nearest(positions, place) {
    let best = 0;
    positions.forEach((position, i) => {
      if (Math.abs(position - place) < Math.abs(positions[best] - place)) best = i;
    });
    return best;
  }

  // ------------------------------------------------------------------------------------------ the scene of fits

  /** Earlier fits that stay visible for a while, in frames. */
  const ECHOES = [4, 8, 13, 19];

  function fitScene(payload, seek) {
    const fit = chart("The fit with the points", { left: 38, right: 10, top: 30, bottom: 24 });
    const wiggles = chart("Wiggliness along the path", { left: 46, right: 30, top: 30, bottom: 22 });
    const error = chart("Training error along the path", { left: 46, right: 30, top: 30, bottom: 38 });
    const shown = new Map([["points", true], ["target", true]]);
    let [cell, metric, clock, frames, scales] = [null, 0, null, [], {}];
    let dots = {};
    let curve = null;
    const echoes = ECHOES.map((_, i) => shape("path", { class: "tp-echo", fill: "none", opacity: 0.32 - 0.07 * i }));

    const value = (quantum) => cell.low + quantum * cell.unit;
    const heightOf = (quantum) => (quantum === null ? null : fit.y(quantum / cell.height));
    const across = (x) => (x - scales.x[0]) / (scales.x[1] - scales.x[0]);
    const drawn = (f) => trace(cell.x.map((x, i) => [fit.x(across(x)), heightOf(f[i])]));
    const laws = () => cell.clouds.map((cloud) => cloud.name);
    const isShown = (name) => shown.get(name) === true;
    const beside = [payload.metrics.length > 0 && wiggles, payload.train && error].filter(Boolean);

    function use(next) {
      cell = next;
      // Random interpolators of descent's own size are the ones that the question is about.
      const law = laws().find((name) => name.includes("(same)")) || laws()[0];
      if (law && !laws().some((name) => shown.has(name))) shown.set(law, true);
      clock = clockScale(cell);
      frames = cell.frames.row.map((row) => clock.positions[row]);
      const [left, right] = range([...cell.x, ...cell.samples.map((point) => point[0])]);
      // Points at the ends stand clear of the edges.
      scales = { x: [left - 0.02 * (right - left), right + 0.02 * (right - left)] };
      measure();
    }

    /** The scales of the two charts; other solutions that are shown have a say in the first. */
    function measure() {
      const others = cell.solutions.filter((s) => isShown(s.name)).map((s) => s.metrics[metric]);
      const clouds = cell.clouds.filter((c) => isShown(c.name)).flatMap((c) => c.metrics[metric]);
      const along = (scale, values) => cell.frames.row.map((row) => scale.at(values[row]));
      if (beside.includes(wiggles)) {
        scales.wiggles = valueScale(cell.metrics[metric], [...others, ...clouds].filter(isNumber));
        dots.wiggles = along(scales.wiggles, cell.metrics[metric]);
      }
      if (beside.includes(error)) {
        scales.error = valueScale(cell.train);
        dots.error = along(scales.error, cell.train);
      }
    }

    function draw() {
      drawFit();
      const scaleOf = (panel) => (panel === wiggles ? scales.wiggles : scales.error);
      const ticks = beside.map((panel) => {
        const scale = scaleOf(panel);
        return scale.ticks(panel.height / 32).map((tick) => ({ at: scale.at(tick.value), label: tick.label }));
      });
      alignLabels(beside, ticks, 46);
      beside.forEach((panel, i) => {
        if (panel === wiggles) {
          drawPath(panel, scales.wiggles, ticks[i], cell.metrics[metric], payload.metrics[metric], dots.wiggles);
          drawOthers();
        } else {
          drawPath(panel, scales.error, ticks[i], cell.train, payload.train, dots.error);
        }
      });
    }

    function drawFit() {
      const [low, high] = [value(0), value(cell.height)];
      const yTicks = linearTicks(low, high, fit.height / 55).map((tick) => ({ at: (tick - low) / (high - low), label: show(tick) }));
      alignLabels([fit], [yTicks], 38);
      const xTicks = linearTicks(...scales.x, fit.width / 90).map((tick) => ({ at: across(tick), label: show(tick) }));
      drawAxes(fit, { xTicks, yTicks, title: "f(x)" });
      fit.inside.replaceChildren();
      fit.above.replaceChildren();
      const layer = (attributes, f) => fit.inside.append(shape("path", { fill: "none", d: drawn(f), ...attributes }));
      for (const cloud of cell.clouds.filter((c) => isShown(c.name))) {
        cloud.f.forEach((f) => layer({ class: "tp-cloud" }, f));
      }
      if (cell.target && isShown("target")) layer({ class: "tp-target" }, cell.target);
      cell.solutions.forEach((solution, i) => {
        if (isShown(solution.name)) layer({ class: `tp-solution tp-series-${(i % 7) + 2}` }, solution.f);
      });
      // Few points stand above all lines; of many, one looks at the cloud.
      const isCloud = cell.samples.length > 60;
      if (isShown("points") && isCloud) drawPoints(fit.inside, 2, "tp-point tp-many");
      fit.inside.append(...echoes);
      curve = shape("path", { class: "tp-fit", fill: "none" });
      fit.inside.append(curve);
      if (isShown("points") && !isCloud) drawPoints(fit.above, 4, "tp-point");
      fit.peak = text(fit.x(1) - 4, fit.y(1) + 12, "", { class: "tp-tick tp-halo", "text-anchor": "end" });
      fit.above.append(fit.peak);
    }

    function drawPoints(layer, r, kind) {
      for (const [x, y] of cell.samples) {
        const at = heightOf((y - cell.low) / cell.unit);
        layer.append(shape("circle", { class: kind, r, cx: fit.x(across(x)).toFixed(1), cy: at.toFixed(1) }));
      }
    }

    function drawPath(panel, scale, yTicks, values, measure, places) {
      const isLast = panel === beside[beside.length - 1];
      const isFirst = panel === beside[0];
      const title = called(measure);
      const xTicks = clock.ticks(panel.width / 52).map((tick) => ({ ...tick, label: isLast ? tick.label : "" }));
      drawAxes(panel, { xTicks, yTicks, title, xTitle: isLast ? clockTitle(payload) : "", gaps: clock.gaps });
      panel.inside.replaceChildren();
      panel.above.replaceChildren();
      if (cell.through !== null) {
        const x = panel.x(clock.at(cell.through));
        panel.inside.append(shape("line", { class: "tp-through", x1: x, x2: x, y1: panel.y(0), y2: panel.y(1) }));
        if (isFirst) {
          const isLeft = clock.at(cell.through) > 0.6;
          const place = { class: "tp-tick tp-through-label", "text-anchor": isLeft ? "end" : "start" };
          panel.above.append(text(x + (isLeft ? -5 : 5), panel.y(1) + 10, "through the points", place));
        }
      }
      const moving = movingLine(panel, { class: "tp-metric" });
      const points = values.map((v, i) => {
        const y = scale.at(v);
        return y === null ? null : [panel.x(clock.positions[i]), panel.y(y)];
      });
      dress(moving.line, { d: trace(points) });
      panel.inside.append(moving.line);
      panel.above.append(moving.dot);
      panel.moving = moving;
      panel.positions = places;
    }

    /** Other solutions in the chart of wiggliness: a line each, and a stroke at the right for every random one. */
    function drawOthers() {
      const put = (attributes, v, x1, x2) => {
        const at = scales.wiggles.at(v);
        if (!isNumber(at) || at < 0 || at > 1) return;
        const y = wiggles.y(at);
        wiggles.above.prepend(shape("line", { x1, x2, y1: y, y2: y, ...attributes }));
      };
      for (const cloud of cell.clouds.filter((c) => isShown(c.name))) {
        cloud.metrics[metric].forEach((v) => put({ class: "tp-rug" }, v, wiggles.x(1) + 5, wiggles.x(1) + 24));
      }
      if (cell.clouds.some((c) => isShown(c.name))) {
        wiggles.axes.append(text(wiggles.x(1) + 26, wiggles.margins.top - 13, "random", { class: "tp-tick", "text-anchor": "end" }));
      }
      cell.solutions.forEach((solution, i) => {
        const attributes = { class: `tp-solution tp-series-${(i % 7) + 2}` };
        if (isShown(solution.name)) put(attributes, solution.metrics[metric], wiggles.x(0), wiggles.x(1) + 24);
      });
    }

    function show_(position) {
      const [i, f] = [Math.floor(position), cell.frames.f];
      const j = Math.min(i + 1, f.length - 1);
      const now = i === position ? f[i] : f[i].map((v, k) => between(v, f[j][k], position - i));
      dress(curve, { d: drawn(now) });
      echoes.forEach((echo, k) => {
        const earlier = i - ECHOES[k];
        dress(echo, { d: earlier > 0 ? drawn(f[earlier]) : "" });
      });
      const extent = range(now);
      const beyond = extent && (extent[1] > cell.height || extent[0] < 0);
      const size = beyond ? Math.max(Math.abs(value(extent[0])), Math.abs(value(extent[1]))) : 0;
      const isCut = beyond && (extent[1] >= cell.beyond || extent[0] <= -cell.beyond);
      fit.peak.textContent = beyond ? `leaves the window: |f| ${isCut ? "beyond" : "up to"} ${show(size, 2)}` : "";
      for (const panel of beside) placeDot(panel, panel.moving, frames, panel.positions, position);
    }

    /** Whether the fit goes through the points in this row: the exact passage, or an error that small. */
    function isThrough(row) {
      const time = cell.clock[row];
      const hasPassed = cell.through !== null && (time === null || time >= cell.through);
      return hasPassed || (payload.train !== null && isNumber(cell.train[row]) && cell.train[row] <= payload.level);
    }

    function facts(frame) {
      const row = cell.frames.row[frame];
      const time = cell.clock[row];
      const wiggliness = payload.metrics[metric];
      const isGood = isThrough(row);
      return {
        moment: moment(time),
        numbers: [
          ...errorOf(payload, cell, row),
          ...(wiggliness ? [{ name: called(wiggliness), hint: hint(wiggliness), value: show(cell.metrics[metric][row]), unit: wiggliness.unit }] : []),
        ],
        state: isGood ? "through the points" : frame === cell.frames.row.length - 1 ? "ends off the points" : "on its way",
        good: isGood,
      };
    }

    /** The first frame in which the fit goes through the points, or the last. */
    function telling() {
      const found = cell.frames.row.findIndex(isThrough);
      return found < 0 ? cell.frames.row.length - 1 : found;
    }

    function legend() {
      const items = [{ name: "points", class: "tp-swatch-point" }];
      if (cell.target) items.push({ name: "target", label: "noise-free target", class: "tp-target" });
      cell.clouds.forEach((cloud) => items.push({ name: cloud.name, label: cloud.name.replace(/-/g, " "), class: "tp-cloud tp-swatch-cloud" }));
      cell.solutions.forEach((solution, i) => {
        items.push({ name: solution.name, label: solution.name.replace(/-/g, " "), class: `tp-solution tp-series-${(i % 7) + 2}` });
      });
      return items.map((item) => ({
        ...item,
        label: item.label || item.name,
        on: isShown(item.name),
        toggle: () => {
          shown.set(item.name, !isShown(item.name));
          measure();
        },
      }));
    }

    for (const panel of beside) scrub(panel, (place) => seek(nearest(frames, place)));
    return {
      caption: "The trained function at one moment, and, fainter, where it was before. Beside it how wiggly it is, and its error.",
      panels: { main: fit, side: beside },
      shares: beside.length === 2 ? [0.56, 0.44] : [1],
      use, draw, show: show_, facts, telling, legend,
      count: () => cell.frames.row.length,
      through: () => (cell.frames.row.some(isThrough) ? telling() : null),
      metrics: payload.metrics,
      choose: (index) => {
        metric = index;
        measure();
      },
      metric: () => metric,
    };
  }

  // ----------------------------------------------------------------------------------------- the scene of modes

  function modeScene(payload, seek) {
    const bars = chart("Strength of every mode, against where it ends", { left: 38, right: 10, top: 30, bottom: 38 });
    const lines = chart("Strengths over training", { left: 46, right: 12, top: 30, bottom: 22 });
    const error = chart("Loss over training", { left: 46, right: 12, top: 30, bottom: 38 });
    const shown = new Map([["theory", true]]);
    let [cell, clock, scales, dots] = [null, null, {}, {}];

    const color = (i) => `tp-series-${(i % 8) + 1}`;
    const reached = (frame) => cell.halves.filter((half) => half !== null && half <= frame).length;

    function use(next) {
      cell = next;
      clock = clockScale(cell);
      const all = cell.modes.flat().concat(cell.ends);
      const [low, high] = range(all) || [0, 1];
      const [from, to] = widened([Math.min(low, 0), high], [], 0.06, low > -0.02 * high);
      const start = low > -0.02 * high ? 0 : from;
      scales.strength = {
        at: (v) => (isNumber(v) ? (v - start) / (to - start) : null),
        ticks: (count) => linearTicks(start, to, count).map((v) => ({ value: v, label: show(v) })),
      };
      scales.error = valueScale(cell.train || []);
      dots.error = (cell.train || []).map((v) => scales.error.at(v));
      dots.modes = cell.modes.map((mode) => mode.map((v) => scales.strength.at(v)));
      // The first frame in which a mode has half of its end.
      cell.halves = cell.modes.map((mode, i) => {
        const found = mode.findIndex((v) => isNumber(v) && v / cell.ends[i] >= 0.5);
        return found < 0 ? null : found;
      });
    }

    function draw() {
      const { strength } = scales;
      const ticksOf = (scale, count) => scale.ticks(count).map((tick) => ({ at: scale.at(tick.value), label: tick.label }));
      const ticks = [bars, lines].map((panel) => ticksOf(strength, panel.height / 45));
      const ticksOfLoss = payload.train ? ticksOf(scales.error, error.height / 30) : [];
      alignLabels([bars], [ticks[0]], 38);
      alignLabels(payload.train ? [lines, error] : [lines], [ticks[1], ticksOfLoss], 46);
      const count = cell.modes.length;
      const every = Math.ceil((count * 16) / bars.width);
      const xTicks = cell.modes.map((_, i) => ({ at: (i + 0.5) / count, label: i % every === 0 ? String(i + 1) : "" }));
      drawAxes(bars, { xTicks, yTicks: ticks[0], title: "strength of each mode", xTitle: "mode, by its singular value" });
      bars.inside.replaceChildren();
      const width = Math.min((bars.width / count) * 0.66, 54);
      bars.parts = cell.modes.map((_, i) => {
        const x = bars.x((i + 0.5) / count) - width / 2;
        const [zero, end] = [bars.y(strength.at(0)), bars.y(strength.at(cell.ends[i]) || 0)];
        const frame = { x, width, y: Math.min(zero, end), height: Math.abs(zero - end) };
        const bar = shape("rect", { class: `tp-bar ${color(i)}`, x, width });
        bars.inside.append(shape("rect", { class: "tp-goal", ...frame }), bar);
        return bar;
      });
      drawLines(ticks[1]);
      if (payload.train) drawLoss(ticksOfLoss);
    }

    function drawLines(yTicks) {
      drawAxes(lines, {
        xTicks: clock.ticks(lines.width / 60).map((tick) => ({ ...tick, label: "" })), yTicks, title: "strengths on their way", gaps: clock.gaps,
      });
      lines.inside.replaceChildren();
      lines.above.replaceChildren();
      const pixels = (mode, places) => trace(mode.map((v, k) => {
        const at = scales.strength.at(v);
        return at === null ? null : [lines.x(places[k]), lines.y(at)];
      }));
      lines.moving = cell.modes.map((mode, i) => {
        const moving = movingLine(lines, { class: `tp-mode ${color(i)}`, d: pixels(mode, clock.positions) });
        lines.inside.append(moving.line);
        lines.above.append(moving.dot);
        return moving;
      });
      if (shown.get("theory")) {
        for (const theory of cell.theories) {
          const places = theory.clock.map((time) => clock.at(time));
          theory.modes.forEach((mode) => lines.inside.append(shape("path", { class: "tp-theory", fill: "none", d: pixels(mode, places) })));
        }
      }
      cell.halves.forEach((half, i) => {
        if (half === null) return;
        const x = lines.x(clock.positions[half]);
        lines.axes.append(shape("line", { class: `tp-arrival ${color(i)}`, x1: x, x2: x, y1: lines.y(0) + 2, y2: lines.y(0) + 10 }));
      });
    }

    function drawLoss(yTicks) {
      drawAxes(error, { xTicks: clock.ticks(error.width / 60), yTicks, title: called(payload.train), xTitle: clockTitle(payload), gaps: clock.gaps });
      error.inside.replaceChildren();
      error.above.replaceChildren();
      error.moving = movingLine(error, { class: "tp-metric" });
      const points = dots.error.map((at, i) => (at === null ? null : [error.x(clock.positions[i]), error.y(at)]));
      dress(error.moving.line, { d: trace(points) });
      error.inside.append(error.moving.line);
      error.above.append(error.moving.dot);
    }

    function show_(position) {
      const i = Math.floor(position);
      const j = Math.min(i + 1, clock.positions.length - 1);
      cell.modes.forEach((mode, m) => {
        const at = scales.strength.at(between(mode[i], mode[j], position - i));
        const [zero, top] = [bars.y(scales.strength.at(0)), bars.y(at === null ? 0 : Math.min(Math.max(at, 0), 1))];
        dress(bars.parts[m], { y: Math.min(zero, top).toFixed(1), height: Math.abs(zero - top).toFixed(1) });
        placeDot(lines, lines.moving[m], clock.positions, dots.modes[m], position);
      });
      if (payload.train) placeDot(error, error.moving, clock.positions, dots.error, position);
    }

    function facts(frame) {
      const [done, all] = [reached(frame), cell.modes.length];
      return {
        moment: moment(cell.clock[frame]),
        numbers: [
          ...errorOf(payload, cell, frame),
          { name: "modes at least half learned", value: `${done} of ${all}`, unit: "" },
        ],
        state: done === all ? "all modes have arrived" : done === 0 ? "waiting for the first mode" : "modes are arriving",
        good: done === all,
      };
    }

    /** Half of the modes are there. */
    function telling() {
      const order = cell.halves.filter((half) => half !== null).sort((a, b) => a - b);
      return order.length > 0 ? order[Math.floor((order.length - 1) / 2)] : clock.positions.length - 1;
    }

    function legend() {
      const items = [{ name: "end", label: "at the end of training", class: "tp-swatch-goal", fixed: true }];
      const theories = cell.theories.map((theory) => words(theory.name)).join(", ");
      if (theories) items.push({ name: "theory", label: `theory: ${theories}`, class: "tp-theory" });
      return items.map((item) => ({ ...item, on: item.fixed || shown.get(item.name) === true, toggle: () => shown.set(item.name, !shown.get(item.name)) }));
    }

    for (const panel of [lines, error]) scrub(panel, (place) => seek(nearest(clock.positions, place)));
    return {
      caption: "How strong every mode of the network is at one moment, and on the way there. Coloured strokes on the clock: half learned.",
      panels: { main: bars, side: payload.train ? [lines, error] : [lines] },
      shares: payload.train ? [0.6, 0.4] : [1],
      use, draw, show: show_, facts, telling, legend,
      count: () => clock.positions.length,
      through: () => null,
      metrics: [], choose: () => {}, metric: () => 0,
    };
  }

  // ------------------------------------------------------------------------------------------------ the player

  /** Seconds that the whole path takes at speed 1. */
  const DURATION = 9;
  const SPEEDS = [0.25, 0.5, 1, 2, 4];
  const SCENES = { curves: fitScene, modes: modeScene };

  function player(root, payload) {
    let [position, playing, last, frame, index, speed] = [0, false, 0, -1, 0, 1];
    const seek = (to) => {
      stop();
      go(to);
    };
    const scene = SCENES[payload.kind](payload, seek);

    // The frame of the player: heading and choosers, facts, panels, controls, legend.
    const title = make("h3", { class: "tp-heading", id: fresh("title") }, [payload.title]);
    const choosers = make("div", { class: "tp-choosers" });
    const facts = make("dl", { class: "tp-facts" });
    const side = make("div", { class: "tp-side" }, scene.panels.side.map((panel) => panel.svg));
    const panels = make("div", { class: "tp-panels", tabindex: "0", role: "group", "aria-label": "Pictures; space plays, arrow keys step" }, [
      make("div", { class: "tp-main" }, [scene.panels.main.svg]), side,
    ]);
    const button = make("button", { type: "button", class: "tp-play" });
    const slider = make("input", { type: "range", min: "0", step: "1", class: "tp-slider", "aria-label": "Moment of training" });
    const mark = make("span", { class: "tp-mark", "aria-hidden": "true" });
    const speeds = make("select", { class: "tp-select", "aria-label": "Speed" }, SPEEDS.map((s) => make("option", { value: s }, [`${s}×`])));
    const loop = make("input", { type: "checkbox", id: fresh("loop") });
    const looping = make("label", { class: "tp-loop", for: loop.id }, [loop, " loop"]);
    const controls = make("div", { class: "tp-controls" }, [
      button, make("span", { class: "tp-track" }, [slider, mark]), speeds, looping,
    ]);
    const legend = make("div", { class: "tp-legend", role: "group", "aria-label": "What is drawn" });
    const live = make("p", { class: "tp-live", "aria-live": "polite" });
    const note = payload.note ? [make("p", { class: "tp-note" }, [payload.note])] : [];
    const caption = make("p", { class: "tp-caption" }, [scene.caption]);
    root.replaceChildren(make("div", { class: "tp-head" }, [title, choosers]), caption, facts, panels, controls, legend, ...note, live);
    dress(root, { role: "group", "aria-labelledby": title.id });
    speeds.value = "1";

    function labelled(label, options, chosen, choose) {
      const select = make("select", { class: "tp-select", id: fresh("choice") }, options.map((option, i) => make("option", { value: i }, [option])));
      select.value = String(chosen);
      select.addEventListener("change", () => choose(Number(select.value)));
      choosers.append(make("label", { class: "tp-choice", for: select.id }, [make("span", {}, [label]), select]));
      return select;
    }

    /** One chooser per axis where every combination is there, else one for all cells. */
    function fillChoosers() {
      const combinations = payload.axes.reduce((product, axis) => product * axis.values.length, 1);
      if (payload.cells.length > 1 && combinations === payload.cells.length) {
        payload.axes.forEach((axis, a) => {
          labelled(words(axis.name), axis.values.map(String), payload.cells[index].at[a], (chosen) => {
            const at = payload.cells[index].at.map((place, i) => (i === a ? chosen : place));
            pick(payload.cells.findIndex((cell) => cell.at.every((place, i) => place === at[i])));
          });
        });
      } else if (payload.cells.length > 1) {
        labelled("cell", payload.cells.map((cell) => cell.label), index, pick);
      }
      if (scene.metrics.length > 1) {
        labelled("measure", scene.metrics.map(called), scene.metric(), (chosen) => {
          scene.choose(chosen);
          redraw();
        });
      }
    }

    function fillLegend() {
      legend.replaceChildren();
      for (const item of scene.legend()) {
        const swatch = shape("svg", { class: "tp-swatch", width: 22, height: 12, "aria-hidden": "true" }, [
          item.class === "tp-swatch-point"
            ? shape("circle", { class: "tp-point", cx: 11, cy: 6, r: 4 })
            : item.class === "tp-swatch-goal"
              ? shape("rect", { class: "tp-goal", x: 5, y: 1.5, width: 12, height: 9 })
              : shape("line", { class: item.class, x1: 1, x2: 21, y1: 6, y2: 6 }),
        ]);
        if (item.fixed) {
          legend.append(make("span", { class: "tp-item" }, [swatch, item.label]));
          continue;
        }
        const toggle = make("button", { type: "button", class: "tp-item", "aria-pressed": String(item.on) }, [swatch, item.label]);
        toggle.addEventListener("click", () => {
          item.toggle();
          toggle.setAttribute("aria-pressed", String(toggle.getAttribute("aria-pressed") !== "true"));
          redraw();
        });
        legend.append(toggle);
      }
    }

    /** Another cell, at the same share of its path. */
    function pick(next) {
      if (next < 0) return;
      index = next;
      scene.use(payload.cells[index]);
      fillLegend();
      layout();
      stop();
      go(scene.telling());
    }

    function redraw() {
      scene.draw();
      frame = -1;
      go(position);
    }

    /** Sizes in pixels, so that texts keep theirs at any width. */
    function layout() {
      const width = panels.clientWidth;
      if (width === 0) return;
      const isNarrow = width < 620;
      const gap = 14;
      const height = isNarrow ? Math.round(Math.min(width * 0.72, 300)) : Math.round(Math.min(Math.max(width * 0.42, 300), 430));
      const mainWidth = isNarrow ? width : Math.round(width * 0.6);
      const sideWidth = isNarrow ? width : width - mainWidth - gap;
      const sideHeight = isNarrow ? 300 : height;
      scene.panels.main.resize(mainWidth, height);
      scene.panels.side.forEach((panel, i) => panel.resize(sideWidth, Math.floor(sideHeight * scene.shares[i])));
      scene.draw();
      slider.max = String(scene.count() - 1);
      const through = scene.through();
      mark.hidden = through === null;
      // The middle of a thumb of 16 pixels runs from 8 to width − 8.
      if (through !== null) mark.style.left = `calc(8px + ${(through / Math.max(scene.count() - 1, 1)).toFixed(4)} * (100% - 16px))`;
      frame = -1;
    }

    /** Shows a position, whole or between two frames. */
    function go(to) {
      position = Math.min(Math.max(to, 0), scene.count() - 1);
      scene.show(position);
      const now = Math.round(position);
      if (now === frame) return;
      frame = now;
      slider.value = String(frame);
      const said = scene.facts(frame);
      slider.setAttribute("aria-valuetext", `${clockName(payload)} ${said.moment}`);
      facts.replaceChildren(
        fact("tp-moment", clockName(payload), said.moment, ""),
        ...said.numbers.map((number) => fact("", number.name, number.value, number.unit, number.hint)),
        make("div", { class: said.good ? "tp-state tp-good" : "tp-state" }, [make("dt", { class: "tp-hidden" }, ["state"]), make("dd", {}, [said.state])]),
      );
      if (!playing) announce();
    }

    function fact(kind, name, value, unit, title) {
      const parts = unit && unit !== "1" && value !== "–" ? [value, make("span", { class: "tp-unit" }, [` ${unit}`])] : [value];
      return make("div", { class: `tp-fact ${kind}` }, [make("dt", { title }, [name]), make("dd", {}, parts)]);
    }

    /** Says the moment aloud: when it stands still, not at every frame. */
    function announce() {
      const said = scene.facts(frame);
      live.textContent = [`${clockName(payload)} ${said.moment}`, ...said.numbers.map((number) => `${number.name} ${number.value}`), said.state].join(", ");
    }

    function start() {
      if (playing) return;
      // From the telling frame or the end one wants to see it all.
      if (position >= scene.count() - 1 || !root.hasAttribute("data-played")) go(0);
      root.setAttribute("data-played", "");
      playing = true;
      last = performance.now();
      showButton();
      requestAnimationFrame(tick);
    }

    function stop() {
      const was = playing;
      playing = false;
      showButton();
      root.setAttribute("data-played", "");
      if (was) {
        go(Math.round(position));
        announce();
      }
    }

    function tick(now) {
      if (!playing) return;
      const step = (Math.min(now - last, 100) / 1000) * speed * ((scene.count() - 1) / DURATION);
      last = now;
      const next = position + step;
      if (next < scene.count() - 1) {
        go(next);
      } else if (loop.checked) {
        go(0);
      } else {
        go(scene.count() - 1);
        return stop();
      }
      requestAnimationFrame(tick);
    }

    function showButton() {
      const name = playing ? "Pause" : "Play";
      button.setAttribute("aria-label", name);
      const icon = playing ? "M3 2h4v12h-4zM9 2h4v12h-4z" : "M4 2l10 6l-10 6z";
      button.replaceChildren(shape("svg", { width: 16, height: 16, viewBox: "0 0 16 16", "aria-hidden": "true" }, [shape("path", { d: icon })]), name);
    }

    const KEYS = {
      " ": () => (playing ? stop() : start()),
      ArrowLeft: (event) => seek(Math.round(position) - (event.shiftKey ? 10 : 1)),
      ArrowRight: (event) => seek(Math.round(position) + (event.shiftKey ? 10 : 1)),
      Home: () => seek(0),
      End: () => seek(scene.count() - 1),
    };

    root.addEventListener("keydown", (event) => {
      const tag = event.target.tagName;
      // A chooser keeps its keys, and a focused button or box the space that presses it.
      const isPressed = event.key === " " && (tag === "BUTTON" || event.target.type === "checkbox");
      if (tag === "SELECT" || isPressed || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
      event.preventDefault();
      KEYS[event.key](event);
    });
    button.addEventListener("click", () => (playing ? stop() : start()));
    slider.addEventListener("input", () => seek(Number(slider.value)));
    speeds.addEventListener("change", () => (speed = Number(speeds.value)));
    // Paper shows the end of training.
    let before = 0;
    window.addEventListener("beforeprint", () => {
      stop();
      before = position;
      go(scene.count() - 1);
    });
    window.addEventListener("afterprint", () => go(before));
    let seen = 0;
    new ResizeObserver(() => {
      // A layout changes the height itself.
      if (panels.clientWidth === seen) return;
      seen = panels.clientWidth;
      layout();
      go(position);
    }).observe(panels);

    scene.use(payload.cells[0]);
    fillChoosers();
    fillLegend();
    showButton();
    layout();
    go(scene.telling());
  }

  /** Every player of the page; one whose payload cannot be read says so in its place. */
  function startAll() {
    for (const root of document.querySelectorAll(".taut-player[data-payload]")) {
      const source = document.getElementById(root.dataset.payload);
      try {
        player(root, JSON.parse(source.textContent));
      } catch (error) {
        root.textContent = `This player cannot start: ${error.message}`;
        console.error(error);
      }
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startAll);
  else startAll();
})();
