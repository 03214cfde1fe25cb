/** What a pool has to do. */
export interface Load {
  readonly arrivalsPerSecond: number;
  /** Mean time that a task keeps its worker. */
  readonly serviceMs: number;
  /** Variance divided by the mean squared, of the time between arrivals: 0 for a steady beat, 1 for arrivals at random. */
  readonly arrivalVariability: number;
  /** The same of the service time: 0 for tasks of equal length, 1 for exponential ones. */
  readonly serviceVariability: number;
}

/** What a number of workers would make of a load, in the long run. */
export interface Forecast {
  readonly concurrency: number;
  /** Items a second that they can handle. */
  readonly servedPerSecond: number;
  /** Share of the workers' time that is needed; above 1 the queue only grows. */
  readonly utilisation: number;
  /** Share of the items that find no free worker. */
  readonly waitingRatio: number;
  /** Mean time in the queue. `Infinity` when more comes than can be handled. */
  readonly waitMs: number;
  /** Mean number of items in the queue. */
  readonly depth: number;
}

/**
 * Erlang C for the share that waits and, with Allen and Cunneen's factor (Ca² + Cs²) / 2, for how long. With many workers that factor is
 * too small for regular tasks and too great for irregular ones, which Cosmetatos' correction makes good, most of it; for regular
 * arrivals it is too great, for which there is Krämer and Langenbach-Belz's.
 */
export function forecast(load: Load, concurrency: number): Forecast {
  const { arrivalsPerSecond, serviceMs } = load;
  const offered = (arrivalsPerSecond * serviceMs) / 1000;
  const utilisation = offered === 0 ? 0 : offered / concurrency;
  const servedPerSecond = (concurrency / serviceMs) * 1000;
  if (utilisation >= 1) {
    const never = Number.POSITIVE_INFINITY;
    return { concurrency, servedPerSecond, utilisation, waitingRatio: 1, waitMs: never, depth: never };
  }
  if (offered === 0)
    return { concurrency, servedPerSecond, utilisation, waitingRatio: 0, waitMs: 0, depth: 0 };
  const waitingRatio = erlangC(offered, concurrency);
  const untilNextFreeMs = serviceMs / (concurrency - offered);
  const waitMs = waitingRatio * untilNextFreeMs * factor(load, utilisation, concurrency, waitingRatio);
  return {
    concurrency,
    servedPerSecond,
    utilisation,
    waitingRatio,
    waitMs,
    depth: (arrivalsPerSecond * waitMs) / 1000,
  };
}

/** The share of the items that wait no longer than this. The times of those that wait are about exponential. */
export function shareWithin({ waitingRatio, waitMs }: Forecast, targetMs: number): number {
  if (waitMs === Number.POSITIVE_INFINITY) return 0;
  return waitMs === 0 ? 1 : 1 - waitingRatio * Math.exp((-targetMs * waitingRatio) / waitMs);
}

/** The depth that is exceeded no more than this share of the time. */
export function depthExceeded({ waitingRatio, depth }: Forecast, ratio: number): number {
  if (depth === Number.POSITIVE_INFINITY || depth === 0) return depth;
  return Math.max(0, (depth / waitingRatio) * Math.log(waitingRatio / ratio));
}

/** The share of items that find all workers busy, if they come at random and take exponential times. */
function erlangC(offered: number, concurrency: number): number {
  let blocked = 1; // Erlang B of no worker, then of one more each
  for (let workers = 1; workers <= concurrency; workers++) {
    blocked = (offered * blocked) / (workers + offered * blocked);
  }
  return blocked / (1 - (offered / concurrency) * (1 - blocked));
}

function factor(load: Load, utilisation: number, concurrency: number, waitingRatio: number): number {
  const { arrivalVariability: arrivals, serviceVariability: service } = load;
  const c = concurrency;
  const cosmetatos = ((1 - utilisation) * (c - 1) * (Math.sqrt(4 + 5 * c) - 2)) / (16 * utilisation * c);
  // With next to no load, this is the limit.
  const correction = Math.min(cosmetatos, (c - 1) / (c + 1)) / 2;
  const usual = (arrivals + service) / 2 + Math.min(arrivals, 1) * (1 - service) * correction;
  if (arrivals >= 1 || usual === 0) return usual;
  const evenness = (1 - arrivals) ** 2 / (arrivals + service);
  return usual * Math.exp((-2 * (1 - utilisation) * evenness) / (3 * waitingRatio));
}
