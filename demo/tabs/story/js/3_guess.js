// Steps 1 and 2: a colour is guessed; a shade is thrown.

function nearby(odds, level) {  // the share of a distribution within `near` shades of a level
  let sum = 0;
  for (let k = Math.max(0, level - story.near); k <= Math.min(255, level + story.near); k++) sum += odds[k];
  return sum / 65535;
}

steps.guess = {
  number: 0,
  made: null,
  setup() {
    this.deals = story.guesses.map(deal => ({...deal, shares: deal.colours.map((rgb, n) =>
      [0, 1, 2].reduce((product, c) => product * nearby(deal.odds.subarray(256 * (3 * n + c), 256 * (3 * n + c + 1)), rgb[c]), 1))}));
    on(this, "[data-do=other]", () => this.deal((this.number + 1) % this.deals.length));
    this.deal(0);
  },
  deal(number) {
    [this.number, this.made] = [number, null];
    find(this, ".swatches").replaceChildren(...this.deals[number].colours.map((rgb, n) => {
      const button = document.createElement("button");
      button.type = "button";
      button.innerHTML = `<i style="background:${hex(rgb)}"></i><b></b>`;
      button.setAttribute("aria-label", `Guess ${n + 1}: ${spoken(rgb)}`);
      button.setAttribute("aria-pressed", "false");
      button.onclick = () => this.take(n);
      return button;
    }));
    this.section.classList.remove("guessed");
    if (this.entered) this.show();
  },
  take(number) {
    this.made = number;
    const {shares, colours} = this.deals[this.number], best = shares.indexOf(Math.max(...shares));
    [...find(this, ".swatches").children].forEach((button, n) => {
      button.setAttribute("aria-pressed", n === number);
      button.setAttribute("aria-label", `${spoken(colours[n])}: ${oneIn(shares[n])}`);
      button.querySelector("b").textContent = oneIn(shares[n]);
      button.classList.toggle("best", n === best);
    });
    this.section.classList.add("guessed");
    const thrown = colours[this.thrown()];
    say(`Your colour: <b>${oneIn(shares[number])}</b>${number === best ? ", the likeliest" : ""}. ` +
      (number === best ? "" : `The likeliest: ${chip(colours[best])} <b>${oneIn(shares[best])}</b>. `) +
      `<span class="drew">It drew this colour: ${chip(thrown)}</span>`);
    animate("guess", 0.5, share => this.charts(share));
    this.show(true);
    reveal([...this.section.querySelectorAll(".chart")].pop());  // on a phone they are below the screen
  },
  thrown() {  // which of the six the picture has
    const {place: [row, column], colours} = this.deals[this.number], k = 3 * (row * story.picture.size + column);
    return colours.findIndex(rgb => rgb.every((value, c) => value === story.picture.pixels[k + c]));
  },
  charts(grown = 1) {
    if (this.made === null) return;  // they take no room before there is something to see
    const {odds, colours} = this.deals[this.number], mine = colours[this.made];
    this.section.querySelectorAll(".chart").forEach((canvas, c) => {
      const own = odds.subarray(256 * (3 * this.made + c), 256 * (3 * this.made + c + 1)), peak = Math.max(...own);
      bars(canvas, {tall: k => own[k] / peak, channel: c, high: 62, grown, band: [mine[c] - story.near, mine[c] + story.near],
        marks: [{level: mine[c], ink: colour("--now"), word: `you: ${oneIn(nearby(own, mine[c]))}`}],
        name: `${COLOURS[c]}: what the network expects. Your ${mine[c]} and shades near it: ${oneIn(nearby(own, mine[c]))}; likeliest shade: ${own.indexOf(peak)}.`});
    });
  },
  show(quiet) {
    const {place: [row, column], colours} = this.deals[this.number], at = row * story.picture.size + column;
    const pixels = this.made === null ? story.picture.pixels : story.picture.pixels.slice();
    if (this.made !== null) pixels.set(colours[this.made], 3 * at);
    easel({pixels, drawn: at + (this.made !== null), frame: [row, column]},
      `A picture, drawn up to row ${row + 1}, column ${column + 1}; the next pixel is framed.`);
    sourceOfPicture();
    if (!quiet && this.made === null) say("");  // the question stands beside the colours
    this.charts();
  },
  enter() {
    const [row, column] = this.deals[this.number].place, to = row * story.picture.size + column;
    this.show();
    if (this.made === null && !this.seen) {  // the picture, pale, fills in the order in which it was drawn
      const pale = colour("--later"), over = share => k => k < to && k >= to * share ? pale : null;
      animate("easel", 1.4, share => easel({pixels: story.picture.pixels, drawn: to, veil: over(share)}), () => this.show(true));
    }
    this.seen = true;
  },
};

