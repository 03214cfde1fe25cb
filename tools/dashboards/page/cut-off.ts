/** A legend's table shows at least so many of its rows, if it has them. */
const LEGEND_ROWS = 4;

/** What can't be read, each with the title of its panel: columns beyond a table's edge, headers and figures longer than their cells, legends of which little can be seen. */
export function cutOff(): string[] {
  return [...document.querySelectorAll<HTMLElement>("section")].flatMap((panel) =>
    [...tables(panel), ...legends(panel)].map((what) => `${panel.dataset.title}: ${what}`),
  );
}

function* tables(panel: HTMLElement): Generator<string> {
  for (const grid of panel.querySelectorAll<HTMLElement>("[role=grid]")) {
    const beyond = grid.scrollWidth - grid.clientWidth;
    if (beyond > 1) yield `its columns need ${beyond} px more than there are`;
    for (const cell of grid.querySelectorAll<HTMLElement>("[role=columnheader], [role=gridcell]")) {
      const isHeader = cell.role === "columnheader";
      const text = cell.innerText.trim();
      // A name may be cut off: its cell shows it whole when one points at it.
      if ((isHeader || /^[-+]?\d/.test(text)) && overflows(cell)) {
        yield `"${text}" is cut off${isHeader ? " in a header" : ""}`;
      }
    }
  }
}

/** To either side: what is aligned to the right is cut off at its left, which no `scrollWidth` tells. */
function overflows(cell: HTMLElement): boolean {
  // Grafana makes a sparkline, which takes what the figure before it leaves, some pixels too wide.
  if (cell.querySelector("canvas") !== null) return false;
  const range = document.createRange();
  range.selectNodeContents(cell);
  const [text, room] = [range.getBoundingClientRect(), cell.getBoundingClientRect()];
  return text.left < room.left - 1 || text.right > room.right + 1;
}

function* legends(panel: HTMLElement): Generator<string> {
  const { bottom } = panel.getBoundingClientRect();
  for (const legend of panel.querySelectorAll<HTMLElement>("table")) {
    const rows = [...legend.querySelectorAll("tbody tr")];
    const seen = rows.filter((row) => row.getBoundingClientRect().bottom <= bottom).length;
    if (seen < Math.min(rows.length, LEGEND_ROWS)) yield `its legend shows ${seen} of ${rows.length} rows`;
  }
}
