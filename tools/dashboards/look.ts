import type { Browser, Page as BrowserPage } from "playwright-core";
import { until } from "../../test/live/until.js";
import type { Page, Told } from "./told.js";

/** A dashboard at one width, in one theme. */
export interface View {
  readonly dashboard: string;
  readonly width: number;
  readonly theme: "dark" | "light";
  /** In seconds: what the dashboard shows, and until when, in unix time. */
  readonly range: number;
  readonly to: number;
}

export interface Drawn {
  readonly png: Buffer;
  readonly panels: readonly Told[];
  /** What is wrong with it, each with the panel's title. */
  readonly faults: readonly string[];
}

/** For what never comes, in milliseconds. */
const LIMIT_MS = 180_000;

/** Draws it. `url` is where the page is served. */
export async function look(browser: Browser, url: string, view: View): Promise<Drawn> {
  const context = await browser.newContext({ viewport: { width: view.width + 10, height: 1_000 } });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(LIMIT_MS);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(`the page: ${error}`));
    const { dashboard, width, theme, range, to } = view;
    await page.goto(`${url}/?d=${dashboard}&w=${width}&theme=${theme}&range=${range}&to=${to}`);
    const panels = await drawn(page, complaints);
    await allInSight(page, width);
    const faults = [
      ...complaints,
      ...panels.flatMap(({ title, problem }) => (problem === undefined ? [] : [`${title}: ${problem}`])),
      ...(await page.evaluate(() => (globalThis as unknown as Page).cutOff())),
    ];
    return { png: await page.screenshot({ fullPage: true }), panels, faults };
  } finally {
    await context.close();
  }
}

/** Makes the window as high as the page: a table whose rows are out of sight has none, and none that could be cut off. */
async function allInSight(page: BrowserPage, width: number): Promise<void> {
  const height = await page.evaluate<number>("document.documentElement.scrollHeight");
  await page.setViewportSize({ width: width + 10, height });
  await page.evaluate(() => (globalThis as unknown as Page).painted());
}

/** Waits until each panel has told how it went, and has been painted. */
async function drawn(page: BrowserPage, complaints: readonly string[]): Promise<readonly Told[]> {
  await until(
    () => `the page to be drawn: ${complaints.join("; ")}`,
    async () => {
      const report = await page.evaluate(() => (globalThis as unknown as Partial<Page>).report);
      // What is infinite is null here: the dashboard has not come.
      return typeof report?.waiting === "number" && report.waiting <= 0 ? true : undefined;
    },
  );
  await page.evaluate(() => (globalThis as unknown as Page).painted());
  return (await page.evaluate(() => (globalThis as unknown as Page).report)).panels;
}
