import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Group, runGroup } from "../../src/worker/group.js";
import { signal as gate } from "../support/telemetry-capture.js";

const unhandled: unknown[] = [];
const note = (error: unknown) => unhandled.push(error);
const macrotask = () => new Promise(setImmediate);

beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});

afterEach(async () => {
  await macrotask();
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

/** Rejects with the signal's reason, as soon as there is one. */
async function untilAborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, "abort");
  throw signal.reason;
}

describe("runGroup", () => {
  it("resolves with what its body returns, when all tasks are over, awaited or not", async () => {
    const hold = gate();
    const over: string[] = [];
    const whole = runGroup(async (group) => {
      group.run(async () => {
        await hold.promise;
        over.push("slow");
      });
      expect(await group.run(() => "quick")).toBe("quick");
      return "body";
    }).then((result) => over.push(result));
    await macrotask();
    expect(over).toEqual([]);
    hold.give();
    await whole;
    expect(over).toEqual(["slow", "body"]);
  });

  it("starts a task at once, and a body that returns no promise will do", async () => {
    let started = false;
    await runGroup((group) => {
      group.run(() => {
        started = true;
      });
      expect(started).toBe(true);
    });
  });

  it("aborts the others at the first failure, waits for them, and rejects with that error", async () => {
    const failure = new Error("first");
    const hold = gate();
    const events: string[] = [];
    const whole = runGroup(async (group) => {
      group.run(async ({ signal }) => {
        await untilAborted(signal).catch((reason) => events.push(`told of ${reason.message}`));
        await hold.promise;
        events.push("cleaned up");
      });
      group.run(async () => {
        throw failure;
      });
    });
    const outcome = whole.then(undefined, (error: unknown) => {
      events.push("rejected");
      return error;
    });
    await macrotask();
    expect(events).toEqual(["told of first"]);
    hold.give();
    expect(await outcome).toBe(failure);
    expect(events).toEqual(["told of first", "cleaned up", "rejected"]);
  });

  it("takes a body or task that throws at once for what it is", async () => {
    const failure = new Error("at once");
    await expect(
      runGroup((group) => {
        group.run(({ signal }) => untilAborted(signal));
        throw failure;
      }),
    ).rejects.toBe(failure);
    await expect(
      runGroup((group) => {
        group.run(() => {
          throw failure;
        });
      }),
    ).rejects.toBe(failure);
  });

  it("rejects with all errors if several tasks failed, in order, the first being the cause", async () => {
    const [first, second] = [new Error("first"), new Error("second")];
    const error = await runGroup((group) => {
      group.run(async ({ signal }) => {
        await untilAborted(signal).catch(() => {});
        throw second;
      });
      group.run(() => Promise.reject(first));
    }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({ errors: [first, second], cause: first });
    expect((error as Error).message).toBe("2 tasks of the group failed");
  });

  it("counts an error once, though the body awaited the task that failed", async () => {
    const failure = new Error("once");
    await expect(runGroup((group) => group.run(() => Promise.reject(failure)))).rejects.toBe(failure);
  });

  it("takes what only tells of the abort for no failure", async () => {
    const failure = new Error("the one");
    await expect(
      runGroup((group) => {
        group.run(({ signal }) => sleep(2 ** 30, undefined, { signal })); // Rejects with an AbortError.
        group.run(({ signal }) => untilAborted(signal));
        group.run(() => Promise.reject(failure));
      }),
    ).rejects.toBe(failure);
  });

  it("takes an AbortError before any abort for a failure", async () => {
    const failure = new DOMException("gave up", "AbortError");
    await expect(runGroup((group) => group.run(() => Promise.reject(failure)))).rejects.toBe(failure);
  });

  it("can fail with anything, undefined included", async () => {
    for (const thrown of [undefined, null, "text", 0]) {
      await expect(runGroup((group) => group.run(() => Promise.reject(thrown)))).rejects.toBe(thrown);
    }
  });

  it("starts nothing more once it is aborted", async () => {
    const failure = new Error("too bad");
    let called = false;
    let late: Promise<unknown> | undefined;
    const whole = runGroup(async (group) => {
      await group.run(() => Promise.reject(failure)).catch(() => {});
      late = group.run(() => {
        called = true;
      });
    });
    await expect(whole).rejects.toBe(failure);
    await expect(late).rejects.toBe(failure);
    expect(called).toBe(false);
  });

  it("lets a task that runs start others, and a task's end, too", async () => {
    const over: string[] = [];
    await runGroup((group) => {
      const first = group.run(async () => {
        await macrotask();
        group.run(async () => {
          await macrotask();
          over.push("child");
        });
      });
      void first.then(() => over.push("first"));
      void first.then(() => group.run(macrotask)).then(() => over.push("successor"));
    });
    expect(over.sort()).toEqual(["child", "first", "successor"]);
  });

  it("refuses a task when it is over, with a typed error", async () => {
    let escaped: Group | undefined;
    await runGroup((group) => {
      escaped = group;
    });
    expect(() => escaped!.run(() => 1)).toThrow(
      expect.objectContaining({ name: "GroupEndedError", code: "QUEUE_GROUP_ENDED" }),
    );
  });

  it("is aborted by a signal from outside, and rejects with its reason when all is over", async () => {
    const controller = new AbortController();
    const reason = new Error("closing time");
    const hold = gate();
    const over: string[] = [];
    const whole = runGroup(
      (group) => {
        group.run(async ({ signal }) => {
          await untilAborted(signal).catch((error) => over.push(error.message));
          await hold.promise;
          over.push("end");
        });
      },
      { signal: controller.signal },
    );
    controller.abort(reason);
    await macrotask();
    expect(over).toEqual(["closing time"]);
    hold.give();
    await expect(whole).rejects.toBe(reason);
    expect(over).toEqual(["closing time", "end"]);
  });

  it("tells of a failure rather than of the abort from outside", async () => {
    const controller = new AbortController();
    const failure = new Error("on the way out");
    const whole = runGroup(
      (group) => {
        group.run(async ({ signal }) => {
          await untilAborted(signal).catch(() => {});
          throw failure;
        });
      },
      { signal: controller.signal },
    );
    controller.abort();
    await expect(whole).rejects.toBe(failure);
  });

  it("doesn't begin if the signal from outside is aborted already", async () => {
    let began = false;
    const body = () => {
      began = true;
    };
    await expect(runGroup(body, { signal: AbortSignal.abort("no") })).rejects.toBe("no");
    expect(began).toBe(false);
  });

  it("nests: a failure outside ends what is inside first", async () => {
    const failure = new Error("outside");
    const over: string[] = [];
    const whole = runGroup((outer) => {
      outer.run(async ({ signal }) => {
        await runGroup((inner) => inner.run(({ signal }) => untilAborted(signal)), { signal }).finally(() =>
          over.push("inner"),
        );
      });
      outer.run(() => Promise.reject(failure));
    }).finally(() => over.push("outer"));
    await expect(whole).rejects.toBe(failure);
    expect(over).toEqual(["inner", "outer"]);
  });

  it("nests: a failure inside is one of the group outside", async () => {
    const failure = new Error("inside");
    await expect(
      runGroup((outer) => {
        outer.run(() => runGroup((inner) => inner.run(() => Promise.reject(failure))));
        outer.run(({ signal }) => untilAborted(signal));
      }),
    ).rejects.toBe(failure);
  });

  it("lets a thousand tasks listen to its signal without a warning", async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error) => warnings.push(warning);
    process.on("warning", warn);
    const failure = new Error("end");
    const whole = runGroup((group) => {
      for (let i = 0; i < 1_000; i++) group.run(({ signal }) => untilAborted(signal));
      group.run(() => Promise.reject(failure));
    });
    await expect(whole).rejects.toBe(failure);
    await macrotask();
    process.off("warning", warn);
    expect(warnings).toEqual([]);
  });

  it.each([
    ["body", () => runGroup(undefined as never)],
    ["fn", () => runGroup((group) => group.run("task" as never))],
    ["signal", () => runGroup(() => {}, { signal: {} as never })],
    ["options", () => runGroup(() => {}, 5 as never)],
  ])("rejects a bad %s, and names it", async (option, run) => {
    await expect(run()).rejects.toMatchObject({ code: "QUEUE_INVALID_OPTION_TYPE", option });
  });
});

