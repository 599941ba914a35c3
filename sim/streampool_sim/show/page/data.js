"use strict";
// The recording: unpacked, and asked by clock.

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text.trim()), each => each.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

// The sums of differences.
function summed(differences) {
  let sum = 0;
  return differences.map(each => (sum += each));
}

// How many of ascending numbers are `most` or less.
function upTo(numbers, most) {
  let low = 0, high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= most) low = middle + 1; else high = middle;
  }
  return low;
}

// Events, numbered from the first of the run on; the page may begin later.
class Events {
  constructor(packed) {
    Object.assign(this, packed);
    this.clocks = summed(packed.clocks);
  }
  // how many there were up to a clock, this included
  count(clock) { return this.from + upTo(this.clocks, clock); }
  // the number of the event in a clock, -1 where there is none
  at(clock) {
    const n = upTo(this.clocks, clock) - 1;
    return n >= 0 && this.clocks[n] === clock ? this.from + n : -1;
  }
  has(n) { return n >= this.from && n < this.from + this.clocks.length; }
  clock(n) { return this.clocks[n - this.from]; }
  field(name, n) { return this[name][n - this.from]; }
  value(lane, n) { return this.has(n) ? this.values[lane][n - this.from] : undefined; }
  // of a run with indices alone
  index(lane, n) { return this.has(n) ? this.indices[lane]?.[n - this.from] : undefined; }
}

// A value that changes now and then.
class Changes {
  constructor(packed) {
    this.clocks = summed(packed.clocks);
    this.values = packed.values;
  }
  at(clock) { return this.values[upTo(this.clocks, clock) - 1]; }
}

function recordingOf(data) {
  for (const name of ["taken", "given"]) data[name] = new Events(data[name]);
  for (const stage of data.stages) {
    for (const name of ["steps", "inputs", "puts", "gives"]) stage[name] = new Events(stage[name]);
    stage.writes = stage.writes.map(each => new Events(each));
  }
  for (const pieces of Object.values(data.pipelines))
    for (const piece of pieces)
      for (const name of ["takes", "puts", "gives"]) piece[name] = new Events(piece[name]);
  data.signal = {};
  for (const each of data.signals) data.signal[each.path] = new Changes(each);
  for (const name of ["inputs", "outputs", "refusals"]) data.why[name] = new Changes(data.why[name]);
  return data;
}

// What happens at the input and at the output, as causes.py has it.
const TAKEN = 0, ENDED = 1, IDLE = 2, REFUSED = 3;
const GIVEN = 0, STALLED = 1, TAPS = 2, PIPELINE = 3, TURN = 4, DONE = 5;

function isStall(data, clock) {
  const into = data.why.inputs.at(clock);
  return into === IDLE || into === REFUSED || data.why.outputs.at(clock) === STALLED;
}
