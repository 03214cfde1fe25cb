const KEY = "queuescope-theme";

/** Applies what was chosen the last time; else the system decides. */
export function applyTheme(): void {
  try {
    const chosen = localStorage.getItem(KEY);
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage may be forbidden.
  }
}

/** The other one than what is seen. */
export function switchTheme(): void {
  const { dataset } = document.documentElement;
  const isDark =
    (dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  dataset.theme = isDark ? "light" : "dark";
  try {
    localStorage.setItem(KEY, dataset.theme);
  } catch {
    // It holds until the page is closed.
  }
}