/** What a task does when its turn comes: ends, fails, ends only when it is aborted, or starts further tasks and ends. */
type Script = "ends" | "fails" | "listens" | { readonly starts: readonly Script[] };

const { script } = fc.letrec<{ script: Script }>((tie) => ({
  script: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Script>("ends", "ends", "fails", "listens"),
    fc.record({ starts: fc.array(tie("script"), { maxLength: 3 }) }),
  ),
}));

it("a group ends after all its tasks, with the failures of those that were under way, in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(script, { maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 60 }),
      fc.boolean(),
      async (scripts, turns, bodyFails) => {
        const waiting: (() => void)[] = [];
        const failures: Error[] = [];
        let running = 0;
        let listeners = 0;
        let settled = false;

        const start = (group: Group, script: Script): void => {
          const mayStart = !group.signal.aborted;
          let began = false;
          group.run(async ({ signal }) => {
            began = true;
            running++;
            try {
              if (script === "listens") {
                listeners++;
                return await untilAborted(signal).finally(() => listeners--);
              }
              await new Promise<void>((resolve) => waiting.push(resolve));
              if (script === "fails") throw fail();
              if (script !== "ends") for (const each of script.starts) start(group, each);
            } finally {
              running--;
            }
          });
          expect(began).toBe(mayStart);
        };
        const fail = (): Error => {
          const failure = new Error(`failure ${failures.length}`);
          failures.push(failure);
          return failure;
        };

        const outside = new AbortController();
        const whole = runGroup(
          (group) => {
            for (const each of scripts) start(group, each);
            if (bodyFails) throw fail();
            return "all";
          },
          { signal: outside.signal },
        );
        const outcome = whole.then(
          (result) => ({ result, running }),
          (error: unknown) => ({ error, running }),
        );
        void outcome.then(() => {
          settled = true;
        });
        await macrotask();
        expect(settled).toBe(running === 0);
        for (let i = 0; waiting.length > 0; i++) {
          const [resume] = waiting.splice((turns[i] ?? 0) % waiting.length, 1);
          resume!();
          await macrotask();
          expect(settled).toBe(running === 0);
        }
        // Those that listen end with the first failure; without one they need to be told.
        const isAbortedOutside = listeners > 0;
        if (isAbortedOutside) {
          expect(failures).toEqual([]);
          outside.abort("closing time");
        }

        const { running: left, ...how } = await outcome;
        expect(left).toBe(0);
        if (isAbortedOutside) expect(how).toEqual({ error: "closing time" });
        else if (failures.length === 0) expect(how).toEqual({ result: "all" });
        else if (failures.length === 1) expect(how).toEqual({ error: failures[0] });
        else expect((how as { error: AggregateError }).error.errors).toEqual(failures);
      },
    ),
    { numRuns: 300 },
  );
  await macrotask();
  expect(unhandled).toEqual([]);
});
