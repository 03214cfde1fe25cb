/**
 * Draws the dashboards with Grafana's own components, from what a real Prometheus has of real runs, and fails where one can't be read:
 *
 *     npm run dashboards:draw                                  every dashboard, of every scene, at both widths, dark and light
 *     npm run dashboards:draw -- --scene calm --dashboard sla --width 1180 --theme light
 *     npm run dashboards:draw -- --prometheus 127.0.0.1:9090   what that one has, of the last hour
 *
 * PNGs go to `--out`, by default a folder in the temporary one. Needs Debian's chromium, prometheus and prometheus-alertmanager, and the packages of
 * this folder (`npm ci --prefix tools/dashboards`). Heatmaps and state timelines are stand-ins: Grafana's are in no package.
 */
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import type { Lifetime } from "../../test/live/server.js";
import { openBrowser } from "../../test/page/browser.js";
import { type Drawn, look, type View } from "./look.js";
import { SCENES, type Scene, STARTED } from "./scenes.js";
import { serve } from "./serve.js";

const HOUR = 3_600;

const many = { type: "string", multiple: true } as const;
const { values } = parseArgs({
  options: {
    scene: many,
    dashboard: many,
    width: { ...many, default: ["1180", "1500"] },
    theme: { ...many, default: ["dark", "light"] },
    dashboards: { type: "string", default: "grafana/dashboards" },
    prometheus: { type: "string" },
    out: { type: "string" },
  },
});
const dashboards = values.dashboard ?? readdirSync(values.dashboards).map((file) => basename(file, ".json"));
const themes = values.theme.map((theme) => (theme === "light" ? "light" : "dark"));
const out = values.out ?? mkdtempSync(join(tmpdir(), "queuescope-dashboards-"));
mkdirSync(out, { recursive: true });

const browser = await openBrowser();
let faults = 0;
try {
  for (const scene of chosen()) await draw(scene);
} finally {
  await browser.close();
}
console.log(`${faults === 0 ? "Nothing" : faults} to mend; the pictures are in ${out}`);
process.exitCode = faults === 0 ? 0 : 1;

function chosen(): readonly Scene[] {
  const { prometheus, scene: names } = values;
  if (prometheus !== undefined) {
    const to = Math.floor(Date.now() / 1_000);
    return [{ name: "now", play: async () => ({ address: prometheus, to }), isPartial: true, empty: {} }];
  }
  if (names === undefined) return SCENES;
  const all = [...SCENES, STARTED];
  const unknown = names.find((name) => !all.some((scene) => scene.name === name));
  if (unknown !== undefined) {
    throw new Error(`no scene ${unknown}; there are ${all.map(({ name }) => name).join(", ")}`);
  }
  return all.filter(({ name }) => names.includes(name));
}

async function draw(scene: Scene): Promise<void> {
  const ends: (() => unknown)[] = [];
  const lifetime: Lifetime = (end) => ends.push(end);
  try {
    const { address, to, faster } = await scene.play(lifetime);
    const page = await serve({ address, dashboards: values.dashboards, ...(faster && { faster }) });
    lifetime(() => page.close());
    for (const dashboard of dashboards) {
      for (const theme of themes) {
        for (const width of values.width.map(Number)) {
          const view: View = { dashboard, width, theme, range: HOUR, to };
          report(scene, view, await look(browser, page.url, view));
        }
      }
    }
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

function report(scene: Scene, { dashboard, width, theme }: View, drawn: Drawn): void {
  const file = `${scene.name}-${dashboard}-${width}-${theme}.png`;
  writeFileSync(join(out, file), drawn.png);
  const empty = drawn.panels
    .filter(({ title, isEmpty }) => isEmpty && !scene.isPartial && !(title in scene.empty))
    .map(({ title }) => `${title}: it is empty`);
  const all = [...new Set([...drawn.faults, ...empty])];
  faults += all.length;
  console.log(`${all.length === 0 ? "ok    " : "FAILED"} ${file}`);
  for (const fault of all) console.log(`       ${fault}`);
}
