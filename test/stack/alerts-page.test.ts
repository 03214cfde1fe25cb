import { afterEach, describe, expect, it, vi } from "vitest";
import { alertsPage } from "../../scripts/stack/alerts-page.js";
import { Place } from "../../scripts/stack/place.js";

const place = new Place("unused", { demo: 1, metrics: 2, prometheus: 29_090, alertmanager: 4, grafana: 5 });

/** A Prometheus that has these pages only. */
function pages(...there: readonly string[]): void {
  vi.stubGlobal("fetch", async (url: string) => {
    return new Response("a page", { status: there.includes(new URL(url).pathname) ? 200 : 404 });
  });
}

describe("the link to the alerts", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("is Prometheus's own page", async () => {
    pages("/alerts", "/classic/alerts", "/api/v1/alerts");
    expect(await alertsPage(place)).toBe("http://127.0.0.1:29090/alerts");
  });

  it("is the older page, where there is only that, as on Debian", async () => {
    pages("/classic/alerts", "/api/v1/alerts");
    expect(await alertsPage(place)).toBe("http://127.0.0.1:29090/classic/alerts");
  });

  it("is the API, where there are no pages", async () => {
    pages("/api/v1/alerts");
    expect(await alertsPage(place)).toBe("http://127.0.0.1:29090/api/v1/alerts");
    vi.stubGlobal("fetch", () => Promise.reject(new Error("no answer")));
    expect(await alertsPage(place)).toBe("http://127.0.0.1:29090/api/v1/alerts");
  });
});
