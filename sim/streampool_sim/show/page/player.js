// The player: which clock is shown, and what moves it.

class Player {
  constructor(data) {
    this.data = data, this.channel = 0, this.timer = null;
    this.stages = new Stages(data, document.querySelector("#stages"));
    this.waves = new Waves(data, document.querySelector("#waves > div"), document.querySelector("#overview"));
    this.counter = new Counter(data);
    this.waves.seek = clock => this.go(clock);
    this.build();
    this.controls();
    this.go(Number(location.hash.slice(1)) || data.first);
  }
  // What depends on the window's width.
  build() {
    this.frames = new Frames(this.data);
    this.frames.seek = clock => { if (clock !== undefined) this.pause(), this.go(clock); };
    this.waves.strip = null;
  }
  element(id) { return document.querySelector(`#${id}`); }
  controls() {
    const data = this.data, at = this.element("at");
    at.min = data.first, at.max = data.end - 1;
    at.addEventListener("input", () => this.go(Number(at.value)));
    this.element("back").addEventListener("click", () => this.step(-1));
    this.element("forth").addEventListener("click", () => this.step(1));
    this.element("play").addEventListener("click", () => this.toggle());
    this.element("output").addEventListener("click", () => this.jump("output", 1));
    this.element("stall").addEventListener("click", () => this.jump("stall", 1));
    this.element("speed").addEventListener("change", () => { if (this.timer) this.toggle(), this.toggle(); });
    const channel = this.element("channel");
    for (let each = 0; each < data.channels; each++) channel.append(make("option", {value: each}, each));
    this.element("channels").hidden = data.channels === 1;
    channel.addEventListener("change", () => { this.channel = Number(channel.value); this.go(this.clock); });
    this.element("registers").addEventListener("toggle", () => this.go(this.clock));
    let width = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth === width) return;
      width = innerWidth;
      this.build();
      this.go(this.clock);
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.waves.strip = null; this.go(this.clock); });
    addEventListener("hashchange", () => this.go(Number(location.hash.slice(1))));
    addEventListener("keydown", event => this.key(event));
    // after a click by pointer the space bar plays; who came there by tab presses the button
    document.querySelector(".buttons").addEventListener("click", event => event.detail && event.target.closest("button")?.blur());
  }
  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const inside = event.target.closest?.("input, select, button, summary");
    if (inside && (inside.tagName === "SELECT" || (event.key === " " && inside.tagName !== "INPUT"))) return;
    const keys = {
      " ": () => this.toggle(), "ArrowLeft": () => this.step(event.shiftKey ? -10 : -1),
      "ArrowRight": () => this.step(event.shiftKey ? 10 : 1), "Home": () => this.go(this.data.first),
      "End": () => this.go(this.data.end - 1), "o": () => this.jump("output", 1), "O": () => this.jump("output", -1),
      "s": () => this.jump("stall", 1), "S": () => this.jump("stall", -1),
      "+": () => this.faster(1), "-": () => this.faster(-1),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }
  step(by) { this.pause(); this.go(this.clock + by); }
  faster(by) {
    const speed = this.element("speed");
    speed.selectedIndex = Math.max(0, Math.min(speed.options.length - 1, speed.selectedIndex + by));
    speed.dispatchEvent(new Event("change"));
  }
  toggle() {
    if (this.timer) return this.pause();
    if (this.clock === this.data.end - 1) this.go(this.data.first);
    const speed = Number(this.element("speed").value), at = Math.max(1, Math.round(speed / 30));
    this.element("now").setAttribute("aria-live", "off");
    this.element("play").textContent = "❚❚ pause";
    this.timer = setInterval(() => {
      if (this.clock === this.data.end - 1) this.pause(); else this.go(this.clock + at);
    }, 1000 * at / speed);
    return undefined;
  }
  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.element("now").setAttribute("aria-live", "polite");
    this.element("play").textContent = "▶ play";
  }
  // To the next, or last, output; or to where the next stall begins.
  jump(what, by) {
    this.pause();
    const data = this.data;
    const found = what === "output" ? clock => data.given.at(clock) >= 0
      : clock => isStall(data, clock) && !(clock > data.first && isStall(data, clock - 1));
    for (let clock = this.clock + by; clock >= data.first && clock < data.end; clock += by)
      if (found(clock)) return this.go(clock);
    this.element("now").textContent = `There is no ${what} ${by > 0 ? "after" : "before"} clock ${this.clock}.`;
    return undefined;
  }
  go(clock) {
    const data = this.data;
    this.clock = clock = Math.max(data.first, Math.min(data.end - 1, Math.trunc(clock) || 0));
    this.element("at").value = clock;
    this.element("at").setAttribute("aria-valuetext", `clock ${clock}`);
    this.element("clock").textContent = `clock ${clock.toLocaleString("en")} of ${data.first ? `${data.first} to ` : ""}${(data.end - 1).toLocaleString("en")}`;
    this.frames.show(clock, this.channel);
    this.stages.show(clock, this.channel);
    this.waves.show(clock, this.channel);
    const sentences = [inputSentence(data, clock), outputSentence(data, clock, this.channel), drainSentence(data, clock)];
    this.element("now").replaceChildren(...sentences.filter(Boolean).map(each =>
      make("span", {class: each.startsWith("Stall") ? "stall" : ""}, `${each} `)));
    this.element("counts").lastElementChild.replaceChildren(countsTable(this.counter.rows(clock, this.stages)));
    const registers = this.element("registers");
    if (registers.open) registers.lastElementChild.replaceChildren(registersTable(data, clock));
    document.documentElement.dataset.clock = clock;
  }
}

if (typeof DecompressionStream === "undefined")
  document.querySelector("#now").textContent = "This browser cannot unpack the recording; use one of 2023 or later.";
else
  unpacked(document.querySelector("#data").textContent).then(data => { new Player(recordingOf(data)); });
