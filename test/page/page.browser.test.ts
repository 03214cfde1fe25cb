import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FifoQueue, instrument, uninstrument } from "../../src/index.js";
import { axeFindings, hasBrowser, openBrowser, visit } from "./browser.js";
import { Shop } from "./shop.js";

/** The text of a cell of the overview, by the name of its column. */
const cell = (page: Page, queue: string, column: string) =>
  page
    .locator("tbody.line", { has: page.locator(`bdi[title="${queue}"]`) })
    .locator(`td[data-name="${column}"]`);

describe.skipIf(!hasBrowser())("the page (needs chromium)", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  describe("of a queue that is late", () => {
    let shop: Shop;
    beforeAll(async () => {
      shop = await Shop.open();
    });
    afterAll(() => shop?.close());

    it("shows in the overview what is true, and why in words", async () => {
      const { page, complaints } = await visit(browser, shop.url());
      await page.getByRole("heading", { name: "1 queue late: orders" }).waitFor();
      await cell(page, "orders", "Depth").getByText("9/20", { exact: true }).waitFor();
      await cell(page, "orders", "In flight").getByText("2", { exact: true }).waitFor();
      await cell(page, "orders", "Failed · dropped").getByText("1", { exact: true }).waitFor();
      await page.locator("tr.why .verdict").waitFor();
      expect(complaints).toEqual([]);
    });

    it("shows of the queue what is in flight, what comes next, and what has failed", async () => {
      const { page, complaints } = await visit(browser, shop.url("/queue/orders"));
      await page.getByRole("heading", { name: "orders" }).waitFor();
      await page.locator(".task .id", { hasText: "shipping-1" }).waitFor();
      await page.locator(".task-facts", { hasText: "packing" }).first().waitFor();
      await page.locator(".cell-id", { hasText: "waiting-1" }).waitFor();
      await page.locator(".payload", { hasText: '{"text":"waits"}' }).first().waitFor();
      await page.locator(".failures", { hasText: "could not ship" }).waitFor();
      for (const name of [/^Cumulative flow:/, /^SLA used:/, /^Depth:/, /workers did in the time shown/]) {
        await page.getByRole("img", { name }).locator("canvas").waitFor();
      }
      await page.getByRole("img", { name: "Waits of tier plain" }).waitFor();
      expect(complaints).toEqual([]);
    });

    it("shows the report with its verdict, and gives it away as JSON and as text", async () => {
      const { page, complaints } = await visit(browser, shop.url("/breaches"));
      await page.locator(".verdicts .verdict").first().waitFor();
      const save = async (name: string) => {
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.getByRole("button", { name, exact: true }).click(),
        ]);
        return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
      };
      const json = await save("JSON");
      expect(json.name).toMatch(/^orders-.*\.json$/);
      expect(JSON.parse(json.text)).toMatchObject({ queue: "orders", tier: "gold", targetMs: 100 });
      const text = await save("Text");
      expect(text.name).toMatch(/\.txt$/);
      expect(text.text).toMatch(/^BREACH queue=orders tier=gold /);
      expect(complaints).toEqual([]);
    });

    it("finds an item by its correlation ID, and links to its trace", async () => {
      const { page, complaints } = await visit(browser, shop.url("/"));
      await page.getByRole("heading", { name: /late/ }).waitFor();
      await page.keyboard.press("s");
      await page.getByRole("searchbox").fill("waiting-3");
      await page.keyboard.press("Enter");
      await page.locator(".found-item", { hasText: "Number 3 in the queue, tier gold" }).waitFor();
      expect(new URL(page.url()).hash).toBe("#/search?q=waiting-3");
      expect(complaints).toEqual([]);
    });

    it("can be used by the keyboard alone, and a link leads where one was", async () => {
      const { page } = await visit(browser, shop.url());
      await page.getByRole("heading", { name: /late/ }).waitFor();
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Tasks in flight" }).waitFor();
      const address = page.url();
      await page.keyboard.press("Escape");
      await page.getByRole("heading", { name: /late/ }).waitFor();
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keys" }).waitFor();
      await page.keyboard.press("Escape");
      await page.keyboard.press("t");
      expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
      const other = await visit(browser, address);
      await other.page.locator(".task .id", { hasText: "shipping-1" }).waitFor();
    });

    it("stands still while it is paused, looks back, and is live again", async () => {
      const { page } = await visit(browser, shop.url());
      const depth = (text: string) =>
        cell(page, "orders", "Depth").getByText(text, { exact: true }).waitFor();
      await depth("9/20");
      // On a crowded machine a look may be missed, and then the history has a hole.
      await expect.poll(() => shop.lately("orders"), { timeout: 120_000 }).toEqual([9, 9, 9, 9, 9]);
      await page.keyboard.press("Space");
      await page.getByRole("slider", { name: "Time shown" }).waitFor();
      await shop.queue.put({ text: "one more" }, { tier: "plain" });
      const live = await visit(browser, shop.url());
      await cell(live.page, "orders", "Depth").getByText("10/20", { exact: true }).waitFor();
      await depth("9/20");
      await page.keyboard.press("[");
      await depth("9/20");
      // The link keeps the instant: of before it was opened, the history knows.
      const address = page.url();
      const back = await visit(browser, address);
      await cell(back.page, "orders", "Depth").getByText("9/20", { exact: true }).waitFor();
      const queue = await visit(browser, address.replace("#/", "#/queue/orders"));
      await queue.page.locator(".stat", { hasText: "Depth" }).getByText("9", { exact: true }).waitFor();
      await page.keyboard.press("Space");
      await depth("10/20");
    });

    it.each(["light", "dark"] as const)("has nothing that axe finds wrong, in %s", async (colorScheme) => {
      const { page } = await visit(browser, shop.url(), { colorScheme });
      await page.locator("tr.why .verdict").waitFor();
      expect(await axeFindings(page)).toEqual([]);
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
      expect(await axeFindings(page)).toEqual([]);
      for (const [path, sign] of [
        ["/queue/orders", ".task .id"],
        ["/breaches", ".verdicts .verdict"],
        ["/search?q=waiting-3", ".found-item"],
        ["/?at=1000000", ".timeline-at"],
      ] as const) {
        await page.goto("about:blank");
        await page.goto(shop.url(path));
        await page.locator(sign).first().waitFor();
        expect(await axeFindings(page)).toEqual([]);
      }
    });

    it.each(["/", "/queue/orders", "/breaches", "/search?q=waiting-3"])(
      "fits a phone, a tablet and a small window, without scrolling sideways: %s",
      async (path) => {
        const { page } = await visit(browser, shop.url(path), {
          viewport: { width: 360, height: 740 },
          isMobile: true,
          hasTouch: true,
        });
        await page.locator("h1").first().waitFor();
        await page
          .getByText(/orders|waiting-3/)
          .first()
          .waitFor();
        for (const width of [360, 700, 1040, 1080]) {
          await page.setViewportSize({ width, height: 740 });
          expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
        }
      },
    );
  });

  it("shows hostile texts as texts, wherever they stand", async () => {
    const mark = `<img src=x onerror="window.hit=1">"'\`><script>window.hit=1</script>{{7*7}}\u202e`;
    const shop = await Shop.open(mark, { name: `shop${mark}` });
    try {
      for (const path of [
        "/",
        `/queue/${encodeURIComponent(`orders${mark}`)}`,
        "/breaches",
        `/search?q=${encodeURIComponent(`waiting-1${mark}`)}`,
      ]) {
        const { page, complaints, context } = await visit(browser, shop.url(path));
        await page.locator("main").getByText("window.hit=1").first().waitFor();
        if (path.startsWith("/queue")) await page.locator(".failures", { hasText: "onerror" }).waitFor();
        if (path === "/breaches") await page.locator("pre.text").waitFor();
        const found = await page.evaluate(`({
          hit: window.hit,
          elements: document.querySelectorAll("img, iframe, object, body script").length,
          inline: document.querySelectorAll("[onerror], [onclick], [style*=url]").length,
        })`);
        expect(found).toEqual({ hit: undefined, elements: 0, inline: 0 });
        expect(complaints).toEqual([]);
        await context.close();
      }
    } finally {
      await shop.close();
    }
  });

  it("shows 200 queues with a million items, the worst first, and finds one of them", async () => {
    const shop = await Shop.open();
    const queues = Array.from({ length: 200 }, (_, i) =>
      instrument(new FifoQueue<number>(), { name: `queue-${i}` }),
    );
    try {
      for (const [i, queue] of queues.entries()) for (let n = 0; n < 4_900 + i; n++) void queue.put(n);
      const { page, complaints } = await visit(browser, shop.url());
      await page.getByText("201 queues").waitFor();
      expect(await page.locator("tbody.line").count()).toBe(201);
      expect(await page.locator("tbody.line .queue-name").first().innerText()).toBe("orders");
      await page.getByRole("button", { name: "Depth" }).click();
      await page.locator("tbody.line").first().getByText("queue-199", { exact: true }).waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("queue-77");
      await page.getByText("1 of 201 queues").waitFor();
      expect(await page.locator("tbody.line .queue-name").allInnerTexts()).toEqual(["queue-77"]);
      expect(complaints).toEqual([]);
    } finally {
      for (const queue of queues) uninstrument(queue);
      await shop.close();
    }
  });
});
