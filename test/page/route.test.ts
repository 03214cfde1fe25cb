import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { traceHref } from "../../src/page/state/links.js";
import { hrefOf, type Route, readRoute } from "../../src/page/state/route.js";

describe("the address of a view", () => {
  it.each<Route>([
    { view: "overview" },
    { view: "overview", filter: "ord & co", sort: "depth", process: "7-1" },
    { view: "queue", queue: "orders", process: "7-1", at: 1_796_071_429_287 },
    { view: "queue", queue: "a/b?c#d%2F e" },
    { view: "breaches", id: "r/1" },
    { view: "search", q: "c88d0e" },
  ])("leads back to %j", (route) => expect(readRoute(hrefOf(route))).toEqual(route));

  it("leads back to a queue of any name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (queue) => {
        expect(readRoute(hrefOf({ view: "queue", queue }))).toEqual({ view: "queue", queue });
      }),
    );
  });

  it.each(["", "#", "#/", "#/nonsense", "#/queue", "#/queue/", "#/?at=never", "#/?at=-1", "#/?at=1e99"])(
    "is the overview, live, where it makes no sense: %s",
    (hash) => expect(readRoute(hash)).toEqual({ view: "overview" }),
  );

  it("takes an address that no encoder would write", () => {
    expect(readRoute("#/queue/%E0%A4%A")).toEqual({ view: "queue", queue: "%E0%A4%A" });
    expect(readRoute(hrefOf({ view: "queue", queue: "\ud800" })).view).toBe("queue");
  });
});

describe("a link to a trace", () => {
  it("has the ID, encoded", () => {
    expect(traceHref("https://traces.example/{traceId}", "a/b?c")).toBe("https://traces.example/a%2Fb%3Fc");
  });

  it.each(["javascript:alert('{traceId}')", "data:text/html,{traceId}", "{traceId}", "", undefined])(
    "is none where that is no address of a site: %s",
    (template) => expect(traceHref(template, "javascript:alert(1)")).toBeUndefined(),
  );
});
