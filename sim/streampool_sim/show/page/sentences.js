// This clock in words, and the counts up to it.

function inputSentence(data, clock) {
  switch (data.why.inputs.at(clock)) {
    case TAKEN: {
      const n = data.taken.at(clock), {at, frame, group} = beatAt(n, data.size, data.fold);
      const windows = combined(data.axes.map((axis, i) => windowsOf(axis, at[i])));
      const names = windows.length > 6 ? plural(windows.length, "window") : windows.map(placeName).join(", ");
      const takers = !windows.length ? "no window takes it" : windows.length === 1 ? `window ${names} takes it` : windows.length > 6 ? `${names} take it` : `windows ${names} take it`;
      return `Input ${placeName(at)}${prime(frame)}${groupName(data, group)} comes in; ${takers}.`;
    }
    case ENDED: return "All inputs are in.";
    case IDLE: return "Stall: the source offers no input in this clock.";
    default: return `Stall: the input is refused: ${data.why.sentences[data.why.refusals.at(clock)]}.`;
  }
}

function outputSentence(data, clock, channel) {
  const why = data.why.outputs.at(clock), lane = channel % data.lanes;
  if (why === DONE) return "All outputs are out.";
  const n = data.given.count(clock - 1), {at, frame, group} = beatAt(n, data.outSize, data.fold);
  const name = `window ${placeName(at)}${prime(frame)}${groupName(data, group)}`;
  const value = data.given.value(lane, n), index = data.given.index(lane, n);
  const last = placeName(beatAt(data.lastTaps[n % data.beatsOut], data.size, data.fold).at) + prime(frame);
  switch (why) {
    case GIVEN: return `Output: ${name} leaves with ${short(value)}${index === undefined ? "" : `, index ${index}`}.`;
    case STALLED: return `Stall: ${name} is offered, but the receiver is not ready.`;
    case TAPS: return `No output: the next one, ${name}, still waits for its last tap, input ${last}.`;
    case TURN: return `No output: ${name} has all its taps, and waits for its turn: one window leaves per step.`;
    default: return `No output: ${name} has all its taps (the last was input ${last}), and is in the pipeline.`;
  }
}

function drainSentence(data, clock) {
  const drains = data.stages.filter(stage => {
    const n = stage.steps.at(clock), window = n < 0 ? -1 : stage.steps.field("leaves", n);
    if (window < 0) return false;
    const pass = Math.floor((stage.steps.field("takes", n) - 1) / (stage.along.length * stage.m));
    return !stage.steps.field("taken", n) || alongOf(stage, window).pass < pass;
  });
  if (!drains.length) return "";
  const said = drains.map(stage => {
    const when = stage.steps.field("taken", stage.steps.at(clock)) ? `while the next ${stage.pass} comes in` : `by itself, before the next ${stage.pass}`;
    return `in the ${stage.title} stage a window of the ${stage.pass} before leaves, ${when}`;
  });
  return `Drain: ${said.join("; ")}.`;
}

// How many clocks of each kind there were, kept for every clock.
class Counter {
  constructor(data) {
    this.data = data, this.kinds = Object.keys(data.why.counted);
    let so = this.kinds.map(kind => data.why.before[kind]);
    this.sums = Array.from({length: data.end - data.first}, (_, k) => {
      const clock = data.first + k, refusal = data.why.refusals.at(clock);
      const now = [...so];
      const add = kind => { now[this.kinds.indexOf(kind)] += 1; };
      if (data.why.inputs.at(clock) === IDLE) add("idle");
      if (refusal >= 0) add(data.why.roots[refusal]);
      if (data.why.outputs.at(clock) === STALLED) add("stalled");
      return (so = now);
    });
  }
  rows(clock, stages) {
    const data = this.data, rows = [
      ["clocks", clock + 1, `at least ${plural(data.limit, "clock")} per frame without stalls; latency ${data.latency}`],
      ["beats in", data.taken.count(clock), `${data.beatsIn.toLocaleString("en")} per frame`],
      ["beats out", data.given.count(clock), `${data.beatsOut.toLocaleString("en")} per frame`],
    ];
    for (const stage of data.stages) {
      const [live, most] = stages.live(stage, clock);
      rows.push([`live partials, ${stage.title}`, live, `at most ${most} so far; limit ${stage.limit * stage.m}`]);
    }
    this.kinds.forEach((kind, i) => {
      const [name, note] = data.why.counted[kind];
      rows.push([name, this.sums[clock - data.first][i], note]);
    });
    return rows;
  }
}

function countsTable(rows) {
  return make("table", {}, make("tbody", {}, ...rows.map(([name, number, note]) =>
    make("tr", {}, make("th", {scope: "row"}, name), make("td", {class: "number"}, number.toLocaleString("en")), make("td", {}, note)))));
}

function registersTable(data, clock) {
  const hexed = (value, bits) => typeof value === "string" ? `0x${value}` : bits > 8 ? `${value} = 0x${value.toString(16)}` : value;
  return make("table", {}, make("thead", {}, make("tr", {}, ...["name in the code", "what it is", "bits", "value"].map(head => make("th", {scope: "col"}, head)))),
    make("tbody", {}, ...data.signals.map(each => make("tr", {}, make("th", {scope: "row"}, make("code", {}, each.path)),
      make("td", {}, each.plain), make("td", {class: "number"}, each.bits),
      make("td", {class: "number"}, hexed(data.signal[each.path].at(clock), each.bits))))));
}
