import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OrderService } from "../examples/order-service.js";
import { hasBrowser, openBrowser, visit } from "./browser.js";

async function viewOf(service: OrderService): Promise<string> {
  const [, url] = await service.example.line(/^Look +(\S+)/);
  return url!;
}

const stat = (page: Page, name: string) => page.locator(".stat", { hasText: name }).locator(".stat-value");

describe.skipIf(!hasBrowser())("the page of the demo (needs chromium)", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  it("has the figures of /metrics, and a breach with its cause as soon as it is told", async () => {
    const service = await OrderService.start(["--no-load", "--view-port", "0"]);
    const url = await viewOf(service);
    const { page, complaints } = await visit(browser, url);
    await page.getByRole("heading", { name: "All queues on time" }).waitFor();
    await service.fault("PUT", "no-consumer");
    await service.example.line(/^!! .*no-consumer/);
    await page.getByRole("heading", { name: "1 queue late: orders" }).waitFor();
    await page.locator("tr.why", { hasText: "no-consumer" }).waitFor();
    await page.locator(".badge").waitFor();

    // As many customers as turn round at the door: from now on nothing changes but ages.
    await service.eventually(async () => expect(await service.value("queue_depth")).toBe(50));
    await page.goto(`${url}#/queue/orders`);
    await stat(page, "Depth").getByText("50", { exact: true }).waitFor();
    for (const [name, metric, labels] of [
      ["In flight", "queue_in_flight", {}],
      ["Dropped", "queue_dropped_total", {}],
      ["Failed", "queue_completed_total", { queue_outcome: "failed" }],
    ] as const) {
      const value = (await service.value(metric, labels)) ?? 0;
      await stat(page, name).getByText(`${value}`, { exact: true }).waitFor();
    }
    expect(complaints).toEqual([]);
  });

  it("goes on with the next process when this one has ended", async () => {
    const first = await OrderService.start(["--no-load", "--view-port", "0"]);
    const url = await viewOf(first);
    const { page } = await visit(browser, `${url}#/queue/orders`);
    await stat(page, "Depth").getByText("0", { exact: true }).waitFor();
    const pid = await page.locator(".crumbs .process-name .muted").innerText();
    first.example.kill("SIGKILL");
    await page.getByText(/^Connection lost/).waitFor();
    await OrderService.start(["--no-load", "--view-port", new URL(url).port]);
    await page.getByText("Live", { exact: true }).waitFor();
    await page
      .locator(".crumbs .process-name .muted")
      .getByText(pid, { exact: true })
      .waitFor({ state: "detached" });
    await stat(page, "Depth").getByText("0", { exact: true }).waitFor();
  });
});
