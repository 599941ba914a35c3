// The stages: what each does in this clock, its pipeline, its FIFO, and the store behind it.

const NAMED = 46; // the side of a word that has its window's name in it, at least
const CELLS = [30, 22, 14, 9, 6, 4]; // sides of a word that is drawn, in pixels
const PLACES = 16; // of a FIFO
const ROOM = 8; // it gives credit while there are fewer beats in it

class Stages {
  constructor(data, host) {
    this.data = data, this.host = host;
    this.panels = data.stages.map(() => make("section", {class: "stage"}));
    this.before = make("section", {class: "stage"}), this.behind = make("section", {class: "stage"});
    host.replaceChildren(
      make("p", {class: "key"}, "■ a tap taken in before, ◆ in this clock, □ still to come. Dotted: still in the pipeline."),
      ...data.pipelines.preprocess.length ? [this.before] : [], ...this.panels,
      ...data.pipelines.postprocess.length ? [this.behind] : []);
  }
  show(clock, channel) {
    const lane = channel % this.data.lanes;
    this.room = Math.max(200, (this.host.clientWidth || 400) - 30);
    this.data.stages.forEach((stage, i) => this.panels[i].replaceChildren(...this.stage(stage, clock, lane)));
    this.pieces(this.before, "preprocess", "Preprocessing", clock);
    this.pieces(this.behind, "postprocess", "Postprocessing: divide, round, limit", clock);
  }

  stage(stage, clock, lane) {
    const n = stage.steps.at(clock);
    return [
      make("h2", {}, `${stage.title[0].toUpperCase()}${stage.title.slice(1)} stage `,
        make("small", {}, `${this.windows(stage.along)}; ${this.example(stage)}`)),
      make("p", {class: "step"}, this.step(stage, clock, lane, n)),
      this.queue(stage, clock, lane, n),
      this.pipeline(stage, clock),
      make("p", {class: "work"}, stage.work.map((each, k) => `${k + 1} ${each}`).join(" · ")),
      this.fifo(this.data.signal[`core.${stage.name}.fifo.level`].at(clock), stage, clock),
      ...this.store(stage, clock, lane),
    ];
  }

  windows({kernel, stride, dilation, counts, uneven}) {
    if (uneven) return `windows of ${[...new Set(counts)].sort((a, b) => a - b).join(" or ")} inputs`;
    return `kernel ${kernel}, stride ${stride}${dilation > 1 ? `, dilation ${dilation}` : ""}`;
  }
  // How to read the names of its windows.
  example(stage) {
    const data = this.data, number = Math.min(stage.m * stage.along.outputs, product(stage.dims) * data.fold) - 1;
    const {at} = beatAt(number, stage.dims, data.fold), name = windowName(data, stage, number);
    const raw = at.map((each, i) => stage.pooled[i] ? "" : ` of ${data.axes[i].name.slice(0, -1)} ${each}`).reverse().join("");
    const pooled = at.filter((_, i) => stage.pooled[i]);
    return `${name} is ${raw ? "window" : "output"} ${placeName(pooled)}${raw}${data.fold > 1 ? `, channel group ${number % data.fold}` : ""}`;
  }

  // What the stage's step is, or why there is none.
  step(stage, clock, lane, n) {
    const data = this.data, signal = name => data.signal[`core.${stage.name}.${name}`]?.at(clock);
    if (n >= 0) {
      if (!stage.steps.field("taken", n))
        return `Drains: no input is there, so a complete window of the ${stage.pass} before leaves by itself.`;
      const take = stage.steps.field("takes", n) - 1;
      const sizes = stage.title === stage.name
        ? stage.dims.map((size, i) => i === stage.axis ? stage.along.length : size) : data.size;
      const {at, frame, group} = beatAt(take, sizes, data.fold);
      const which = at.map((each, i) => stage.pooled[i] && i !== stage.axis && stage.title === stage.name
        ? `window ${each} of the ${data.axes[i].name}` : `${data.axes[i].name.slice(0, -1)} ${each}`).join(", ");
      const drains = stage.steps.field("leaves", n);
      const late = drains >= 0 && alongOf(stage, drains).pass !== Math.floor(take / (stage.along.length * stage.m));
      return `Takes ${short(stage.inputs.value(lane, take))} in: ${which}${groupName(data, group)}, of frame ${frame + 1}.` +
        (late ? ` In the same step ${windowName(data, stage, drains)}, of the ${stage.pass} before, drains: it had all its taps, and had to wait for its turn.` : "");
    }
    if (signal("blocked")) return `Takes nothing: windows of the ${stage.pass} before have to leave first.`;
    if (!signal("fifo.credit")) return `Takes nothing until its FIFO, which keeps ${PLACES - ROOM} places for what is in the pipeline, has fewer than ${ROOM} beats.`;
    return "No step: no beat has come from the part before.";
  }

