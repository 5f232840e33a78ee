// The frame of the page: which tab it opens with, the keyboard in the bar of tabs, links between tabs, the digit of the
// header. Runs in the head, after Gradio's configuration and before everything else.

(() => {
  const config = window.gradio_config || {}, components = config.components || [];
  const ids = components.filter(one => one.type === "tabitem").map(one => one.props.id);
  const asked = new URLSearchParams(window.location.search);
  const bare = ["model", "classes", "n", "temperature", "guidance", "seed", "noise"].some(key => asked.has(key));
  const known = ids.includes(asked.get("tab")) && asked.get("tab");
  window.firstTab = ids[0];
  // The keys of the tab "classes" have no tab before them.
  document.documentElement.dataset.tab = known || (bare && ids.includes("classes") ? "classes" : ids[0]) || "";
  const tabs = components.find(one => one.type === "tabs");
  if (tabs) tabs.props.selected = document.documentElement.dataset.tab;

  const bar = () => [...document.querySelectorAll("#tabs [role=tab]")].filter(tab => tab.getClientRects().length);

  document.addEventListener("keydown", event => {
    const tab = event.target.closest?.("#tabs [role=tab]");
    if (!tab || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = bar(), at = all.indexOf(tab);
    const next = {ArrowRight: (at + 1) % all.length, ArrowLeft: (at + all.length - 1) % all.length, Home: 0,
                  End: all.length - 1}[event.key];
    if (next === undefined) return;
    event.preventDefault();
    all[next].click();
    all[next].focus();
  });

  // What is too wide for a narrow screen scrolls by itself; the keyboard must get there, too.
  const WIDE = "#tabs .block, #tabs .katex-display, #tabs .wide, #tabs .boards, #tabs [id$=grid], #tabs [id$=table]";
  function reach() {
    for (const node of document.querySelectorAll(WIDE)) {
      const scrolls = node.scrollWidth > node.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(node).overflowX);
      if (scrolls) node.tabIndex = 0; else if (node.tabIndex === 0) node.removeAttribute("tabindex");
    }
  }
  window.addEventListener("resize", reach);
  new MutationObserver(() => setTimeout(reach, 300)).observe(document.documentElement, {attributeFilter: ["data-tab"]});

  document.addEventListener("click", event => {
    const link = event.target.closest?.("a");
    if (link?.classList.contains("skip")) {  // its address would lead away, as addresses here are relative to the page
      event.preventDefault();
      const panel = [...document.querySelectorAll("#tabs [role=tabpanel]")].find(one => one.getClientRects().length);
      panel.tabIndex = -1;
      panel.focus();
    }
    const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
    const only = link?.getAttribute("href")?.match(/^\?tab=(\w+)$/);  // a tab as it is needs no new page
    const tab = only && document.querySelector(`#tabs [role=tab][data-tab-id=${only[1]}]`);
    if (plain && tab) {
      event.preventDefault();
      tab.click();
    }
    const digit = event.target.closest?.("#digit");
    if (digit) {
      const paused = digit.getAttribute("aria-pressed") !== "true";
      digit.setAttribute("aria-pressed", paused);
      for (const drawing of digit.querySelectorAll("svg"))
        if (paused) drawing.pauseAnimations(); else drawing.unpauseAnimations();
    }
  });
})();
