/**
 * What the benchmarks are to reach, on every Node that is supported. A ratio is ours against theirs, and more is better; anything with a
 * unit is a most.
 */
export const GOALS = {
  /** A worker pool on a bare queue, one worker, against queues that have their workers inside. */
  barePool: {
    16: { "fastq, async handler": 0.9, "fastq.promise": 1.3, "p-queue": 5 },
    unbounded: { "fastq, async handler": 1.1, "fastq.promise": 2, "p-queue": 15 },
  },
  /** What wrapping adds to a task of another library's queue, without spans. */
  wrapping: { addedNs: 800, againstHandwritten: 1.3 },
  /** CPU time added to a task of 100 µs, in percent of that, cold code included. */
  work: { instrumentedPool: 2, wrappedPQueue: 4 },
  instrumented: {
    tryPutGetNs: 150,
    awaitPutGetNs: 200,
    allocatedBytes: 64,
    /** A put and a process span, against the same two by hand. */
    putAndProcessSpans: 1,
    /** Against a span for each put and get, and three records, by hand. */
    noSpansAgainstHandwritten: 10,
    putSpanAgainstHandwritten: 2,
  },
  heaps: {
    few: { "1k": 3, "100k": 3, "1M": 2 },
    wide: 1.5,
    /** Peers that make an entry with a stamp for each put, so that ties are stable. */
    wideStamped: 1.5,
  },
  /** Against each of denque, fast-fifo and yocto-queue. */
  fifo: 1,
  /** Capacity 16; `floor`, two loops that await null, is for the promise path. */
  handoff: { effect: 8, "fastq.promise": 10, "p-queue": 50, floor: 1 / 1.25 },
  memory: {
    instrumentedBytes: 64,
    drainedBytes: 1,
    instrumentedQueueBytes: 16 * 2 ** 10,
    watchedQueueBytes: 32 * 2 ** 10,
  },
  /** What a watchdog adds to handlers that take 100 µs. */
  watchdog: { without: 1 / 1.03, memoryBytes: 25 * 2 ** 20 },
  /** At any depth up to 10M. */
  onePutMs: 5,
  /** CPU time of what a queue of 10M items is asked. */
  atOnceMs: 50,
  /** Of so many queues with five tiers each. */
  scrape: { 1000: { cpuMs: 200, sliceMs: 20 }, 10000: { cpuMs: 5_000, sliceMs: 20 } },
  /** One look of a watchdog at 1,000 queues. */
  watchdogLookMs: 5,
  /** Against the other instrumentation of the engine: CPU time with spans, and what is added where there is no parent against what that adds. */
  brokers: { withSpans: 1, noParentAgainstOverhead: 2, spansAgainstTheirs: 1 },
  /** `import "queuescope"` in a fresh process. */
  importing: { cpuMs: 60, timesPQueue: 3 },
} as const;
