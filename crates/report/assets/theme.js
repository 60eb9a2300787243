// Light or dark, before anything is painted: what the reader chose last, else what the system says.
(() => {
  "use strict";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => {
    try { return window.localStorage.getItem("taut-theme"); } catch { return null; }
  };
  const show = (theme) => {
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    document.dispatchEvent(new CustomEvent("taut-theme", { detail: theme }));
  };
  const settled = () => {
    const chosen = remembered();
    return chosen === "light" || chosen === "dark" ? chosen : system.matches ? "dark" : "light";
  };
  show(settled());
  system.addEventListener("change", () => show(settled()));

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    const label = () => {
      const other = root.dataset.theme === "dark" ? "light" : "dark";
      button.textContent = other === "dark" ? "Dark" : "Light";
      button.setAttribute("aria-label", `Use the ${other} theme`);
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      const other = root.dataset.theme === "dark" ? "light" : "dark";
      try { window.localStorage.setItem("taut-theme", other); } catch { /* a private window forgets */ }
      show(other);
    });
    document.addEventListener("taut-theme", label);
    label();
  });

  // Paper is white, and what is printed must be drawn by then.
  let before = null;
  window.addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.printing = "true";
    show("light");
  });
  window.addEventListener("afterprint", () => {
    delete root.dataset.printing;
    if (before) show(before);
  });
})();
