
  // --- the live page: the model itself is asked -------------------------------------------------
  const WAIT = 250; // milliseconds without a key before a typed source is asked

  function live(element, data) {
    const own = { pair: pairs.length ? 0 : -1, edits: new Map(), role: "uniform",
      by: data.by, at: data.at, head: null, answer: null };
    const key = (at, head) => `${at} ${head}`;
    const roles = [...new Set(Object.values(data.ways).flat())].filter((way) => way !== "zero" && way !== "mean");
    const parts = Object.fromEntries(["outputs", "scores", "steps", "views", "maps"].map((name) =>
      [name, make("div", { className: name })]));
    const status = make("p", { className: "status", role: "status" });
    const wrong = make("p", { className: "refused", role: "alert" });
    const code = make("code");

    // What is asked: a text, or one of the report's pairs.
    const source = make("input", { type: "text", dir: "auto", spellcheck: false, autocomplete: "off",
      oninput: typed, onkeydown: (event) => { if (event.key === "Enter") ask(); } });
    const features = make("input", { type: "text", spellcheck: false, autocomplete: "off", oninput: typed,
      onkeydown: (event) => { if (event.key === "Enter") ask(); } });
    const picked = make("select", { onchange: () => {
      const pair = picked.selectedIndex - 1;
      if (pair < 0) source.focus();
      else { take(pair); change({ pair, query: 0, step: -1 }); }
    } }, ["a source of your own", ...pairs.map((p, i) => `${i + 1} · ${p.text.slice(0, 60)}`)]
      .map((text) => make("option", {}, text)));
    let timer = 0;
    function typed() {
      own.pair = -1;
      picked.selectedIndex = 0;
      clearTimeout(timer);
      timer = setTimeout(ask, WAIT);
    }
    function take(pair) {
      own.pair = pair;
      picked.selectedIndex = pair + 1;
      source.value = pairs[pair].text;
      features.value = data.features[pair];
      ask();
    }

    // One question at a time; of those that come while it is answered, the last.
    let asking = false, again = false;
    async function ask() {
      clearTimeout(timer);
      again = true;
      if (asking) return;
      asking = true;
      while (again) {
        again = false;
        await once();
      }
      asking = false;
    }

    async function once() {
      wrong.textContent = "";
      if (!source.value.trim()) {
        own.answer = null;
        show("Type a source.");
        return;
      }
      element.setAttribute("aria-busy", "true");
      try {
        const sent = await fetch(data.address, { method: "POST", headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ source: source.value, features: features.value, by: own.by,
            at: layered().includes(own.at) ? own.at : "", head: own.by === "weight" ? own.head : null,
            edits: [...own.edits.values()] }) });
        const answer = await sent.json();
        own.answer = sent.ok ? answer : null;
        if (!sent.ok) wrong.textContent = answer.error;
      } catch {
        own.answer = null;
        wrong.textContent = "The server does not answer. Start it anew by seq2see look … --serve, and load this page again.";
      }
      element.removeAttribute("aria-busy");
      show();
    }

    // What came back.
    function show(text = "") {
      const answer = own.answer;
      for (const part of ["outputs", "scores", "steps", "maps"]) parts[part].replaceChildren();
      status.textContent = text;
      code.textContent = answer ? answer.python : "";
      if (!answer) return;
      const { trained, edited } = answer;
      status.textContent = told(answer);
      parts.outputs.append(make("dl", { className: "written" }, output(edited ? "as trained" : "output", trained),
        edited ? output("edited", edited) : []));
      parts.scores.append(table(answer));
      if (edited) parts.steps.append(steps(trained));
      parts.maps.append(drawnMap(edited ? "As trained" : "", trained), edited ? drawnMap("Edited", edited) : "");
    }

    function told({ trained, edited, unseen }) {
      const unknown = unseen ? `${unseen} ${unseen === 1 ? "piece" : "pieces"} of this source were never seen in training. ` : "";
      if (!edited) return `${unknown}${own.edits.size || !roles.length ? "" : "Nothing is edited."}`;
      const count = edited.differs.concat(trained.differs).filter(Boolean).length;
      return unknown + (count ? "The output changes: pieces that differ are underlined." : "The output stays the same.");
    }

    function output(title, one) {
      const pieces = one.pieces.map((text, i) => make("li", one.differs[i]
        ? { className: "differs", title: "not in the other output" } : {}, token(text)));
      const cut = one.finished ? [] : [make("span", { className: "mark" }, " · stopped at the longest length allowed")];
      return [make("dt", {}, title), make("dd", {}, make("p", { dir: "auto" }, one.text || "∅"),
        make("ol", {}, pieces), cut)];
    }

    const sum = (scores) => scores.reduce((a, b) => a + b, 0);
    const signed = (x) => (Math.abs(x) < 0.005 ? "0.00" : (x > 0 ? "+" : "") + fixed(x));

    function table({ trained, edited }) {
      const same = edited && !edited.differs.concat(trained.differs).some(Boolean);
      const rows = !edited ? [["of the output", trained]] : same ? [["of both outputs", trained]]
        : [["of the output as trained", trained], ["of the edited output", edited]];
      const heads = edited ? ["ln p", "as trained", "edited", "change"] : ["ln p", "as trained"];
      return make("table", { className: "likelihoods" },
        make("thead", {}, make("tr", {}, heads.map((text) => make("th", { scope: "col" }, text)))),
        make("tbody", {}, rows.map(([name, { scores }]) => {
          const before = sum(scores.trained), after = scores.edited && sum(scores.edited);
          return make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, fixed(before)),
            scores.edited ? [make("td", {}, fixed(after)), make("td", { className: "by" }, signed(after - before))] : []);
        })));
    }

    // How probable each piece of the unedited output is in both networks.
    function steps({ pieces, scores }) {
      const bar = (score) => make("td", {}, make("span", { className: "bar", "--w": Math.exp(score).toFixed(4) }),
        fixed(Math.exp(score)));
      const rows = pieces.map((text, i) => make("tr", {}, make("th", { scope: "row" }, token(text)),
        bar(scores.trained[i]), bar(scores.edited[i]), make("td", {}, signed(scores.edited[i] - scores.trained[i]))));
      const heads = ["piece of the output as trained", "p as trained", "p edited", "change of ln p"];
      return make("details", { className: "numbers", open: own.steps === true,
        ontoggle: (event) => { own.steps = event.target.open; } },
      make("summary", {}, "Piece by piece"),
      make("div", { className: "pane", tabIndex: 0, role: "region", "aria-label": "Probability of each piece" },
        make("table", { className: "qk" }, make("thead", {}, make("tr", {},
          heads.map((text) => make("th", { scope: "col" }, text)))), make("tbody", {}, rows))));
    }

    function drawnMap(title, one) {
      const { values, rows, columns } = one.map;
      const found = matrix(values, 0);
      opened.delete(values); // every answer brings its own
      const label = `${title ? `${title}: ` : ""}map of the output`;
      return make("div", {}, title ? make("h5", {}, title) : [],
        rows.length && columns.length ? heat(rows, columns, found, label) : make("p", { className: "quiet" }, "Nothing was written."));
    }

    // The attentions whose map a measure can draw: by weight all, by norm those over the source.
    function layered() {
      const every = Object.keys(data.heads);
      return own.by === "weight" ? every : own.by === "norm" ? every.filter((at) => at.endsWith("cross")) : [];
    }

    function views() {
      keeping(parts.views, () => {
        const redraw = (next) => {
          Object.assign(own, next);
          if (layered().length && !layered().includes(own.at)) Object.assign(own, { at: data.at, head: null });
          views();
          ask();
        };
        const controls = [];
        controls.push(choice("By", data.measures, data.measures.indexOf(own.by), (i) => redraw({ by: data.measures[i] })));
        const places = layered(), count = data.heads[own.at];
        if (places.length > 1) {
          controls.push(select("At", places, places.indexOf(own.at), (i) => redraw({ at: places[i], head: null })));
        }
        if (own.by === "weight" && count > 1) {
          controls.push(choice("Head", ["mean", ...Array.from({ length: count }, (_, i) => String(i))],
            own.head === null ? 0 : own.head + 1, (i) => redraw({ head: i ? i - 1 : null })));
        }
        return [make("div", { className: "controls" }, controls)];
      });
    }

    // The heads: a click moves one on to the next way, with shift to the one before.
    const tiles = [];
    const cycle = (at) => ["", ...["zero", "mean", own.role].filter((way) => data.ways[at].includes(way))];
    const way = (at, head) => own.edits.get(key(at, head))?.to || "";
    function next(at, head, by) {
      const ways = cycle(at), now = ways.indexOf(way(at, head));
      return now < 0 ? "" : ways[(now + by + ways.length) % ways.length];
    }

    function set(at, head, to) {
      if (to) own.edits.set(key(at, head), { at, head, to });
      else own.edits.delete(key(at, head));
      named();
      ask();
    }

    const back = make("button", { type: "button", className: "switch", onclick: () => {
      own.edits.clear();
      named();
      ask();
    } }, "All as trained");

    function named() {
      back.disabled = !own.edits.size;
      for (const { button, label, at, head } of tiles) {
        const to = way(at, head), then = next(at, head, 1);
        button.dataset.to = to === "" || to === "zero" || to === "mean" ? to : "role";
        button.setAttribute("aria-pressed", String(to !== ""));
        button.setAttribute("aria-label", `${at}, head ${head}: ${to || "as trained"}; a click makes it ${then || "as trained"}`);
        button.title = `${at}, head ${head}: ${to || "as trained"}. Click: ${then || "as trained"}`;
        label.textContent = to || "as trained";
      }
    }

    function headTile(at, head) {
      const known = figures["wall-maps"]?.data.maps[at];
      const canvas = make("canvas"), label = make("span");
      if (known) repaints.push(() => paint(canvas, scaled(matrix(known, head))));
      const button = make("button", { type: "button",
        onclick: (event) => set(at, head, next(at, head, event.shiftKey ? -1 : 1)),
        onkeydown: (event) => {
          if (event.key !== "Backspace" && event.key !== "Delete") return;
          event.preventDefault();
          set(at, head, "");
        } }, make("span", { className: "picture" }, canvas), label);
      tiles.push({ button, label, at, head });
      return button;
    }

    function heads() {
      const groups = Object.entries(data.groups).map(([title, names]) => {
        const most = Math.max(...names.map((at) => data.heads[at]));
        return make("div", {}, make("h5", {}, title),
          make("div", { className: "layer names", "--n": most }, make("span", {}),
            Array.from({ length: most }, (_, i) => make("span", {}, String(i)))),
          names.map((at) => make("div", { className: "layer", "--n": most },
            make("span", { title: at }, (at.match(/\d+/) || [""])[0]),
            Array.from({ length: data.heads[at] }, (_, head) => headTile(at, head)))));
      });
      const most = Math.max(...Object.values(data.heads));
      return make("div", { className: "wall changing", "--least": `${1.1 + 3.8 * most}rem` }, groups);
    }

    const editing = !roles.length ? [] : [
      make("h4", {}, data.noun === "head" ? "Heads" : "Attention"),
      make("p", { className: "sub" }, `A click on ${data.noun === "head" ? "a head" : "it"} goes on: as trained,`
        + " zero in the place of what it reads, the mean of the data, a role in the place of its pattern, and as trained again. With Shift it goes"
        + " back; Delete ends the edit."),
      make("div", { className: "controls" },
        select("Role", roles, roles.indexOf(own.role), (i) => { own.role = roles[i]; named(); }), back),
      heads()];
    const row = (title, input) => make("label", { className: "asked" }, make("span", {}, title), input);
    element.append(
      make("div", { className: "asking" }, row("Source", source), data.featured ? row("Features", features) : [],
        pairs.length ? row("or pair", picked) : []),
      wrong,
      make("div", { className: "result" }, status, parts.outputs, parts.scores),
      parts.steps, ...editing,
      make("h4", {}, "Map"), parts.views, parts.maps,
      make("details", { className: "numbers" }, make("summary", {}, "The same in Python"), make("pre", { tabIndex: 0 }, code)));
    views();
    named();
    redraws.push(() => { // another page has opened another pair
      if (own.pair >= 0 && own.pair !== state.pair) take(state.pair);
    });
    if (pairs.length) take(0);
  }
  kinds.live = live;
