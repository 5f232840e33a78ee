// Step 3: the picture is drawn, pixel after pixel.

steps.drawing = {
  step: 0,
  playing: false,
  setup() {
    const {size} = story.picture;
    [this.size, this.all] = [size, size * size];
    const {surprise} = story.trace;  // thousandths of a bit, (H, W, 3)
    this.bits = Float32Array.from({length: this.all}, (_, k) => (surprise[3 * k] + surprise[3 * k + 1] + surprise[3 * k + 2]) / 1000);
    this.scrub = find(this, "input");
    this.scrub.max = this.all;
    this.scrub.addEventListener("input", () => { this.pause(); this.go(Number(this.scrub.value)); this.tell(); });
    on(this, "[data-do=play]", () => this.playing ? this.pause(true) : this.play());
    on(this, "[data-do=pixel]", () => this.hop(this.step + 1));
    on(this, "[data-do=row]", () => this.hop((Math.floor(this.step / size) + 1) * size));
    on(this, "[data-do=again]", () => { this.pause(); this.go(0); this.tell(); });
  },
  hop(to) { this.pause(); this.go(to > this.all ? 1 : to); this.tell(); },
  play() {
    if (this.step >= this.all) this.go(0);
    this.playing = true;
    find(this, "[data-do=play]").textContent = "Pause";
    say("Playing.");
    let before = performance.now(), owed = 0, run = 0;
    const speed = find(this, "select").value;
    const frame = now => {
      if (!this.playing) return;
      // "slow, then fast": six pixels a second for the first six, then every pixel 15 % faster than the last
      const rate = speed === "ramp" ? Math.min(260, 6 * 1.15 ** Math.max(0, run - 6)) : Number(speed);
      owed += Math.min(now - before, 250) / 1000 * rate;
      before = now;
      const due = Math.floor(owed);
      if (due) { owed -= due; run += due; this.go(this.step + due); }
      if (this.step >= this.all) { this.pause(); this.tell(); return; }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  },
  pause(aloud) {
    if (!this.playing) return;
    this.playing = false;
    find(this, "[data-do=play]").textContent = "Play";
    if (aloud) this.tell();
  },
  go(to) {
    this.step = Math.min(Math.max(to, 0), this.all);
    this.scrub.value = this.step;
    this.show();
  },
  tell() {
    const last = this.step - 1;
    if (this.step === this.all) { say(`All ${this.all.toLocaleString("en")} pixels are drawn. It took ${(3 * this.all).toLocaleString("en")} throws.`); return; }
    if (last < 0) { say("An empty sheet. Press Play."); return; }
    const rgb = story.picture.pixels.subarray(3 * last, 3 * last + 3);
    say(`Pixel ${this.step}: it drew this colour: ${chip(rgb)}. One that comes 1 in ${Math.round(2 ** this.bits[last]).toLocaleString("en")}.`);
  },
  show() {
    const {pixels} = story.picture, done = this.step === this.all, at = done ? this.all - 1 : this.step;
    const row = Math.floor(at / this.size), column = at % this.size, rgb = pixels.subarray(3 * at, 3 * at + 3);
    easel({pixels, drawn: this.step, frame: done ? null : [row, column]},
      `The picture, ${this.step} of ${this.all} pixels drawn.`);
    find(this, ".count").innerHTML = `<b>${this.step.toLocaleString("en")}</b> of ${this.all.toLocaleString("en")} pixels · <b>${(3 * this.step).toLocaleString("en")}</b> throws`;
    this.section.querySelectorAll(".chart").forEach((canvas, c) => {
      const k = 3 * at + c, own = story.trace.bars.subarray(256 * k, 256 * (k + 1)), p = 2 ** (-story.trace.surprise[k] / 1000);
      bars(canvas, {tall: level => own[level] / story.trace.levels, channel: c, high: 66,
        marks: [{level: rgb[c], ink: colour("--now"), word: `${rgb[c]}: ${oneIn(p)}`}],
        name: `${COLOURS[c]}, from ${this.step} earlier pixels: ${rgb[c]} is thrown, ${oneIn(p)}`});
    });
    [[rgb[0], 0, 0], [rgb[0], rgb[1], 0], rgb].forEach((mix, c) =>
      this.section.querySelectorAll(".mix")[c].style.background = `rgb(${[...mix]})`);
    this.spark();
  },
  spark() {  // how surprising every row's pixels were, over the scrubber
    const canvas = find(this, ".spark"), [pen, wide] = sheet(canvas, 34), most = Math.max(...this.bits);
    for (let k = 0; k < this.all; k++) {
      const tall = this.bits[k] / most * 34;
      pen.fillStyle = k < this.step ? colour("--known") : colour("--line");
      pen.fillRect(k / this.all * wide, 34 - tall, wide / this.all + 0.4, tall);
    }
    canvas.setAttribute("aria-label", `The surprise of every pixel, in bits: from ${Math.min(...this.bits).toFixed(1)} to ${most.toFixed(1)}`);
  },
  enter() {
    sourceOfPicture();
    this.show();
    this.tell();
  },
  leave() { this.pause(); },
};
