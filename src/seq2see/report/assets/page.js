"use strict";
// Draws the figures whose data stands in the element #data. Text of the data enters the page as text
// nodes alone, never as markup.
(() => {
  const { figures, shared } = JSON.parse(document.getElementById("data").textContent);
  const pairs = shared.pairs || [];
  const state = { pair: 0, at: "", head: 0, query: 0, scale: 0, step: -1 };
  const redraws = []; // each drawing's own, called when the state changes
  const repaints = []; // what reads colours: called when the theme changes

  function make(tag, options = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(options)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name.startsWith("--")) element.style.setProperty(name, value);
      else if (name in element && name !== "list") element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children.flat());
    return element;
  }

  const space = document.createElementNS("http://www.w3.org/2000/svg", "svg").namespaceURI;
  function drawn(tag, options = {}) {
    const element = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(options)) element.setAttribute(name, value);
    return element;
  }

  // What leaves no ink is shown by a sign: a blank as ␣, any other such character by its number; see
  // `visible` in pieces.py. In plain text a token keeps to its own direction between two marks.
  const unseen = /^[\p{Z}\p{Cc}\p{Cf}▁]+$/u;
  const signs = (text) => [...text].map((c) => (" ▁".includes(c) ? "␣"
    : `U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`)).join("");
  const visible = (text) => (unseen.test(text) ? signs(text) : text.replaceAll("▁", "_") || "∅");
  const isolated = (text) => `\u2068${visible(text)}\u2069`;

  // A token of any script keeps to itself; marks that are no text stand back.
  const special = (text) => /^(<.+>|\[.+\])$/.test(text);
  function token(text) {
    if (special(text)) return make("bdi", { className: "mark" }, text);
    if (unseen.test(text)) return make("bdi", { className: "mark" }, signs(text));
    const blank = text.startsWith("▁") ? [make("span", { className: "mark" }, "_")] : [];
    return make("bdi", {}, blank, visible(text.replace(/^▁/, "")));
  }

  const opened = new Map();
  function unpack(record) {
    if (!opened.has(record)) {
      const bytes = Uint8Array.from(atob(record.data), (c) => c.charCodeAt(0));
      const whole = record.type === "u1" ? bytes : new Int16Array(bytes.buffer);
      opened.set(record, Float32Array.from(whole, (x) => x * record.step + record.low));
    }
    return { values: opened.get(record), shape: record.shape };
  }

  // One matrix of a packed array [head, row, column], or the mean of all.
  function matrix(record, head) {
    const { values, shape } = unpack(record);
    const [rows, columns] = shape.slice(-2);
    const size = rows * columns;
    if (shape.length === 2) return { values, rows, columns };
    if (head !== "mean") return { values: values.subarray(head * size, (head + 1) * size), rows, columns };
    const mean = new Float32Array(size);
    for (let i = 0; i < values.length; i++) mean[i % size] += values[i] / shape[0];
    return { values: mean, rows, columns };
  }

  const minus = (text) => text.replace("-", "−");
  const fixed = (x, digits = 2) => minus(x.toFixed(digits));
  const percent = (x) => `${(100 * x).toFixed(x < 0.0995 ? 1 : 0)} %`;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = (x, digits = 2) => (Number.isFinite(x) ? fixed(x, digits).replace(/^(−?)0(?=\.)/, "$1") : "–");

  function change(next) {
    Object.assign(state, next);
    for (const redraw of redraws) redraw();
  }

  let unique = 0;
  // A row of radio buttons: one stop of the tab key, arrows inside.
  function choice(title, names, now, pick) {
    const name = `choice-${unique++}`;
    const labels = names.map((text, i) =>
      make("label", {}, make("input", { type: "radio", name, checked: i === now, value: String(i),
        onchange: () => pick(i) }), typeof text === "string" ? token(text) : text));
    return make("fieldset", { className: "choice" }, make("legend", {}, title), labels);
  }

  function select(title, names, now, pick) {
    const box = make("select", { onchange: () => pick(box.selectedIndex) },
      names.map((text, i) => make("option", { selected: i === now }, text)));
    return make("label", {}, title, box);
  }

  function pairSelect() {
    const names = pairs.map((p, i) => `${i + 1} · ${p.text.slice(0, 60)}${p.right ? "" : " · wrong"}`);
    const label = select("Pair", names, state.pair, (pair) => change({ pair, query: 0, step: -1 }));
    label.lastChild.className = "wide";
    return label;
  }

  // Draws anew without losing the place of the keyboard among the controls.
  function keeping(element, fill) {
    const inside = [...element.querySelectorAll("input, select, button")];
    const at = inside.indexOf(document.activeElement);
    const left = [...element.querySelectorAll(".pane")].map((pane) => pane.scrollLeft);
    element.replaceChildren(...fill());
    element.querySelectorAll(".pane").forEach((pane, i) => (pane.scrollLeft = left[i] || 0));
    const again = [...element.querySelectorAll("input, select, button")];
    const inputs = at >= 0 && inside[at].type === "radio"
      ? again.filter((one) => one.name && one.type === "radio" && one.checked
          && one.closest(".choice").firstChild.textContent
            === inside[at].closest(".choice").firstChild.textContent)
      : [again[at]];
    if (at >= 0 && inputs[0]) inputs[0].focus({ preventScroll: true });
  }

  function texts(pair) {
    const wrong = pair.right ? [] : [make("dt", {}, "reference"),
      make("dd", { dir: "auto" }, pair.references.join(" / "))];
    return make("dl", { className: "texts" },
      make("dt", {}, "source"), make("dd", { dir: "auto" }, pair.text),
      make("dt", {}, "output"),
      make("dd", { dir: "auto" }, pair.output, pair.right ? "" : " ",
        pair.right ? "" : make("span", { className: "wrong" }, "· wrong")), wrong);
  }

  function heat(rows, columns, found, label) {
    const tall = columns.some((name) => [...name].length > 3 && !special(name));
    const head = columns.map((name) => make("th", { scope: "col" },
      make("span", { className: tall ? "tall" : "" }, token(name))));
    const body = rows.map((name, i) => make("tr", {}, make("th", { scope: "row" }, token(name)),
      columns.map((column, j) => {
        const w = found.values[i * found.columns + j];
        const cell = make("td", { className: w < 0.095 ? "faint" : "", "--w": Math.max(0, Math.min(1, w)).toFixed(3),
          title: `${isolated(name)} ← ${isolated(column)}: ${fixed(w, 3)}` }, number(w));
        inked(cell);
        return cell;
      })));
    return make("div", { className: "pane", tabIndex: 0, role: "region", "aria-label": label },
      make("table", { className: "heat" }, make("thead", {}, make("tr", {}, make("td", { hidden: true }),
        make("th", {}), head)), make("tbody", {}, body)));
  }

  // The ink of a cell: the page's own while it is easy to read on the cell's shade, else white or
  // black, of which one always has a contrast of 4.5 and more (where they are equal, of 4.58).
  const SHADES = 1000;
  let inks = [];
  function inked(cell) {
    if (!inks.length) inks = inksOf("--mark", "--heat");
    cell.style.color = cell.className ? "" : inks[Math.round(SHADES * cell.style.getPropertyValue("--w"))];
  }

  // Relative luminance as in WCAG 2. A shade is mixed in Oklab, as the style sheet does: between Oklab
  // and the cube roots of the cones' answers stands one more matrix, which leaves a mixture as it is.
  const linear = (c) => (c <= 10.31475 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const light = (name) => [...rgb(name)].slice(0, 3).map(linear);
  const luminance = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const times = (matrix, vector) => matrix.map((row) => row.reduce((sum, x, i) => sum + x * vector[i], 0));
  const TO_CONES = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005]];
  const FROM_CONES = [[4.0767416621, -3.3077115913, 0.2309699292], [-1.2684380046, 2.6097574011, -0.3413193965],
    [-0.0041960863, -0.7034186147, 1.7076147010]];

  function inksOf(from, to) {
    const own = luminance(light("--ink"));
    const [first, last] = [from, to].map((name) => times(TO_CONES, light(name)).map(Math.cbrt));
    return Array.from({ length: SHADES + 1 }, (_, k) => {
      const mixed = first.map((x, i) => (x + (last[i] - x) * (k / SHADES)) ** 3);
      const shade = luminance(times(FROM_CONES, mixed));
      if (contrast(own, shade) >= 7) return "";
      return contrast(1, shade) > contrast(0, shade) ? "#fff" : "#000";
    });
  }

  // --- a grid of weights, by method, place and head -------------------------------------------
  function grid(element, data) {
    const own = { method: 0, at: data.at || "", head: 0 };
    const methods = [...new Set(data.views.map((v) => v.method || ""))];
    const label = element.getAttribute("aria-label");
    redraws.push(() => keeping(element, () => {
      const pair = pairs[state.pair];
      const ofMethod = data.views.filter((v) => (v.method || "") === methods[own.method]);
      const places = [...new Set(ofMethod.map((v) => v.at || ""))];
      const at = places.includes(own.at) ? own.at : places[0];
      const here = ofMethod.filter((v) => (v.at || "") === at);
      own.head = Math.min(own.head, here.length - 1);
      const view = here[own.head];
      const redraw = (part) => (i) => { own[part] = i; change({}); };
      const controls = make("div", { className: "controls" }, pairSelect());
      if (methods.length > 1) controls.append(choice("By", methods, own.method, redraw("method")));
      if (data.views.some((v) => (v.at || "") !== places[0])) {
        controls.append(select("At", places, places.indexOf(at), (i) => { own.at = places[i]; change({}); }));
      }
      if (here.length > 1) {
        controls.append(choice("Head", here.map((v) => String(v.head)), own.head, redraw("head")));
      }
      const record = view.values ? view.values[state.pair] : shared.patterns[state.pair][view.at];
      const found = matrix(record, view.head ?? 0);
      const names = (side, fallback) => {
        const wanted = view.each ? view.each[side][state.pair] : view[side] || fallback;
        return Array.isArray(wanted) ? wanted : pair[wanted];
      };
      return [controls, texts(pair),
        heat(names("rows", data.rows), names("columns", data.columns), found, label)];
    }));
  }

  // --- the tree of a beam search --------------------------------------------------------------
  const WIDE = 104, HIGH = 30, DROPPED = 3;
  function beam(element, data) {
    redraws.push(() => keeping(element, () => {
      const pair = pairs[state.pair], tree = data.trees[state.pair];
      const count = tree.steps.length;
      if (!count) return [make("div", { className: "controls" }, pairSelect()), texts(pair)];
      if (state.step < 0) state.step = doubtful(tree);
      const slider = make("input", { type: "range", min: 0, max: count - 1, value: state.step,
        "aria-valuetext": `step ${state.step + 1} of ${count}`,
        oninput: () => change({ step: Number(slider.value) }) });
      const controls = make("div", { className: "controls" }, pairSelect(),
        make("label", {}, "Step", slider, make("span", {}, `${state.step + 1} of ${count}`)));
      const pane = make("div", { className: "pane", tabIndex: 0, role: "region",
        "aria-label": "Tree of the search" }, branches(tree));
      requestAnimationFrame(() => {
        const x = state.step * WIDE;
        if (x < pane.scrollLeft || x + WIDE > pane.scrollLeft + pane.clientWidth) {
          pane.scrollLeft = x - pane.clientWidth / 2;
        }
      });
      return [controls, texts(pair), pane, likely(tree, state.step)];
    }));
  }

  // The step at which the best output was least sure of its token.
  function doubtful(tree) {
    let parent = 0, least = 2, at = 0;
    tree.best.forEach((id, t) => {
      const ways = tree.steps[t].ways, way = ways.find((w) => w[0] === parent && w[1] === id);
      if (!way) return;
      if (way[2] < least) [least, at] = [way[2], t];
      parent = ways.filter((w) => w[4] === "k").indexOf(way);
    });
    return at;
  }

  function shown(step) {
    let dropped = 0;
    return step.ways.filter((way) => way[4] !== "d" || dropped++ < DROPPED);
  }

  function branches(tree) {
    const svg = drawn("svg"), nodes = [], lines = [], bold = [];
    let parents = [{ x: 0, y: 20 + HIGH / 2, best: true }];
    let most = 0;
    tree.steps.forEach((step, t) => {
      const x = 14 + t * WIDE;
      nodes.push(make("div", { className: `column${t === state.step ? " now" : ""}`,
        style: `left:${x - 7}px;width:${WIDE - 4}px` }));
      nodes.push(make("div", { className: "index", style: `left:${x - 7}px;width:${WIDE - 4}px` },
        String(t + 1)));
      const next = [];
      shown(step).forEach((way, row) => {
        const [parent, id, p, total, fate] = way;
        const from = parents[parent], y = 20 + row * HIGH + HIGH / 2;
        if (!from) return;
        const best = from.best && id === tree.best[t];
        const path = drawn("path", { class: `${fate}${best ? " best" : ""}`,
          d: `M${from.x} ${from.y}C${from.x + 9} ${from.y} ${x - 9} ${y} ${x} ${y}` });
        (best ? bold : lines).push(path);
        nodes.push(make("div", { className: `node ${fate}${best ? " best" : ""}`,
          style: `left:${x}px;top:${y - 12}px;width:${WIDE - 18}px`,
          title: `${isolated(tree.names[id])}: p ${p}, whole ln p ${total}` },
          make("b", {}, token(tree.names[id])), make("i", {}, p < 0.005 ? "<.01" : fixed(p).replace(/^0/, ""))));
        if (fate === "k") next.push({ x: x + WIDE - 18, y, best });
        most = Math.max(most, row + 1);
      });
      parents = next;
    });
    svg.append(...lines, ...bold);
    const width = 14 + tree.steps.length * WIDE, height = 26 + most * HIGH;
    return make("div", { className: "tree", style: `width:${width}px;height:${height}px` },
      nodes.filter((n) => n.classList.contains("column")), svg,
      nodes.filter((n) => !n.classList.contains("column")));
  }

  // The tokens so far of every hypothesis that a step starts from.
  function prefixes(tree, until) {
    let before = [[]];
    for (let t = 0; t < until; t++) {
      before = tree.steps[t].ways.filter((w) => w[4] === "k")
        .map(([parent, id]) => [...(before[parent] || []), tree.names[id]]);
    }
    return before;
  }

  function likely(tree, at) {
    const step = tree.steps[at], before = prefixes(tree, at);
    const taken = new Set(step.ways.filter((w) => w[4] !== "d").map((w) => `${w[0]}/${w[1]}`));
    const blocks = step.likely.map((each, h) => make("div", {},
      make("h4", {}, make("bdi", { dir: "ltr" }, (before[h] || []).flatMap((text) => [token(text), " "]),
        before[h]?.length ? "" : "from the start")),
      make("ol", {}, each.map(([id, p]) => make("li", { className: taken.has(`${h}/${id}`) ? "taken" : "" },
        make("span", {}, token(tree.names[id])), make("span", { className: "bar", "--w": p }),
        make("span", {}, p < 0.0005 ? "<.001" : fixed(p, 3)))))));
    return make("div", {},
      make("p", { className: "sub" }, `Step ${at + 1}: the most probable next tokens of each hypothesis; blue goes on or ends`),
      make("div", { className: "pane", tabIndex: 0, role: "region", "aria-label": "Probabilities of the step" },
        make("div", { className: "likely" }, blocks)));
  }

  // --- maps on canvases -----------------------------------------------------------------------
  function rgb(name) {
    const probe = make("canvas", { width: 1, height: 1 }).getContext("2d");
    probe.fillStyle = colour(name);
    probe.fillRect(0, 0, 1, 1);
    return probe.getImageData(0, 0, 1, 1).data;
  }

  // Numbers from -1 to 1 as opacity of one of two hues.
  function paint(canvas, found) {
    const plus = rgb("--heat"), less = rgb("--minus");
    const image = new ImageData(found.columns, found.rows);
    found.values.forEach((w, i) => {
      image.data.set((w < 0 ? less : plus).slice(0, 3), 4 * i);
      image.data[4 * i + 3] = Math.round(255 * Math.min(1, Math.abs(w)));
    });
    canvas.width = found.columns;
    canvas.height = found.rows;
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  function scaled(found) {
    const top = found.values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
    return { ...found, values: found.values.map((w) => w / top) };
  }

  function map(element, data) {
    const found = scaled(matrix(data.values));
    const canvas = make("canvas", { role: "img", "aria-label": element.getAttribute("aria-label") });
    repaints.push(() => paint(canvas, found));
    const key = (name, text) => make("span", { className: "key" },
      make("i", { style: `background:var(${name})` }), text);
    element.append(make("div", { className: "map" }, make("span", { className: "y" }, `${data.rows} →`), canvas,
      make("div", { className: "x" }, make("span", {}, `${data.columns} →`),
        make("span", {}, key("--minus", "below 0"), " ", key("--heat", "above 0")))));
  }

  function wall(element, data) {
    const buttons = [];
    const groups = Object.entries(data.groups).map(([title, names]) => {
      const heads = Math.max(...names.map((at) => data.largest[at].length)), columns = Math.max(1, heads);
      const top = make("div", { className: "layer names", "--n": columns }, make("span", {}),
        Array.from({ length: heads }, (_, i) => make("span", {}, String(i))));
      const layers = names.map((at) => make("div", { className: "layer", "--n": columns },
        make("span", { title: at }, (at.match(/\d+/) || [""])[0]),
        data.largest[at].length ? data.largest[at].map((_, head) => tile(data, at, head, buttons))
          : make("span", { className: "gone" }, "no head left")));
      return make("div", {}, make("h4", {}, title), top, layers);
    });
    const most = Math.max(...Object.values(data.largest).map((heads) => heads.length));
    element.append(make("div", { className: "wall", "--least": `${Math.max(15, 1.5 + 4.4 * most)}rem` }, groups));
    redraws.push(() => buttons.forEach(({ button, at, head }) =>
      button.setAttribute("aria-pressed", String(at === state.at && head === state.head))));
  }

  // The mean weight by offset, from keys before the query on the left to keys after it.
  function profile(weights) {
    const svg = drawn("svg", { viewBox: `0 0 ${weights.length} 10`, preserveAspectRatio: "none",
      class: "profile", "aria-hidden": "true" });
    const bars = weights.map((w, i) => (w ? `M${i + 0.5} 10v${(-10 * w).toFixed(2)}` : "")).join("");
    svg.append(drawn("path", { d: bars }), drawn("path", { class: "own", d: `M${weights.length / 2} 0v10` }));
    return svg;
  }

  function tile(data, at, head, buttons) {
    const found = scaled(matrix(data.maps[at], head));
    const canvas = make("canvas");
    repaints.push(() => paint(canvas, found));
    const role = data.notes[at][head], none = role === "none";
    const entropy = number(data.entropies[at][head]), by = data.changes[at][head];
    const lost = (by > 0 ? "+" : "") + number(by, 3);
    const told = `${at}, head ${head}: ${none ? "no role" : role}, entropy ${entropy}, ln p ${lost} when ablated,`
      + ` largest weight ${number(data.largest[at][head])}`;
    const button = make("button", { type: "button", title: told, "aria-label": `${told}; open its card`,
      onclick: () => {
        change({ at, head, query: 0 });
        location.hash = document.getElementById("head") ? "head" : "alignment";
      } }, canvas, profile(data.offsets[at][head]),
    ...[none ? "–" : role, `H ${entropy}`, `Δ ${lost}`].map((text) => make("span", {}, text)));
    buttons.push({ button, at, head });
    return button;
  }

  // --- one query of one head ------------------------------------------------------------------
  function soften(scores) {
    const top = Math.max(...scores);
    const each = scores.map((s) => Math.exp(s - top));
    const sum = each.reduce((a, b) => a + b, 0);
    return each.map((x) => x / sum);
  }

  function head(element, data) {
    redraws.push(() => keeping(element, () => {
      const number = Math.min(state.pair, data.cards.length - 1);
      const pair = pairs[number], cards = data.cards[number], names = Object.keys(cards);
      if (!cards[state.at]) state.at = names[names.length - 1];
      const card = cards[state.at], sides = shared.attentions[state.at];
      const q = unpack(card.q), k = unpack(card.k), features = q.shape[2];
      if (!card.heads.includes(state.head)) state.head = card.heads[0];
      const queries = pair[sides.rows], keys = pair[sides.columns];
      state.query = Math.min(state.query, queries.length - 1);
      const factor = card.scale * 2 ** state.scale;
      const slider = make("input", { type: "range", min: -3, max: 4, step: 0.25, value: state.scale,
        "aria-valuetext": `scale ${factor.toFixed(3)}`,
        oninput: () => change({ scale: Number(slider.value) }) });
      const controls = [make("div", { className: "controls" }, pairSelect(),
        select("Attention", names, names.indexOf(state.at), (i) => change({ at: names[i], query: 0 })),
        choice("Head", card.heads.map(String), card.heads.indexOf(state.head), (i) => change({ head: card.heads[i] }))),
      make("div", { className: "controls" }, choice("Query", queries, state.query, (i) => change({ query: i }))),
      make("div", { className: "controls" }, make("label", {}, "Scale", slider,
        make("span", {}, `${factor.toFixed(3)}${state.scale ? "" : ", its own"}`)),
        make("button", { type: "button", className: "switch", onclick: () => change({ scale: 0 }) }, "Own scale"),
        make("button", { type: "button", className: "switch",
          onclick: () => change({ scale: -Math.log2(card.scale) }) }, "Undivided"))];
      const rows = products(card, q, k, features, keys.length);
      return [...controls, verdict(rows, factor), tableOf(rows, keys, features, factor), ...written(card)];
    }));
  }

  function products(card, q, k, features, keys) {
    const h = card.heads.indexOf(state.head), i = state.query, queries = q.shape[1];
    const values = unpack(card.v), groups = Math.max(1, q.shape[0] / values.shape[0]);
    const own = groups > 1 ? Math.floor(h / groups) : state.head;
    const bias = card.bias && matrix(card.bias, h);
    const rows = [];
    for (let j = 0; j < keys; j++) {
      const each = new Float32Array(features);
      let dot = 0;
      for (let d = 0; d < features; d++) {
        each[d] = q.values[(h * queries + i) * features + d] * k.values[(h * k.shape[1] + j) * features + d];
        dot += each[d];
      }
      rows.push({ each, dot, seen: !card.causal || j <= i, extra: bias ? bias.values[i * bias.columns + j] : 0,
        v: values.values[own * values.shape[1] + j] });
    }
    const weigh = (name, factor) => soften(rows.map((r) => (r.seen ? r.dot * factor + r.extra : -Infinity)))
      .forEach((w, j) => { rows[j][name] = w; });
    weigh("plain", 1);
    weigh("own", card.scale);
    weigh("now", card.scale * 2 ** state.scale);
    return rows;
  }

  function verdict(rows, factor) {
    const seen = rows.filter((r) => r.seen);
    const entropy = seen.reduce((sum, r) => sum - (r.now > 0 ? r.now * Math.log(r.now) : 0), 0);
    const facts = [["largest weight", percent(Math.max(...seen.map((r) => r.now)))],
      ["entropy", `${fixed(entropy)} nats`], ["if even", `${fixed(Math.log(seen.length))} nats`],
      ["scale", factor.toFixed(3)]];
    return make("dl", { className: "facts" },
      facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
  }

  function tableOf(rows, keys, features, factor) {
    const most = Math.max(...rows.flatMap((r) => [...r.each].map(Math.abs)), 1e-9);
    const best = Math.max(...rows.map((r) => r.now));
    const weight = (w) => make("td", {}, make("span", { className: "bar", "--w": w.toFixed(3) }), fixed(w));
    const body = rows.map((r, j) => make("tr", { className: r.now === best ? "most" : "" },
      make("th", { scope: "row" }, token(keys[j])), make("td", {}, sticks(r.each, most)),
      make("td", {}, fixed(r.dot)),
      ...(r.seen ? [weight(r.plain), weight(r.own), weight(r.now)]
        : [make("td", { colSpan: 3, className: "quiet" }, "not yet read")]),
      make("td", {}, fixed(r.v))));
    const names = ["key", "products, feature by feature", "q·k", "weight, undivided", "weight, own scale",
      `weight at ${factor.toFixed(3)}`, "norm of v"];
    return make("div", { className: "pane", tabIndex: 0, role: "region", "aria-label": "Keys of the query" },
      make("table", { className: "qk" }, make("thead", {}, make("tr", {},
        names.map((name) => make("th", { scope: "col" }, name)))), make("tbody", {}, body)));
  }

  function sticks(each, most) {
    const step = Math.max(3, Math.min(7, 220 / each.length)), half = 11;
    const svg = drawn("svg", { width: step * each.length, height: 2 * half, "aria-hidden": "true" });
    const ends = { plus: "", minus: "" };
    each.forEach((x, d) => {
      ends[x < 0 ? "minus" : "plus"] += `M${(d + 0.5) * step} ${half}v${((-x / most) * half).toFixed(2)}`;
    });
    svg.append(drawn("path", { class: "zero", d: `M0 ${half}h${step * each.length}` }));
    for (const [name, d] of Object.entries(ends)) {
      svg.append(drawn("path", { class: name, d, "stroke-width": step * 0.6, fill: "none" }));
    }
    return svg;
  }

  function written(card) {
    if (!card.writes) return [];
    const { names, tokens, logits } = card.writes, found = unpack(logits), width = found.shape[2];
    const from = (state.head * found.shape[1] + state.query) * width;
    const chips = tokens[state.head][state.query].map((id, i) => make("li", {}, token(names[id]),
      make("i", {}, `+${fixed(found.values[from + i])}`)));
    return [make("p", { className: "sub" }, "What it writes here speaks for"), make("ul", { className: "chips" }, chips)];
  }

  // --- charts ---------------------------------------------------------------------------------
  function config(narrow) {
    const ink = colour("--ink"), soft = colour("--soft"), line = colour("--line");
    const font = getComputedStyle(document.body).fontFamily;
    const colours = [1, 2, 3, 4, 5, 6].map((i) => colour(`--c${i}`));
    return {
      background: "transparent", font, padding: 2, view: { stroke: null, continuousHeight: 230 },
      axis: { labelColor: soft, titleColor: soft, gridColor: line, domainColor: line, tickColor: line,
        labelFontSize: 12, titleFontSize: 12, titleFontWeight: 400, labelLimit: 160, titlePadding: 8,
        tickCount: 6, labelFlush: true },
      axisX: { grid: false }, axisY: { domain: false, ticks: false, labelPadding: 8 },
      legend: { orient: "top", labelColor: ink, labelFontSize: 12, symbolType: "circle", title: null, offset: 6,
        labelLimit: 0, ...(narrow ? { columns: 1 } : {}) },
      range: { category: colours, heatmap: [colour("--mark"), colour("--heat")] },
      mark: { color: colours[0] }, line: { color: colours[0] }, bar: { color: colours[0] },
      point: { color: colours[0] }, rule: { color: ink }, text: { color: ink },
    };
  }

  // A long title of the horizontal axis goes on in a second line where the chart is narrow.
  function broken(title, width) {
    const pen = make("canvas").getContext("2d");
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const lines = [""];
    for (const word of title.split(" ")) {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (pen.measureText(longer).width <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  }

  function fitted(spec, width) {
    const x = spec.encoding?.x;
    const layers = spec.layer && { layer: spec.layer.map((one) => fitted(one, width)) };
    if (typeof x?.title !== "string") return { ...spec, ...layers };
    return { ...spec, ...layers, encoding: { ...spec.encoding, x: { ...x, title: broken(x.title, width) } } };
  }

  const NARROW = 480; // pixels of a chart in which the names of a legend stand one below the other
  function chart(element, spec) {
    let last = null;
    repaints.push(async () => {
      if (last) last.finalize();
      const width = element.clientWidth, room = Math.max(120, width - 150); // less a vertical axis's labels
      last = await window.vegaEmbed(element, { ...fitted(spec, room), config: config(width < NARROW), autosize: { type: "fit-x", contains: "padding" } },
        { mode: "vega-lite", actions: false, renderer: "svg", defaultStyle: false, tooltip: { disableDefaultStyle: true } });
    });
  }

  // --- the page -------------------------------------------------------------------------------
  const kinds = { grid, beam, wall, map, head };
