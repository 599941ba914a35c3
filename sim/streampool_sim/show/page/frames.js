// A frame as a grid: the input with its padding, the output, golden.

const NARROW = 28; // a position of a frame of one axis, in pixels: it is wrapped to what fits
const WIDE = 60; // columns of a map that gets the whole width, where it is not high
const LONG = 24; // columns from which on it does where it is twice as wide as high
const HIGH = 440; // pixels that a plane is high at most, if its cells can be seen

class Grid {
  // `pads` are shown around the frame: [before, after] for each axis; of a large map only some
  // rows are, from the first to the last
  constructor(host, sizes, label, pads, [first, last], values) {
    this.host = host, this.sizes = sizes, this.first = first, this.last = last;
    this.pads = sizes.length === 1 ? [[0, 0]] : pads ?? sizes.map(() => [0, 0]);
    this.low = values.reduce((a, b) => Math.min(a, b)), this.range = Math.max(1, values.reduce((a, b) => Math.max(a, b)) - this.low);
    const long = values.some(each => short(each).length > 4);
    const room = Math.max(130, document.body.classList.contains("wide") ? host.clientWidth : Math.min(host.clientWidth || 360, 560));
    this.wrap = Math.max(4, Math.floor(room / (long ? 46 : NARROW)));
    this.columns = sizes.length === 1 ? Math.min(sizes[0], this.wrap) : sizes.at(-1);
    this.planes = sizes.length === 3 ? sizes[0] : 1;
    this.rows = sizes.length === 1 ? Math.ceil(sizes[0] / this.wrap) : last - first + 1;
    const [top, bottom] = sizes.length > 1 ? this.pads.at(-2) : [0, 0], [left, right] = this.pads.at(-1);
    this.left = left, this.top = top;
    this.wide = this.columns + left + right, this.high = this.rows + top + bottom;
    this.cell = Math.max(3, Math.min(long ? 46 : 34, Math.floor((room - 2) / this.wide), Math.floor(HIGH / this.high)));
    this.text = this.cell >= (long ? 34 : 17);
    const height = this.planes * (this.high * this.cell + 6);
    this.svg = drawing(this.wide * this.cell + 2, height + 2, label);
    this.cells = new Map();
    if (!this.text) this.svg.classList.add("bare");
    this.pad();
    product(sizes) && this.fill();
    this.marks = make("g", {});
    this.svg.append(this.marks);
    host.replaceChildren(this.svg);
  }
  pad() {
    for (let plane = 0; plane < this.planes; plane++)
      for (let y = 0; y < this.high; y++)
        for (let x = 0; x < this.wide; x++) {
          const row = y - this.top, column = x - this.left;
          if (row >= 0 && row < this.rows && column >= 0 && column < this.columns) continue;
          const [px, py] = this.corner(plane, row, column);
          this.svg.append(make("rect", {class: "cell pad", x: px + 1, y: py + 1, width: this.cell - 2, height: this.cell - 2}));
        }
  }
  fill() {
    const size = this.cell - (this.cell > 8 ? 2 : 0.5);
    const across = product(this.sizes.slice(1));
    this.begin = this.first * across, this.number = (this.last - this.first + 1) * across;
    for (let position = this.begin; position < this.begin + this.number; position++) {
      const [x, y] = this.where(position);
      const rect = make("rect", {class: "cell", x: x + 1, y: y + 1, width: size, height: size, "data-position": position});
      const text = this.text ? make("text", {x: x + this.cell / 2, y: y + this.cell / 2 + 4, "text-anchor": "middle"}) : null;
      this.svg.append(rect);
      if (text) this.svg.append(text);
      this.cells.set(position, {rect, text, state: ""});
    }
  }
  corner(plane, row, column) {
    return [(column + this.left) * this.cell + 1, (row + this.top) * this.cell + 1 + plane * (this.high * this.cell + 6)];
  }
  where(position) {
    if (this.sizes.length === 1) return this.corner(0, Math.floor(position / this.wrap), position % this.wrap);
    const at = coordinates(position, this.sizes);
    return this.corner(this.sizes.length === 3 ? at[0] : 0, at.at(-2) - this.first, at.at(-1));
  }
  // what a channel has at a position, of values that begin where the grid does
  of(values, channel, position) { return values[channel * this.number + position - this.begin]; }
  // state and text of a position; what is there already is left alone
  set(position, state, value) {
    const cell = this.cells.get(position);
    if (cell.state === state && cell.value === value) return;
    cell.state = state, cell.value = value;
    cell.rect.setAttribute("class", `cell ${state}`);
    if (cell.text) cell.text.textContent = short(value);
    // without text a value is the depth of the colour
    else cell.rect.style.fillOpacity = state.startsWith("in") ? 0.15 + 0.85 * (value - this.low) / this.range : "";
  }
  // outlines of windows: each an area of positions by axis, [first, last], padding included
  outline(areas) {
    this.marks.replaceChildren(...areas.flatMap(({area, kind, taps}) => [
      ...this.boxes(area).map(([x, y, width, height]) =>
        make("rect", {class: `window ${kind}`, x: x + 1, y: y + 1, width: width - 2, height: height - 2, rx: 4})),
      ...(taps ?? []).filter(each => this.cells.has(each)).map(position => {
        const [x, y] = this.where(position);
        return make("circle", {class: "tap", cx: x + this.cell - 5, cy: y + 5, r: Math.min(3, this.cell / 5)});
      }),
    ]));
  }
  boxes(area) {
    const clipped = area.map(([a, b], i) => [
      Math.max(a, -this.pads[i][0]), Math.min(b, this.sizes[i] - 1 + this.pads[i][1])]);
    if (this.sizes.length === 2) {
      clipped[0] = clipped[0].map(row => Math.max(-this.pads[0][0], Math.min(row - this.first, this.last - this.first + this.pads[0][1])));
      if (area[0][1] < this.first - this.pads[0][0] || area[0][0] > this.last + this.pads[0][1]) return [];
    }
    if (this.sizes.length === 1) {
      const found = [];
      for (let x = clipped[0][0]; x <= clipped[0][1];) {
        const row = Math.floor(x / this.wrap), end = Math.min(clipped[0][1], (row + 1) * this.wrap - 1);
        const [px, py] = this.corner(0, row, x - row * this.wrap);
        found.push([px, py, (end - x + 1) * this.cell, this.cell]);
        x = end + 1;
      }
      return found;
    }
    const [rows, columns] = clipped.slice(-2);
    const planes = clipped.length === 3 ? [Math.max(0, clipped[0][0]), Math.min(this.sizes[0] - 1, clipped[0][1])] : [0, 0];
    const found = [];
    for (let plane = planes[0]; plane <= planes[1]; plane++) {
      const [x, y] = this.corner(plane, rows[0], columns[0]);
      found.push([x, y, (columns[1] - columns[0] + 1) * this.cell, (rows[1] - rows[0] + 1) * this.cell]);
    }
    return found;
  }
}