  // The windows that the step deals with: taps, value, whether one leaves.
  queue(stage, clock, lane, n) {
    const data = this.data, rows = [];
    if (n >= 0) {
      const leaving = stage.steps.field("leaves", n);
      if (leaving >= 0) rows.push(this.window(stage, n, leaving, stage.puts.value(lane, leaving), true));
      stage.steps.queues.forEach((_, place) => {
        const window = stage.steps.queues[place][n - stage.steps.from];
        if (window >= 0) rows.push(this.window(stage, n, window, stage.writes[place].value(lane, n), false));
      });
    }
    const note = n >= 0 && !rows.length ? "No window takes this input." : "";
    return make("div", {class: "queue", role: "group", "aria-label": "windows of this step, the oldest first"}, ...rows, note);
  }
  window(stage, n, number, value, leaves) {
    const data = this.data, {window, pass} = alongOf(stage, number);
    const take = stage.steps.field("takes", n) - 1, taken = stage.steps.field("taken", n);
    const now = Math.floor(take / stage.m) % stage.along.length;
    const passNow = Math.floor(take / (stage.m * stage.along.length));
    const taps = tapsOf(stage.along, window), old = pass < passNow;
    const marks = taps.length > 9
      ? `${taps.filter(tap => old || tap <= now).length}/${taps.length}`
      : taps.map(tap => old || tap < now || (!taken && tap <= now) ? "■" : tap === now ? "◆" : "□").join("");
    const frame = frameOfWindow(data, stage, number);
    return make("div", {class: `chip f${frame % 2}${leaves ? " leaves" : ""}`},
      make("b", {}, windowName(data, stage, number)), make("span", {class: "taps"}, marks),
      make("span", {}, `${leaves ? "leaves with" : "so far"} ${short(value)}`));
  }

  // A box per clock after a step, with what is in it.
  pipeline(stage, clock) {
    const boxes = stage.work.map((work, k) => {
      const n = stage.steps.at(clock - k), there = n >= 0;
      const leaving = there ? stage.steps.field("leaves", n) : -1;
      const text = leaving >= 0 ? windowName(this.data, stage, leaving) : there ? "•" : "";
      const frame = leaving >= 0 ? frameOfWindow(this.data, stage, leaving) % 2 : 0;
      return make("div", {class: `box${leaving >= 0 ? ` f${frame}` : ""}`, title: `clock ${k + 1} after the step: ${work}`},
        make("small", {}, k + 1), text);
    });
    const line = row("pipeline", "the stage's pipeline, a box per clock: a window that leaves, or • for a step in which none does", boxes);
    line.style.setProperty("--name", `${longestName(this.data, stage)}ch`);
    return line;
  }

  fifo(level, stage, clock) {
    const data = this.data, first = stage.gives.count(clock - 1);
    const boxes = Array.from({length: PLACES}, (_, k) => {
      const there = k < level, frame = there ? frameOfWindow(data, stage, first + k) % 2 : 0;
      return make("div", {
        class: `place${there ? ` f${frame}` : ""}${k >= ROOM ? " slack" : ""}`,
        title: there ? windowName(data, stage, first + k) : k >= ROOM ? "kept free for what is in the pipeline" : "free",
      });
    });
    return row(`FIFO ${level} of ${PLACES}`, `FIFO: ${level} of ${PLACES} beats; from ${ROOM} on no new work starts`, boxes);
  }

