// What the toolbar of a sampling tab does in the browser; `run_controls.py` says when. Runs in the head of the page.
//
// A run is known by the prefix of its element ids. `base` are the values of its settings that drew the picture on the
// page, `now` those that are set; where they differ, the picture is out of date and the Redraw button is due. While a run
// waits, the old picture stays, marked; `drawn` says that the first new one is there.

window.runs = (() => {
  const runs = {};
  const asText = values => values.map(value => JSON.stringify(Array.isArray(value) ? [...value].sort() : value));
  const find = (prefix, name) => document.getElementById(prefix + name);
  const stageOf = run => {
    const button = find(run.prefix, "generate") || find(run.prefix, "link");
    return button && (button.closest(".stage") || button.closest("[role=tabpanel]"));
  };
  const visible = node => node && node.getClientRects().length > 0;

  function know({prefix, base, seed, drawsLinks}) {
    return runs[prefix] ||= {prefix, seed, drawsLinks, base: asText(base), now: asText(base), state: "idle"};
  }
  const differs = run => run.now.some((value, k) => value !== run.base[k]);

  function mark(run) {
    const stage = stageOf(run), button = find(run.prefix, "generate");
    if (!stage) return;
    const offered = !button || getComputedStyle(button).display !== "none";  // a photo is not drawn
    const due = offered && differs(run) && run.state !== "running", was = stage.classList.contains("stale");
    stage.classList.toggle("stale", due);
    stage.classList.toggle("running", run.state === "running");
    stage.classList.toggle("waiting", run.state === "running" && !run.drawn);
    if (due && !was) say("Changed: press Redraw.");
  }

  // The one live region of the page: while something runs it speaks at most every five seconds.
  let spoken = 0, timer;
  function say(text, polite = true) {
    clearTimeout(timer);
    const wait = polite ? 0 : Math.max(0, 5000 - (Date.now() - spoken));
    timer = setTimeout(() => {
      const region = document.getElementById("announcer");
      if (!region) return;
      spoken = Date.now();
      region.textContent = text;
    }, wait);
  }

  // The words of a status line are its first element; Gradio replaces them whenever the server writes.
  const words = status => status.querySelector("p.status");
  function write(status, text) {
    const line = words(status);
    if (line && line.textContent !== text) line.textContent = text;
  }

  const waiting = line => /^(Waiting|Loading|Looking|Reading|Measuring|Drawing)/.test(line.textContent);

  function atOnce(status, text) {  // before the server has heard of it
    words(status)?.classList.remove("error");
    write(status, text);
  }

  function watch(run) {
    const status = find(run.prefix, "status");
    if (!status || status === run.watched) return;
    run.watched = status;
    run.observer?.disconnect();
    run.observer = new MutationObserver(() => read(run, status));
    run.observer.observe(status, {subtree: true, childList: true, characterData: true});
  }

  function read(run, status) {
    const bar = status.querySelector(".bar"), line = words(status);
    if (!line) return;
    if (run.state === "stopped" && bar) {  // a frame that was on its way when Stop was pressed
      bar.hidden = true;
      write(status, run.stoppedText || "Stopped.");
      return;
    }
    if (run.state === "stopped") run.stoppedText = line.textContent;
    if (run.state === "running" && bar && !waiting(line) && !run.drawn) {
      run.drawn = true;
      mark(run);
    }
    if (run.state === "running" && bar && line.textContent.startsWith("Waiting")) {
      const told = place(status);
      if (told) write(status, told);
    }
    if (run.state === "running" && run.link && /^(Waiting for|Loading)/.test(line.textContent))
      write(status, "Drawing your link…");
    if (line.getAttribute("role") !== "alert" && line.textContent !== run.said) {
      run.said = line.textContent;
      say(run.said, !bar);
    }
  }

  // What is asked of the model without a toolbar's Draw (to look at a picture, to paint in it, to pack it) waits in the
  // same queue, and says its place in its own line; what was stopped before is over.
  const lines = {};
  function waits(id, text) {
    const status = document.getElementById(id), own = () => runs[id.replace(/status$/, "")];
    if (own()?.state === "stopped") own().state = "idle";
    const stage = stageOf({prefix: id.replace(/status$/, "")});
    if (status && text) {
      atOnce(status, text);
      stage?.classList.add("waiting");
    }
    if (!status || lines[id] === status) return;
    lines[id] = status;
    new MutationObserver(() => {
      const line = words(status), bar = status.querySelector(".bar"), told = bar && place(status);
      if (!line || own()?.state === "running") return;
      stage?.classList.toggle("waiting", waiting(line));
      if (told) write(status, told);
      if (line.getAttribute("role") === "alert" || line.textContent === status.said) return;
      say(status.said = line.textContent, !bar);
    }).observe(status, {subtree: true, childList: true, characterData: true});
  }
  function place(status) {
    const found = (status.querySelector("[data-testid=status-tracker]")?.textContent || "").match(/queue: (\d+)\//);
    return found && `Waiting: place ${found[1]} in the queue`;
  }

  // Once everything of a page that was opened by a link is in its place, what the link asks for is drawn, in the tab
  // that is open; unless the picture there is of these settings already.
  function drawLink() {
    for (const run of Object.values(runs)) {
      const button = find(run.prefix, "generate"), status = find(run.prefix, "status");
      if (!visible(button) || run.state !== "idle" || !differs(run)) continue;
      if (status?.querySelector(".error")) continue;  // something is wrong with the link, and is said there
      if (status?.querySelector("[data-shown]")) {
        run.base = run.now;
        mark(run);
      } else if (run.drawsLinks && !button.disabled) {
        run.link = true;
        button.click();
      }
    }
  }

  function download(prefix) {
    const stage = stageOf(runs[prefix] || {prefix});
    const ready = [...stage.querySelectorAll("a.download[download$='.png']")].filter(visible);
    if (ready.length) return ready[0].click();
    const sheet = drawSheet(stage);
    if (!sheet) return;
    const link = document.createElement("a");
    link.href = sheet.toDataURL("image/png");
    const status = find(prefix, "status"), seed = /\bseed (\d+)/i.exec(status && words(status)?.textContent)?.[1]
      ?? find(prefix, "seed")?.querySelector("input")?.value;  // a folded field is not there
    link.download = `pixelcnn_${prefix.replace(/-$/, "") || "classes"}${seed ? `_seed-${seed}` : ""}.png`;
    link.click();
  }

  // All pictures of a stage where they stand on the page, enlarged to show real pixels, with the words below them.
  function drawSheet(stage) {
    const pictures = [...stage.querySelectorAll("figure img, canvas")].filter(visible);
    const notes = [...stage.querySelectorAll("figcaption, p.status")].filter(visible);
    if (!pictures.length) return null;
    const boxes = [...pictures, ...notes].map(node => node.getBoundingClientRect());
    const left = Math.min(...boxes.map(box => box.left)), top = Math.min(...boxes.map(box => box.top));
    const zoom = 2, edge = 16, sheet = document.createElement("canvas"), pen = sheet.getContext("2d");
    sheet.width = zoom * (Math.max(...boxes.map(box => box.right)) - left + 2 * edge);
    sheet.height = zoom * (Math.max(...boxes.map(box => box.bottom)) - top + 2 * edge);
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, sheet.width, sheet.height);
    pen.scale(zoom, zoom);
    pen.translate(edge - left, edge - top);
    pen.imageSmoothingEnabled = false;
    for (const picture of pictures) {
      const box = picture.getBoundingClientRect();
      pen.drawImage(picture, box.left, box.top, box.width, box.height);
    }
    pen.fillStyle = "#222";
    pen.textBaseline = "top";
    for (const note of notes) {
      const box = note.getBoundingClientRect(), style = getComputedStyle(note), size = parseFloat(style.fontSize);
      pen.font = `${style.fontStyle} ${size}px ${style.fontFamily}`;
      pen.textAlign = style.textAlign === "center" ? "center" : "left";
      const x = pen.textAlign === "center" ? box.left + box.width / 2 : box.left;
      let line = "", y = box.top;
      for (const word of note.innerText.split(/\s+/)) {
        const longer = line ? `${line} ${word}` : word;
        if (line && pen.measureText(longer).width > box.width + 1) {
          pen.fillText(line, x, y);
          [line, y] = [word, y + 1.4 * size];
        } else line = longer;
      }
      pen.fillText(line, x, y);
    }
    return sheet;
  }

  async function copyLink(prefix) {
    const button = find(prefix, "link");
    let text = "Link copied", told = "yes";
    try {
      await navigator.clipboard.writeText(window.address.link());
    } catch {  // only pages served over https, or from this computer, may write to the clipboard
      [text, told] = ["Copy it from the address bar", "no"];
    }
    button.textContent = text;
    button.dataset.told = told;  // where the button is a sign, it shows that it worked, or the words
    say(text);
    setTimeout(() => {
      button.textContent = "Copy link";
      delete button.dataset.told;
    }, 3000);
  }

  return {
    drawLink, download, copyLink, say, waits,
    changed(first, values) {
      const run = know(first), now = asText(values);
      const others = now.some((value, k) => k !== run.seed && value !== run.now[k]);
      run.now = now;
      if (run.state === "running" && !others && run.seed >= 0) run.base[run.seed] = now[run.seed];  // as it was cleaned
      mark(run);
    },
    drawing(first, values) {
      const run = know(first);
      run.before ||= run.base;
      run.base = run.now = asText(values);
      run.state = "running";
      run.drawn = false;
      run.stoppedText = "";
      watch(run);
      if (run.watched) atOnce(run.watched, "Waiting for a turn…");
      mark(run);
    },
    done(first) {
      const run = know(first);
      run.before = run.link = null;
      if (run.state === "running") run.state = "idle";
      mark(run);
    },
    failed(first) {  // the picture is still that of the run before
      const run = know(first);
      run.base = run.before || run.base;
      this.done(first);
    },
    stopped(first) {
      const run = know(first);
      if (run.state === "running" && !run.drawn) run.base = run.before || run.base;  // the picture is the old one
      run.before = run.link = null;
      run.state = "stopped";
      run.stoppedText = "";
      watch(run);
      if (run.watched) read(run, run.watched);
      mark(run);
    },
    upToDate(first, values) {
      const run = know(first);
      run.base = run.now = asText(values);
      run.before = run.link = null;  // when what was running ends, the picture is not the one before it
      if (run.state === "running") {  // such a change cancels what is running; a late frame of it changes no words
        const status = find(run.prefix, "status"), line = status && words(status);
        run.state = "stopped";
        run.stoppedText = line && !status.querySelector(".bar") ? line.textContent : "";
      }
      mark(run);
    },
  };
})();