// The area of an output's window in the input, and its real taps.
function areaOf(data, at) {
  const area = data.axes.map((axis, i) => reachOf(axis, at[i]));
  const taps = combined(data.axes.map((axis, i) => tapsOf(axis, at[i])));
  return {area, taps: taps.map(each => raster(each, data.size))};
}

class Frames {
  constructor(data) {
    this.data = data;
    const pads = data.axes.map(axis => [Math.max(0, axis.before), Math.max(0, axis.after)]);
    const columns = data.size.at(-1), rows = data.rowsIn[1] - data.rowsIn[0] + 1;
    document.body.classList.toggle("wide", data.size.length > 1 && rows <= WIDE && (columns > WIDE || (data.size.length === 2 && columns > LONG && columns >= 2 * rows)));
    const host = id => document.querySelector(`#${id} .grid`);
    this.input = new Grid(host("input"), data.size, "the input frame: what has come in, and the windows that take the beat that comes in now", pads, data.rowsIn, data.framesIn[0]);
    this.output = new Grid(host("out"), data.outSize, "the output frame as it fills", null, data.rowsOut, data.golden[0]);
    this.golden = new Grid(host("golden"), data.outSize, "the golden model's output frame", null, data.rowsOut, data.golden[0]);
    this.hovered = null;
    for (const [grid, kind] of [[this.input, "input"], [this.output, "output"], [this.golden, "output"]]) {
      grid.svg.addEventListener("pointerover", event => {
        const position = event.target.dataset?.position;
        this.hover(position === undefined ? null : {kind, position: Number(position)});
      });
      grid.svg.addEventListener("click", event => {
        const position = event.target.dataset?.position;
        if (position !== undefined) this.seek?.(this.clockOf(kind, Number(position)));
      });
      grid.svg.addEventListener("pointerleave", () => this.hover(null));
    }
  }
  hover(what) { this.hovered = what; this.show(this.clock, this.channel); }
  // The clock in which a position of the frames shown comes in or leaves, of the run that is shown.
  clockOf(kind, position) {
    const data = this.data, group = Math.floor(this.channel / data.lanes), into = kind === "input";
    const frame = into ? this.frameIn : this.frameOut;
    const events = into ? data.taken : data.given;
    const n = frame * (into ? data.beatsIn : data.beatsOut) + position * data.fold + group;
    return events.has(n) ? events.clock(n) : undefined;
  }
  // What is hovered over, in words.
  described() {
    const data = this.data, {kind, position} = this.hovered, clock = this.clockOf(kind, position);
    const when = clock === undefined ? "not in these clocks" : `in clock ${clock}`;
    if (kind === "input") {
      const at = coordinates(position, data.size), takers = combined(data.axes.map((axis, i) => windowsOf(axis, at[i])));
      return `Input ${placeName(at)} comes in ${when}. ${takers.length ? `Taken by ${plural(takers.length, "window")}: ${takers.map(placeName).join(", ")}.` : "No window takes it."}`;
    }
    const at = coordinates(position, data.outSize), {taps} = areaOf(data, at);
    const last = this.clockOf("input", taps.at(-1)), same = this.frameIn === this.frameOut && last !== undefined;
    const index = this.goldenIndex(this.frameOut, this.channel, position);
    return `Window ${placeName(at)} leaves ${when}${index === undefined ? "" : `, with index ${index}`}. It has ${plural(taps.length, "tap")}; the last is input ${placeName(coordinates(taps.at(-1), data.size))}${same ? `, in clock ${last}` : ""}.`;
  }
  // The index that golden has, counted within its frame as the core's is.
  goldenIndex(frame, channel, position) {
    const data = this.data, indices = data.goldenIndices;
    return indices ? this.golden.of(indices[frame % indices.length], channel, position) : undefined;
  }
  show(clock, channel) {
    const data = this.data, group = Math.floor(channel / data.lanes), lane = channel % data.lanes;
    this.clock = clock, this.channel = channel;
    const taken = data.taken.count(clock), now = data.taken.at(clock);
    const given = data.given.count(clock), leaving = data.given.at(clock);
    const frameIn = Math.min(data.frames - 1, Math.floor((now >= 0 ? now : taken) / data.beatsIn));
    const frameOut = Math.min(data.frames - 1, Math.floor((leaving >= 0 ? leaving : given) / data.beatsOut));
    this.frameIn = frameIn, this.frameOut = frameOut;
    this.fillInput(frameIn, taken, now, channel, group);
    this.fillOutput(frameOut, taken, given, leaving, group, lane);
    this.fillGolden(frameOut, channel, given, group, lane);
    this.outlines(now, leaving, frameIn, frameOut);
    if (this.hovered) document.querySelector(this.hovered.kind === "input" ? "#input .note" : "#out .note").textContent = this.described();
  }
  fillInput(frame, taken, now, channel, group) {
    const data = this.data, values = data.framesIn[frame % data.framesIn.length];
    const since = taken - frame * data.beatsIn;
    for (const position of this.input.cells.keys()) {
      const beat = position * data.fold + group, number = frame * data.beatsIn + beat;
      const state = number === now ? `in f${frame % 2} now` : beat < since ? `in f${frame % 2}` : "later";
      this.input.set(position, state, this.input.of(values, channel, position));
    }
    document.querySelector("#input-h").textContent = `Input frame ${frame + 1} of ${data.frames}`;
    const pads = data.axes.length > 1 && data.axes.some(axis => axis.before > 0 || axis.after > 0);
    document.querySelector("#input .note").textContent =
      `${Math.max(0, since).toLocaleString("en")} of ${plural(data.beatsIn, "beat")} taken${pads ? "; the dashed border is padding, which takes no clock" : ""}. Point at a value to see its windows; click to go there.`;
  }
  fillOutput(frame, taken, given, leaving, group, lane) {
    const data = this.data, area = product(data.outSize);
    const since = taken - frame * data.beatsIn;
    for (const position of this.output.cells.keys()) {
      const number = (frame * area + position) * data.fold + group, at = coordinates(position, data.outSize);
      const first = raster(data.axes.map((axis, i) => axis.firsts[at[i]]), data.size) * data.fold + group;
      const last = data.lastTaps[position * data.fold + group];
      let state = since > last ? "full" : since > first ? "begun" : "later", value = "";
      if (number < given) state = `in f${frame % 2}${number === leaving ? " now" : ""}`, value = data.given.value(lane, number) ?? "·";
      this.output.set(position, state, value);
    }
    document.querySelector("#out-h").textContent = `Output frame ${frame + 1} of ${data.frames}`;
    const done = Math.max(0, given - frame * data.beatsOut);
    document.querySelector("#out .note").textContent =
      `${done.toLocaleString("en")} of ${plural(data.beatsOut, "beat")} out. Dashed: begun; dotted: its taps are all in, and it is on its way. Point at a value to see its taps; click to go there.`;
  }
  fillGolden(frame, channel, given, group, lane) {
    const data = this.data, values = data.golden[frame % data.golden.length], area = product(data.outSize);
    let wrong = 0;
    for (const position of this.golden.cells.keys()) {
      const value = this.golden.of(values, channel, position), number = (frame * area + position) * data.fold + group;
      const there = number < given, differs = there && data.given.has(number) &&
        (data.given.value(lane, number) !== value || data.given.index(lane, number) !== this.goldenIndex(frame, channel, position));
      wrong += differs;
      this.golden.set(position, differs ? "wrong" : there ? `in f${frame % 2}` : "later", value);
    }
    document.querySelector("#golden .note").textContent = wrong
      ? `${plural(wrong, "value")} ${wrong === 1 ? "DIFFERS" : "DIFFER"}, crossed out here.` : `What has come out is the same${data.goldenIndices ? ", indices too" : ""}.`;
  }
  outlines(now, leaving, frameIn, frameOut) {
    const data = this.data, marks = [], outs = [];
    const windows = position => combined(data.axes.map((axis, i) => windowsOf(axis, coordinates(position, data.size)[i])));
    if (this.hovered?.kind === "input") {
      for (const at of windows(this.hovered.position)) {
        marks.push({...areaOf(data, at), taps: [this.hovered.position], kind: "hovered"});
        outs.push({area: at.map(each => [each, each]), kind: "hovered"});
      }
    } else if (this.hovered?.kind === "output") {
      const at = coordinates(this.hovered.position, data.outSize);
      marks.push({...areaOf(data, at), kind: "hovered"});
      outs.push({area: at.map(each => [each, each]), kind: "hovered"});
    } else {
      if (now >= 0)
        for (const at of windows(beatAt(now, data.size, data.fold).position)) {
          marks.push({area: areaOf(data, at).area, kind: ""});
          if (frameIn === frameOut) outs.push({area: at.map(each => [each, each]), kind: ""});
        }
      if (leaving >= 0) {
        const {at, frame} = beatAt(leaving, data.outSize, data.fold);
        if (frame === frameIn) marks.push({area: areaOf(data, at).area, kind: "leaving"});
        outs.push({area: at.map(each => [each, each]), kind: "leaving"});
      }
    }
    this.input.outline(marks);
    this.output.outline(outs);
    this.golden.outline(outs.filter(each => each.kind === "hovered"));
  }
}