  // The store, and what a line buffer would have, in squares of one size.
  store(stage, clock, lane) {
    const words = stage.partials * stage.m, across = stage.lineWords / stage.lineRows;
    const high = (rows, columns, side) => rows * Math.ceil(columns / Math.floor(this.room / side)) * side;
    const sides = [Math.max(NAMED, Math.ceil(5.2 * longestName(this.data, stage)) + 4), ...CELLS];
    const side = sides.find(each => high(stage.partials, stage.m, each) <= 160 && high(stage.lineRows, across || 0, each) <= 160) ?? CELLS.at(-1);
    const [live] = this.live(stage, clock), {kernel, stride, dilation, uneven} = stage.along;
    const limit = uneven ? stage.limit : `⌈(${kernel}−1)${dilation > 1 ? `·${dilation}` : ""}/${stride}⌉`;
    const found = [make("p", {class: "store-title"}, make("b", {}, `Store: ${live} of ${plural(words, "word")} in use `),
      `(limit ${limit} × ${stage.m} = ${stage.limit * stage.m})`)];
    if (words) found.push(this.words(stage, clock, lane, side, live, words));
    else found.push(make("p", {class: "soft"}, "No window is ever incomplete after a step, so nothing is kept."));
    if (stage.lineWords) {
      found.push(make("p", {class: "store-title"}, make("b", {}, `A classic line buffer: ${plural(stage.lineWords, "word")}`),
        ` (it keeps the last ${plural(stage.lineRows, stage.unit)}, drawn to the same scale)`));
      found.push(memory(stage.lineRows, across, side, this.room, `a line buffer of ${stage.lineWords} words`, () => ({kind: "line"})));
    }
    found.push(make("p", {class: "soft"}, this.reason(stage, words)));
    return found;
  }
  reason(stage, words) {
    const {kernel, stride, dilation, uneven} = stage.along, lasts = (kernel - 1) * dilation;
    if (!words) return "";
    const bound = stage.partials === stage.limit ? "" : `; on this frame it is never more than ${stage.partials}`;
    const across = stage.lineWords / stage.lineRows;
    const pooled = across > stage.m ? ` What comes in is pooled along another axis already, so there are ${stage.m} positions and not ${across}.` : "";
    const why = uneven ? `neighbouring windows share one ${stage.unit} at most, so at most ${plural(stage.limit, "window")}`
      : `a window begins every ${stride === 1 ? stage.unit : plural(stride, stage.unit)} and needs ${lasts} more after its first, so at most ⌈${lasts}/${stride}⌉ = ${plural(stage.limit, "window")}`;
    return `Why this many: ${why} can be begun and not complete${bound}.` +
      ` The store has one number for each of these${stage.m > 1 ? `, at each of ${stage.m} ${stage.m === this.data.fold ? "channel groups" : "positions"}` : ""}: its result so far. Inputs are not kept.${pooled}`;
  }
  live(stage, clock) {
    const n = stage.steps.count(clock) - 1;
    let most = 0;
    stage.steps.most ??= stage.steps.live.map(each => (most = Math.max(most, each)));
    return stage.steps.has(n) ? [stage.steps.field("live", n), stage.steps.field("most", n)] : [0, 0];
  }
  words(stage, clock, lane, side, live, words) {
    const data = this.data, done = stage.steps.count(clock), now = stage.steps.at(clock);
    const label = `the store: ${live} of ${words} words hold a partial`;
    return memory(stage.partials, stage.m, side, this.room, label, (place, address) => {
      const n = done - 1 - ((((done - 1 - address) % stage.m) + stage.m) % stage.m);
      const window = stage.steps.has(n) ? stage.steps.queues[place][n - stage.steps.from] : -1;
      const current = n === now && n >= 0 ? " now" : "";
      if (window < 0) return {kind: `empty${current}`, title: "free"};
      const written = stage.writes[place].count(clock - 1) > n, value = stage.writes[place].value(lane, n);
      const frame = frameOfWindow(data, stage, window) % 2;
      return {
        kind: `f${frame}${current}${written ? "" : " coming"}`, text: short(value), name: windowName(data, stage, window),
        title: `${windowName(data, stage, window)} = ${value}${written ? "" : ", still in the pipeline"}`,
      };
    });
  }

  pieces(host, name, title, clock) {
    const data = this.data;
    if (!data.pipelines[name].length) return;
    host.replaceChildren(make("h2", {}, title), ...data.pipelines[name].flatMap(piece => {
      const level = data.signal[`${piece.path}.level`].at(clock);
      const label = n => {
        if (name === "preprocess" || !data.stages.length) return n >= 0 ? placeName(beatAt(n, data.size, data.fold).at) : "";
        return n >= 0 ? windowName(data, data.stages.at(-1), n) : "";
      };
      const boxes = Array.from({length: piece.clocks}, (_, k) => {
        const n = piece.takes.at(clock - k);
        return make("div", {class: `box${n >= 0 ? " f0" : ""}`, title: `clock ${k + 1} of ${piece.clocks}`}, make("small", {}, k + 1), label(n));
      });
      const places = Array.from({length: PLACES}, (_, k) => make("div", {class: `place${k < level ? " f0" : ""}${k >= ROOM ? " slack" : ""}`}));
      return [row("pipeline", `the pipeline, ${plural(piece.clocks, "clock")}`, boxes),
        row(`FIFO ${level} of ${PLACES}`, `FIFO: ${level} of ${PLACES} beats`, places)];
    }));
  }
}

// Letters of the longest name that a stage's windows have, as they are written where room is short.
function longestName(data, stage) {
  return windowName(data, stage, product(stage.dims) * data.fold - 1).replaceAll(" ", "").length + 1;
}

function row(title, label, boxes) {
  return make("div", {class: `row ${title}`}, make("span", {class: "row-title", title: label}, title),
    make("div", {class: "boxes", role: "img", "aria-label": label}, ...boxes));
}

// Words as squares: `rows` of them for each of `columns` addresses, wrapped to the room there is.
function memory(rows, columns, side, room, label, word) {
  const across = Math.min(columns, Math.floor(room / side)), bands = Math.ceil(columns / across);
  const svg = drawing(across * side + 1, bands * (rows * side + 3), label);
  for (let column = 0; column < columns; column++)
    for (let place = 0; place < rows; place++) {
      const {kind, text, title, name} = word(place, column);
      const x = (column % across) * side, y = Math.floor(column / across) * (rows * side + 3) + place * side;
      const gap = side > 10 ? 2 : 0.5;
      const square = make("rect", {class: `word ${kind}`, x: x + gap / 2 + 0.5, y: y + gap / 2 + 0.5, width: side - gap, height: side - gap});
      if (title) square.append(make("title", {}, title));
      svg.append(square);
      const named = name && side >= NAMED;
      if (named) svg.append(make("text", {class: "name", x: x + side / 2, y: y + side / 2 - 6, "text-anchor": "middle"}, name.replaceAll(" ", "")));
      if (text && side >= 22) svg.append(make("text", {x: x + side / 2, y: y + side / 2 + (named ? 12 : 4), "text-anchor": "middle"}, text));
    }
  return svg;
}
