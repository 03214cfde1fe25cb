import { type Method, patch, type Replace } from "../../adapters/patch.js";
import { whenSettled } from "../../base/thenable.js";
import type { BrokerHub, Sending } from "../../contracts/index.js";
import { type Client, isTracedElsewhere, type JobOptions } from "./clients.js";
import { withCarrier } from "./metadata.js";

interface BulkJob {
  readonly opts?: JobOptions | undefined;
}

/** Of jobs with more priorities than that, a bulk counts as one without: each would need a sending of its own. */
const MAX_PRIORITIES = 20;

/** A node of a flow: a job, and the jobs that it waits for. */
interface FlowJob extends BulkJob {
  readonly queueName: string;
  readonly children?: readonly FlowJob[] | undefined;
}

/** What one call sends, to several queues maybe. */
interface Sendings {
  readonly all: readonly Sending[];
  of(queue: string, job: BulkJob): Sending;
}

/** What is sent, and what the original is called with. */
interface Prepared {
  readonly sendings: readonly Sending[];
  readonly args: unknown[];
}

/** Tells the hub what a queue or a flow producer sends. */
export class Producer {
  private isOpen = true;
  private readonly isTracedElsewhere: boolean;

  constructor(
    private readonly client: Client,
    private readonly hub: BrokerHub,
  ) {
    this.isTracedElsewhere = isTracedElsewhere(client, "add");
  }

  attachQueue(): () => void {
    const queue = this.client.name!;
    const methods: Record<string, Replace> = {
      add: this.wrap(([name, data, options, ...more]) => {
        const own = options as JobOptions | undefined;
        const sending = this.send(queue, 1, this.priorityOf(own));
        return { sendings: [sending], args: [name, data, this.sent(own, sending), ...more] };
      }),
      addBulk: this.wrap(([jobs, ...more]) => {
        if (!isFull(jobs)) return undefined;
        const sendings = this.sendAll((jobs as BulkJob[]).map((job) => ({ queue, job })));
        const sent = (jobs as BulkJob[]).map((job) => this.jobSent(queue, job, sendings));
        return { sendings: sendings.all, args: [sent, ...more] };
      }),
    };
    // BullMQ has it from 5.16 on. Each tick is to have a trace of its own, so the template gets no carrier.
    if ("upsertJobScheduler" in this.client) {
      methods.upsertJobScheduler = this.wrap((args) => ({ sendings: [this.send(queue, 1)], args }));
    }
    return this.patch(methods);
  }

  attachFlow(): () => void {
    return this.patch({
      add: this.wrap(([flow, ...more]) => {
        const { all, sent } = this.flowsSent([flow as FlowJob]);
        return { sendings: all, args: [sent[0], ...more] };
      }),
      addBulk: this.wrap(([flows, ...more]) => {
        if (!isFull(flows)) return undefined;
        const { all, sent } = this.flowsSent(flows as FlowJob[]);
        return { sendings: all, args: [sent, ...more] };
      }),
    });
  }

  private patch(methods: Record<string, Replace>): () => void {
    const restore = patch(this.client, methods);
    return () => {
      this.isOpen = false;
      restore();
    };
  }

  /** `prepare` gives undefined where nothing is sent. What it throws costs the telemetry of this call. */
  private wrap(prepare: (args: unknown[]) => Prepared | undefined): Replace {
    const producer = this;
    return (original) =>
      function (this: unknown, ...args: unknown[]) {
        if (!producer.isOpen) return original.apply(this, args);
        let prepared: Prepared | undefined;
        try {
          prepared = prepare(args);
        } catch (error) {
          producer.hub.fault(producer.client.name ?? "other", error);
        }
        return prepared === undefined ? original.apply(this, args) : call(this, original, prepared);
      };
  }

  private send(queue: string, count: number, priority?: number): Sending {
    const { isTracedElsewhere } = this;
    return this.hub.send({ name: queue, priority, isTracedElsewhere }, count);
  }

  /** One sending for each queue and priority. */
  private sendAll(jobs: readonly { readonly queue: string; readonly job: BulkJob }[]): Sendings {
    const priorities = new Set(jobs.map(({ job }) => this.priorityOf(job.opts)));
    const hasFew = priorities.size <= MAX_PRIORITIES;
    const keyOf = (queue: string, { opts }: BulkJob) =>
      `${hasFew ? (this.priorityOf(opts) ?? "") : ""}:${queue}`;
    const counts = new Map<string, { queue: string; priority: number | undefined; count: number }>();
    for (const { queue, job } of jobs) {
      const key = keyOf(queue, job);
      const known = counts.get(key);
      if (known !== undefined) known.count++;
      else counts.set(key, { queue, priority: hasFew ? this.priorityOf(job.opts) : undefined, count: 1 });
    }
    const byKey = new Map<string, Sending>();
    for (const [key, { queue, count, priority }] of counts) byKey.set(key, this.send(queue, count, priority));
    return { all: [...byKey.values()], of: (queue, job) => byKey.get(keyOf(queue, job))! };
  }

  private priorityOf(options: JobOptions | undefined): number | undefined {
    const priority = options?.priority ?? this.client.opts.defaultJobOptions?.priority;
    return typeof priority === "number" && priority !== 0 ? priority : undefined;
  }

  /** Where BullMQ's slot is taken, what is in it puts the carrier there, and takes our ID along as baggage. */
  private sent(options: JobOptions | undefined, sending: Sending, isParent?: boolean): unknown {
    if (this.isTracedElsewhere) return options;
    return withCarrier(options, this.client.opts.defaultJobOptions, sending, isParent);
  }

  private jobSent<J extends BulkJob>(queue: string, job: J, sendings: Sendings, isParent?: boolean): J {
    if (this.isTracedElsewhere) return job;
    return Object.assign({}, job, { opts: this.sent(job.opts, sendings.of(queue, job), isParent) });
  }

  private flowsSent(flows: readonly FlowJob[]): { all: readonly Sending[]; sent: readonly FlowJob[] } {
    const jobs: { queue: string; job: FlowJob }[] = [];
    const collect = (job: FlowJob) => {
      jobs.push({ queue: job.queueName, job });
      if (Array.isArray(job.children)) job.children.forEach(collect);
    };
    flows.forEach(collect);
    const sendings = this.sendAll(jobs);
    const sent = (flow: FlowJob): FlowJob => {
      const isParent = isFull(flow.children);
      const copy = this.jobSent(flow.queueName, flow, sendings, isParent);
      if (!isParent) return copy;
      return Object.assign({}, copy, { children: flow.children!.map(sent) });
    };
    return { all: sendings.all, sent: flows.map(sent) };
  }
}

function isFull(jobs: unknown): jobs is readonly unknown[] {
  return Array.isArray(jobs) && jobs.length > 0;
}

/** Calls the original inside all sendings, each of which is over with what it returns. */
function call(self: unknown, original: Method, { sendings, args }: Prepared): unknown {
  const done = (error?: unknown) => {
    for (const sending of sendings) sending.done(error);
  };
  let run = () => original.apply(self, args);
  for (const sending of sendings) {
    const inner = run;
    run = () => sending.run(inner);
  }
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    done(failure(error));
    throw error;
  }
  if (
    !whenSettled(
      result,
      () => done(),
      (error) => done(failure(error)),
    )
  )
    done();
  return result;
}

/** Undefined stands for success. */
function failure(error: unknown): unknown {
  return error ?? new Error(`rejected with ${String(error)}`);
}
