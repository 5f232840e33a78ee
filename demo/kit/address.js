// The address bar; `address.py` says what stands in it. Runs in the head of the page, before everything else.

window.address = (() => {
  const here = () => new URLSearchParams(window.location.search);
  let news = {}, timer, settled;

  // While the page opens, its own events must not overwrite the address that it is opened with.
  window.addressRead = false;

  const set = (query, key, value) => value == null ? query.delete(key) : query.set(key, value);
  function put(query, how) {
    history[how](history.state, "", "?" + query);
    settled = query;
  }

  // Sliders fire on every step of a drag, and browsers limit how often a page may write its address: so all news of a
  // moment is collected, from every tab, and written at once.
  function write(entries) {
    if (!window.addressRead) return;
    news = {...news, ...entries};
    clearTimeout(timer);
    timer = setTimeout(flush, 150);
  }
  function flush() {
    clearTimeout(timer);
    const query = here();
    for (const [key, value] of Object.entries(news)) set(query, key, value);
    news = {};
    put(query, "replaceState");
  }

  const tabs = () => [...document.querySelectorAll("[role=tab][data-tab-id]")];
  function show(id, behavior = "auto") {
    document.documentElement.dataset.tab = id;
    const button = tabs().find(tab => tab.dataset.tabId === id), bar = button?.closest("[role=tablist]");
    if (bar) bar.scrollTo({left: button.offsetLeft - (bar.clientWidth - button.offsetWidth) / 2, behavior});
    for (const tab of tabs()) tab.tabIndex = tab.dataset.tabId === id ? 0 : -1;
  }

  // The address of what is to see: the open tab, its settings, and the picture and pixel that tabs hand on.
  function link() {
    flush();
    const query = here(), id = query.get("tab") || window.firstTab;
    for (const key of [...query.keys()]) {
      const [tab, name] = key.includes(".") ? key.split(".") : ["classes", key];
      if (tab !== id && !["tab", "p", "at"].includes(name)) query.delete(key);
    }
    query.set("tab", id);
    return `${location.origin}${location.pathname}?${query}`;
  }

  // A tab was opened: one more step for the Back button, unless that is how it was opened.
  function tabShown(id) {
    const old = here().get("tab") || window.firstTab, moved = window.addressRead && old !== id;
    show(id);
    if (!moved) return;
    flush();
    const query = here();
    query.set("tab", id);
    put(query, "pushState");
    if (window.scrollY > 0) window.scrollTo(0, 0);
  }

  // What a visitor turned to inside a tab: one more step for the Back button. `follow` says who turns back.
  const followers = {};
  function step(key, value) {
    flush();
    const query = here();
    set(query, key, value);
    put(query, "pushState");
  }
  function follow(key, act) { followers[key] = act; }

  // Back and Forward change the tab, and what `step` noted; the settings on the page stay as they are, and so does what
  // the address says of them.
  window.addEventListener("popstate", () => {
    const came = here(), id = came.get("tab") || window.firstTab, query = new URLSearchParams(settled || came);
    query.set("tab", id);
    for (const key in followers) set(query, key, came.get(key));
    put(query, "replaceState");
    tabs().find(tab => tab.dataset.tabId === id)?.click();
    for (const key in followers) followers[key](came.get(key));
  });

  // Requests of Gradio's that are under way: what a link asks for is in its place when there are none any more.
  let underway = 0, quiet = Date.now();
  const fetched = window.fetch;
  window.fetch = async function (...request) {
    const address = String(request[0]?.url || request[0]);
    if (!/\/(run|queue\/join)\b/.test(address)) return fetched.apply(this, request);
    underway++;
    try {
      return await fetched.apply(this, request);
    } finally {
      underway--;
      quiet = Date.now();
    }
  };
  function whenQuiet(action) {
    const look = setInterval(() => {
      if (underway || Date.now() - quiet < 400) return;
      clearInterval(look);
      action();
    }, 50);
  }

  function opened() {
    const first = () => show(document.documentElement.dataset.tab, "instant");
    first();
    const growing = setInterval(first, 250);  // the bar still grows, and would leave its open tab out of sight
    whenQuiet(() => {
      clearInterval(growing);
      first();
      window.addressRead = true;
      settled = here();
      window.runs.drawLink();
    });
  }

  window.addEventListener("resize", () => show(document.documentElement.dataset.tab, "instant"));

  return {write, step, follow, link, tabShown, opened, whenQuiet};
})();
