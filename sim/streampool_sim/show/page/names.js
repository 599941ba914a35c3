// Where beats and windows are, and what they are called.

// The coordinates of a number in raster order.
function coordinates(number, sizes) {
  const found = [];
  for (const size of [...sizes].reverse()) { found.unshift(number % size); number = Math.floor(number / size); }
  return found;
}

function raster(at, sizes) { return at.reduce((sum, each, i) => sum * sizes[i] + each, 0); }

function product(sizes) { return sizes.reduce((all, each) => all * each, 1); }

// Of a beat of the run: its frame, the coordinates of its position, and its channel group.
function beatAt(number, sizes, fold) {
  const each = product(sizes) * fold, beat = number % each;
  return {
    frame: Math.floor(number / each), group: beat % fold,
    at: coordinates(Math.floor(beat / fold), sizes), position: Math.floor(beat / fold),
  };
}

function placeName(at) { return at.length > 1 ? `(${at.join(", ")})` : String(at[0]); }

// Which of a position's beats it is, where there are several.
function groupName(data, group) { return data.fold > 1 ? ` of channel group ${group}` : ""; }

function prime(frame) { return frame % 2 ? "′" : ""; }

// What a stage's window is called: r3·w2 is window 2 of row 3, where columns alone are pooled.
function windowName(data, stage, number) {
  const {frame, at, group} = beatAt(number, stage.dims, data.fold);
  const pooled = at.filter((_, i) => stage.pooled[i]);
  const raw = at.map((each, i) => stage.pooled[i] ? "" : `${data.axes[i].name[0]}${each}·`).join("");
  const name = `${raw}w${placeName(pooled)}`;
  return `${name}${data.fold > 1 ? `·g${group}` : ""}${prime(frame)}`;
}

function frameOfWindow(data, stage, number) { return beatAt(number, stage.dims, data.fold).frame; }

// The window's number along the stage's axis, and the pass that it is of.
function alongOf(stage, number) {
  const beat = Math.floor(number / stage.m);
  return {window: beat % stage.along.outputs, pass: Math.floor(beat / stage.along.outputs)};
}

// The real taps of window i of an axis.
function tapsOf(axis, i) {
  return Array.from({length: axis.counts[i]}, (_, k) => axis.firsts[i] + k * axis.dilation);
}

function lastTap(axis, i) { return axis.firsts[i] + (axis.counts[i] - 1) * axis.dilation; }

// The windows of an axis that take a position in.
function windowsOf(axis, position) {
  if (!axis.takers) {
    axis.takers = Array.from({length: axis.length}, () => []);
    for (let i = 0; i < axis.outputs; i++) tapsOf(axis, i).forEach(tap => axis.takers[tap].push(i));
  }
  return axis.takers[position];
}

// From where to where a window reaches, padding and gaps included.
function reachOf(axis, i) {
  if (axis.uneven) return [axis.firsts[i], lastTap(axis, i)];
  const start = i * axis.stride - axis.before;
  return [start, start + (axis.kernel - 1) * axis.dilation];
}

// All combinations of one of each list.
function combined(lists) {
  return lists.reduce((all, list) => all.flatMap(head => list.map(each => [...head, each])), [[]]);
}