steps.dice = {
  heat: 1,
  thrown: [],
  setup() {
    on(this, "[data-do=throw]", () => this.throw(1));
    on(this, "[data-do=hundred]", () => this.throw(100));
    find(this, "input").addEventListener("input", event => {
      this.heat = Number(event.target.value);
      this.thrown = [];
      this.bend();
      this.show(true);
    });
    this.bend();
  },
  bend() {  // p^(1/T), and again a distribution
    const {odds} = story.dice, top = Math.max(...odds);
    const bent = Float64Array.from(odds, p => p ? Math.exp(Math.log(p / top) / this.heat) : 0);
    const sum = bent.reduce((a, b) => a + b);
    this.odds = bent.map(p => p / sum);
    let total = 0;
    this.below = this.odds.map(p => total += p);
    find(this, "output").textContent = this.heat.toFixed(2);
  },
  throw(count) {
    let level;
    for (let n = 0; n < count; n++) {
      this.u = Math.random();
      level = this.below.findIndex(sum => sum > this.u);
      if (level < 0) level = 255;
      this.thrown.push(level);
    }
    this.level = level;
    say(count > 1 ? `${this.thrown.length} throws: they pile up where the bars are tall.`
      : `The dice say ${this.u.toFixed(3)}: red <b>${level}</b>, a shade that comes ${oneIn(this.odds[level])}.`);
    reveal(find(this, "canvas"));
    animate("dice", count > 1 ? 0 : 1.1, share => this.chart(share), () => this.easel());
  },
  chart(share = 1) {
    const canvas = find(this, "canvas"), high = 262, top = 24, [pen, wide] = sheet(canvas, high), left = 34, base = high - 62;
    const step = (wide - left - 8) / 256, x = level => left + level * step, y = sum => base - sum * (base - top);
    const peak = Math.max(...this.odds), tallest = 0.62 * (base - top), ink = colour("--ink"), now = colour("--now");
    pen.fillStyle = colour("--ground");
    pen.fillRect(left, top, wide - left - 8, base - top);
    for (let k = 0; k < 256; k++) {
      const tall = this.odds[k] / peak * tallest, [from, to] = [crisp(x(k)), crisp(x(k + 1))];
      pen.fillStyle = colour("--known");
      pen.fillRect(from, base - tall, to - from, tall);
      pen.fillStyle = `rgb(${k} 0 0)`;
      pen.fillRect(from, base + 2, to - from, 8);
    }
    pen.strokeStyle = ink;
    pen.lineWidth = 1.6;
    pen.beginPath();
    pen.moveTo(x(0), y(0));
    this.below.forEach((sum, k) => { pen.lineTo(x(k), y(sum)); pen.lineTo(x(k + 1), y(sum)); });
    pen.stroke();
    pen.fillStyle = colour("--soft");
    pen.textAlign = "right";
    for (const mark of [0, 0.5, 1]) pen.fillText(String(mark), left - 6, y(mark) + 4);
    pen.fillStyle = ink;  // the numbers at the left are the line's; the bars, enlarged, say theirs at their peak
    pen.textAlign = "left";
    pen.fillText("↓ the line: sum so far", 4, 14);
    const piles = {}, last = share < 1 ? this.thrown.slice(0, -1) : this.thrown;
    const wideBin = 4, most = Math.max(1, ...Object.values(last.reduce((all, level) => ({...all, [level >> 2]: (all[level >> 2] ?? 0) + 1}), {})));
    const dot = Math.min(5, 44 / most);
    pen.fillStyle = now;
    for (const level of last) {  // what was thrown piles up below, in bins of four shades
      const bin = level >> 2, pile = piles[bin] = (piles[bin] ?? 0) + 1;
      pen.fillRect(x(bin * wideBin), base + 13 + (pile - 1) * dot, wideBin * step - 0.5, Math.max(0.8, dot - 0.8));
    }
    if (this.u !== undefined && this.thrown.length) {
      const across = Math.min(1, share * 2), down = Math.max(0, share * 2 - 1), end = x(this.level + 0.5), from = y(this.u);
      pen.strokeStyle = pen.fillStyle = now;
      pen.lineWidth = 2;
      pen.setLineDash([5, 4]);
      pen.beginPath();
      pen.moveTo(left, from);
      pen.lineTo(left + (end - left) * across, from);
      if (down) pen.lineTo(end, from + (base - from) * down);
      pen.stroke();
      pen.setLineDash([]);
      pen.beginPath();
      pen.arc(left + (end - left) * across, from + (base - from) * down, 5, 0, 7);
      pen.fill();
    }
    const at = x(this.odds.indexOf(peak) + 0.5), words = `tallest bar: ${oneIn(peak)}`;
    pen.textAlign = at > wide / 2 ? "right" : "left";
    pen.lineWidth = 4;
    pen.strokeStyle = colour("--ground");
    pen.strokeText(words, at, base - tallest - 7);
    pen.fillStyle = colour("--known");
    pen.fillText(words, at, base - tallest - 7);
    canvas.setAttribute("aria-label", `The chances of 256 shades of red at temperature ${this.heat.toFixed(2)}; the likeliest is ${this.odds.indexOf(peak)}, ${oneIn(peak)}. ${this.thrown.length} throws so far.`);
  },
  easel() {
    const {size, pixels} = story.picture, [row, column] = story.dice.place, at = row * size + column;
    const red = pixels.slice();
    if (this.thrown.length) red[3 * at] = this.level;
    easel({pixels: red, drawn: at + (this.thrown.length > 0), only: 0, frame: [row, column], ink: "#23211d"},
      `The red part of the half-drawn picture${this.thrown.length ? `; the framed pixel has the red that was thrown, ${this.level}` : ""}.`);
  },
  show(quiet) {
    this.easel();
    this.chart();
    sourceOfPicture("Here only its red part. ");
    if (!quiet) say("How red will the framed pixel be? Press Throw.");
    else say(`Temperature ${this.heat.toFixed(2)}: the likeliest shade now comes ${oneIn(Math.max(...this.odds))}.`);
  },
  enter() { this.show(); },
};
