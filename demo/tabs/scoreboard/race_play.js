() => {
  // Lets the race run, in ten seconds from its start to its end: curves grow, names change places, the slider goes along.
  // It begins where the slider is; a second click stops it there. Dots wait at the upper edge until they have a score in
  // sight. `race_plot.py` gives the numbers, in the drawing's data-race.
  if (window.stopRace) return window.stopRace();
  const svg = document.querySelector("#race-plot svg"), list = document.querySelector("#race-standing .standing");
  const words = document.querySelector("#race-standing .leader"), button = document.getElementById("race-play");
  const range = document.querySelector("#race-percent input[type=range]");
  const box = document.querySelector("#race-percent input[type=number]");
  if (!svg || !list || !words || !button || !range || !box) return;
  const {axis, end, left, top, width, runners} = JSON.parse(svg.dataset.race), LENGTH = 10000;
  const before = [svg, list, words].map(node => [node, node.innerHTML]), label = button.textContent;
  const items = [...list.children].sort((a, b) => a.dataset.runner - b.dataset.runner);
  const groups = [...svg.querySelectorAll("g.runner")], moment = svg.querySelector(".moment"), clock = svg.querySelector(".clock");
  const was = Number(range.value), start = was < 100 ? was / 100 : 0;
  const begun = performance.now() - start * LENGTH;
  let running = true;

  function slide(percent) {  // shows it; what the page knows of the slider stays as it was
    range.value = box.value = percent;
    range.style.setProperty("--range_progress", `${percent}%`);
  }

  function finish() {
    running = false;
    delete window.stopRace;
    button.textContent = label;
    range.removeEventListener("input", taken);
    box.removeEventListener("input", taken);
  }
  function putBack() {
    before.forEach(([node, html]) => { if (node.isConnected) node.innerHTML = html; });
  }
  function taken() {  // the visitor moves the slider, and the server draws that moment
    finish();
    putBack();
  }

  window.stopRace = () => {
    const now = Number(range.value);
    finish();
    if (now === was) return putBack();
    range.dispatchEvent(new Event("input", {bubbles: true}));  // from here on the page knows where it stopped
  };

  function reached(points, now) {  // the points so far, and where the curve is at this moment
    const past = points.filter(point => point[0] <= now), next = points[past.length];
    if (!past.length || !next) return past;
    const last = past[past.length - 1], share = (now - last[0]) / (next[0] - last[0]);
    return [...past, last.map((value, k) => value + share * (next[k] - value))];
  }

  function order(places) {  // names that change places glide there
    const sorted = [...items].sort((a, b) => places[items.indexOf(a)] - places[items.indexOf(b)]);
    if (sorted.every((item, k) => list.children[k] === item)) return;
    const tops = sorted.map(item => item.getBoundingClientRect().top);
    list.replaceChildren(...sorted);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    sorted.forEach((item, k) => {
      const way = tops[k] - item.getBoundingClientRect().top;
      if (way) item.animate([{transform: `translateY(${way}px)`}, {transform: "none"}], {duration: 350, easing: "ease"});
    });
  }

  function frame(time) {
    if (!running) return;
    if (!svg.isConnected || !list.isConnected || !svg.dataset.race) return finish();
    const share = Math.min(1, Math.max(0, (time - begun) / LENGTH)), now = share * end, scores = [];
    const at = left + width * share;
    slide(Math.round(100 * share));
    moment.setAttribute("x1", at);
    moment.setAttribute("x2", at);
    runners.forEach(({points}, k) => {
      const past = reached(points, now), last = past[past.length - 1];
      groups[k].querySelector(".so-far").setAttribute("points", past.map(point => `${point[2]},${point[3]}`).join(" "));
      const dot = groups[k].querySelector("circle");
      dot.style.display = "";
      dot.setAttribute("cx", last ? last[2] : at);
      dot.setAttribute("cy", last ? Math.max(last[3], top) : top);
      scores.push(last ? last[1] : Infinity);
      items[k].querySelector("b").textContent = last ? last[1].toFixed(3) : "–";
    });
    order(scores);
    clock.textContent = axis === "seconds" ? `${now.toFixed(0)} s` : Math.round(now).toLocaleString("en");
    const when = axis === "seconds" ? `${now.toFixed(0)} s` : `${Math.round(now).toLocaleString("en")} steps`;
    const ranks = scores.map((score, k) => [score, k]).filter(([score]) => score < Infinity).sort((a, b) => a[0] - b[0]);
    if (ranks.length < 2) words.textContent = `After ${when} …`;
    else {
      const [[best, a], [next, b]] = ranks, lead = next - best, error = Math.hypot(runners[a].error, runners[b].error);
      words.textContent = lead <= error ? `After ${when}: level within the error`
        : `After ${when}: ${runners[a].name} leads by ${lead.toFixed(3)}`;
    }
    if (share < 1) requestAnimationFrame(frame);
    else window.stopRace();
  }

  range.addEventListener("input", taken);
  box.addEventListener("input", taken);
  button.textContent = "Stop";
  for (const part of [".race-player", "#race-plot"]) document.querySelector(part).scrollIntoView({block: "nearest"});
  requestAnimationFrame(frame);
}
