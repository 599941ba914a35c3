// Signals around a clock, and an overview of the whole run.

const LINE = 26; // a signal's height, in pixels

class Waves {
  constructor(data, host, canvas) {
    this.data = data, this.host = host, this.canvas = canvas;
    const long = data.size.length > 2 || data.fold > 1 || data.golden.some(frame => frame.some(each => short(each).length > 4));
    this.pitch = long ? 52 : 32; // a clock's width, in pixels
    canvas.addEventListener("pointerdown", event => {
      const box = canvas.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      this.seek?.(data.first + Math.floor(share * (data.end - data.first)));
    });
  }
  rows(channel) {
    const data = this.data, lane = channel % data.lanes, signal = path => clock => data.signal[path].at(clock);
    const taken = clock => data.taken.at(clock);
    const found = [
      {name: "input valid", bit: signal("i__valid")}, {name: "input ready", bit: signal("i__ready")},
      {name: "taken", bus: clock => {
        const n = taken(clock);
        if (n < 0) return null;
        const {at, frame} = beatAt(n, data.size, data.fold);
        return {text: at.join(","), kind: `f${frame % 2}`};
      }},
    ];
    for (const stage of data.stages)
      found.push({name: `${stage.title === stage.name ? `${stage.name} stage` : "stage"}: leaves`, bus: clock => {
        const n = stage.steps.at(clock);
        if (n < 0) return null;
        const window = stage.steps.field("leaves", n);
        return window < 0 ? {text: stage.steps.field("taken", n) ? "•" : "", kind: "step"}
          : {text: windowName(data, stage, window).replace(/[pwr() ]/g, "").replaceAll("·", ":"), kind: `f${frameOfWindow(data, stage, window) % 2}`};
      }});
    found.push(
      {name: "output valid", bit: signal("o__valid")}, {name: "output ready", bit: signal("o__ready")},
      {name: "output last", bit: clock => {
        const n = data.given.count(clock - 1);
        return signal("o__valid")(clock) && data.given.has(n) ? data.given.field("last", n) : 0;
      }},
      {name: "output", bus: clock => {
        const n = data.given.at(clock);
        return n < 0 ? null : {text: short(data.given.value(lane, n)), kind: `f${Math.floor(n / data.beatsOut) % 2}`};
      }});
    if (data.goldenIndices)
      found.push({name: "its index", bus: clock => {
        const n = data.given.at(clock);
        return n < 0 ? null : {text: short(data.given.index(lane, n)), kind: `f${Math.floor(n / data.beatsOut) % 2}`};
      }});
    return found;
  }
  show(clock, channel) {
    const data = this.data, left = 150, rows = this.rows(channel);
    const wide = Math.max(320, this.host.clientWidth || 700), labels = wide < 600 ? 0 : left;
    const shown = Math.min(data.end - data.first, Math.floor((wide - labels - 8) / this.pitch));
    const begin = Math.max(data.first, Math.min(clock - (shown >> 1), data.end - shown));
    const high = labels ? LINE : LINE + 14;
    const svg = drawing(labels + shown * this.pitch + 4, 22 + rows.length * high, `signals of the clocks ${begin} to ${begin + shown - 1}`);
    svg.append(make("rect", {class: "here", x: labels + (clock - begin) * this.pitch, y: 0, width: this.pitch, height: 22 + rows.length * high}));
    for (let k = 0; k < shown; k++) {
      const stall = isStall(data, begin + k);
      svg.append(make("text", {class: stall ? "number stalled" : "number", x: labels + k * this.pitch + this.pitch / 2, y: 14, "text-anchor": "middle"}, begin + k));
    }
    rows.forEach((each, i) => {
      const y = 22 + i * high + (labels ? 0 : 14);
      svg.append(make("text", {class: "signal", x: 0, y: labels ? y + 17 : y - 2}, each.name));
      svg.append(...each.bit ? this.bit(each.bit, begin, shown, labels, y) : this.bus(each.bus, begin, shown, labels, y));
    });
    this.host.replaceChildren(svg);
    this.overview(clock);
  }
  bit(value, begin, shown, left, y) {
    let path = "";
    for (let k = 0; k < shown; k++) {
      const high = y + (value(begin + k) ? 5 : 21);
      path += `${k ? "L" : "M"}${left + k * this.pitch} ${high}L${left + (k + 1) * this.pitch} ${high}`;
    }
    return [make("path", {class: "level", d: path})];
  }
  bus(value, begin, shown, left, y) {
    const found = [];
    for (let k = 0; k < shown; k++) {
      const there = value(begin + k), x = left + k * this.pitch;
      if (!there) continue;
      found.push(make("rect", {class: `beat ${there.kind}`, x: x + 1, y: y + 4, width: this.pitch - 2, height: 18, rx: 3}),
        make("text", {class: "value", x: x + this.pitch / 2, y: y + 17, "text-anchor": "middle"}, there.text));
    }
    return found;
  }
  // Above the inputs, below the outputs; a stall is higher than a beat, and orange.
  overview(clock) {
    const data = this.data, canvas = this.canvas, pen = canvas.getContext("2d");
    this.strip ??= this.stripe(canvas);
    const each = canvas.width / (data.end - data.first);
    pen.drawImage(this.strip, 0, 0);
    pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--ink");
    pen.fillRect((clock - data.first) * each - 1, 0, Math.max(2, each), canvas.height);
  }
  // All clocks, drawn once.
  stripe(canvas) {
    const data = this.data, ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = 26;
    canvas.width = width * ratio, canvas.height = height * ratio;
    const strip = document.createElement("canvas");
    strip.width = canvas.width, strip.height = canvas.height;
    const pen = strip.getContext("2d"), style = getComputedStyle(document.documentElement);
    const colour = name => style.getPropertyValue(name);
    pen.scale(ratio, ratio);
    pen.fillStyle = colour("--paper"), pen.fillRect(0, 0, width, height);
    const clocks = data.end - data.first, each = width / clocks;
    for (let k = 0; k < clocks; k++) {
      const into = data.why.inputs.at(data.first + k), out = data.why.outputs.at(data.first + k);
      const x = k * each, w = Math.max(each, 0.7);
      if (into === TAKEN) pen.fillStyle = colour("--f0"), pen.fillRect(x, 5, w, 7);
      if (into === IDLE || into === REFUSED) pen.fillStyle = colour("--bad"), pen.fillRect(x, 0, w, 12);
      if (out === GIVEN) pen.fillStyle = colour("--f0"), pen.fillRect(x, 14, w, 7);
      if (out === STALLED) pen.fillStyle = colour("--bad"), pen.fillRect(x, 14, w, 12);
    }
    return strip;
  }
}
