  for (const element of document.querySelectorAll("[data-figure]")) {
    const drawing = figures[element.dataset.figure];
    if (drawing.spec) chart(element, drawing.spec);
    else kinds[drawing.kind](element, drawing.data);
  }
  change({});
  function repaint() {
    inks = []; // those of the theme before
    document.querySelectorAll(".heat tbody td").forEach(inked);
    return Promise.all(repaints.map((one) => one()));
  }

  const root = document.documentElement, button = document.getElementById("theme");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  function themed() {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
    button.setAttribute("aria-pressed", String(isDark()));
    return repaint();
  }
  button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; themed(); });
  dark.addEventListener("change", themed);

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-pair]");
    if (link) change({ pair: Number(link.dataset.pair), query: 0, step: -1 });
  });

  const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.hash.slice(1), a]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const link = links.get(entry.target.id);
      if (!link || !entry.isIntersecting) continue;
      links.forEach((other) => other.removeAttribute("aria-current"));
      link.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-10% 0px -80% 0px" });
  document.querySelectorAll("main > section").forEach((section) => watcher.observe(section));
  if (window.innerWidth < 960) document.querySelector(".contents details").open = false;
  themed().then(() => { root.dataset.ready = "yes"; });
})();
