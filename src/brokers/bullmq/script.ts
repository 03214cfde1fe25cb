/** How many jobs of one lane are looked at for one whose age is certain. */
const MAX_LANE = 8;
/** How many priorities are looked at, the least urgent ones, whose jobs wait longest. */
const MAX_PRIORITIES = 100;
/** How many schedulers are looked at whose next job is due. */
const MAX_SCHEDULERS = 50;

/** How many jobs that are worked on are looked at for one whose lock holds. */
const MAX_LOCKS = 20;

/** What the script takes as keys, by what BullMQ calls them; its one argument is what all keys of the queue begin with. */
export const KEYS = [
  "wait",
  "paused",
  "active",
  "delayed",
  "prioritized",
  "meta",
  "limiter",
  "repeat",
] as const;

/**
 * Reads all that is to be known of a queue, in one step and without writing: a fraction of a millisecond, however many wait. New jobs come in at a list's
 * left end and are taken from its right one, where LIFO jobs come in, too. So the oldest are at the right end, or where the LIFO jobs
 * begin, which is found by bisection. Of each priority, the oldest is the one with the least count, which stands in the lower 32 bits of the
 * score. Delayed jobs have their time in milliseconds, times 4,096.
 */
export const SCRIPT = `
local wait, paused, active, delayed, prioritized, meta, limiter, schedulers = unpack(KEYS)
local prefix = ARGV[1]
local call = redis.call
local time = call("TIME")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local lanes = {}

local function exact(number)
  return string.format("%.0f", number)
end

local function read(id)
  local key = prefix .. id
  local job = call("HMGET", key, "timestamp", "ats", "atm", "processedOn", "opts")
  local hasWaitedForChildren = call("EXISTS", key .. ":processed", key .. ":failed", key .. ":unsuccessful") > 0
  local ok, opts = pcall(cjson.decode, job[5] or "{}")
  if not ok or type(opts) ~= "table" then opts = {} end
  return {
    timestamp = tonumber(job[1]), started = tonumber(job[2]) or 0, failed = tonumber(job[3]) or 0,
    processedOn = tonumber(job[4]), delay = opts.delay, backoff = opts.backoff, isParent = hasWaitedForChildren
  }
end

local function look(ids)
  local lane = {}
  for i = 1, #ids do
    lane[i] = read(ids[i])
    if lane[i].timestamp and lane[i].started == 0 and not lane[i].isParent then break end
  end
  if #lane > 0 then lanes[#lanes + 1] = lane end
end

local function isLifo(list, index)
  local id = call("LINDEX", list, index)
  local opts = id and call("HGET", prefix .. id, "opts")
  return opts and string.find(opts, '"lifo":true', 1, true) ~= nil
end

local function lookAtList(list)
  local length = call("LLEN", list)
  -- What BullMQ 4 kept there as a marker is no job.
  if length > 0 and string.sub(call("LINDEX", list, -1), 1, 2) == "0:" then length = length - 1 end
  if length == 0 then return 0 end
  local last = length - 1
  if isLifo(list, last) then
    local low, high = 0, last
    while low < high do
      local middle = math.floor((low + high) / 2)
      if isLifo(list, middle) then high = middle else low = middle + 1 end
    end
    look(call("LRANGE", list, low, math.min(last, low + ${MAX_LANE - 1})))
    last = low - 1
  end
  if last >= 0 then
    local ids = call("LRANGE", list, math.max(0, last - ${MAX_LANE - 1}), last)
    local oldestFirst = {}
    for i = #ids, 1, -1 do oldestFirst[#oldestFirst + 1] = ids[i] end
    look(oldestFirst)
  end
  return length
end

local function lookAtPriorities()
  local below = "+inf"
  for _ = 1, ${MAX_PRIORITIES} do
    local last = call("ZREVRANGEBYSCORE", prioritized, below, "-inf", "WITHSCORES", "LIMIT", 0, 1)
    if #last == 0 then return end
    local least = math.floor(tonumber(last[2]) / 4294967296) * 4294967296
    below = "(" .. exact(least)
    look(call("ZRANGEBYSCORE", prioritized, exact(least), "(" .. exact(least + 4294967296), "LIMIT", 0, ${MAX_LANE}))
  end
end

-- A scheduler whose next job is due has that job among the jobs, not finished, unless it has come to its own end.
local function deadSince()
  local due = call("ZRANGEBYSCORE", schedulers, "-inf", exact(now), "WITHSCORES", "LIMIT", 0, ${MAX_SCHEDULERS})
  for i = 1, #due, 2 do
    local scheduler = schedulers .. ":" .. due[i]
    local facts = call("HMGET", scheduler, "ic", "limit", "endDate")
    local count, limit, ends = tonumber(facts[1]), tonumber(facts[2]), tonumber(facts[3])
    local isOver = not count or (limit and count >= limit) or (ends and ends <= now)
    if not isOver then
      local job = call("HMGET", scheduler .. ":" .. exact(tonumber(due[i + 1])), "timestamp", "finishedOn")
      if not job[1] or job[2] then return tonumber(due[i + 1]) end
    end
  end
end

-- A job of a worker that is gone stays active when its lock has run out.
local function isAnyLocked()
  for _, id in ipairs(call("LRANGE", active, 0, ${MAX_LOCKS - 1})) do
    if call("EXISTS", prefix .. id .. ":lock") == 1 then return true end
  end
  return call("LLEN", active) > ${MAX_LOCKS}
end

local dueScore = exact(now * 4096 + 4095)
local first = call("ZRANGE", delayed, 0, 0, "WITHSCORES")
local dueAt = first[2] and math.floor(tonumber(first[2]) / 4096)
local settings = call("HMGET", meta, "paused", "concurrency", "max")
local answer = {
  now = now,
  waiting = lookAtList(wait) + lookAtList(paused),
  prioritized = call("ZCARD", prioritized),
  active = call("LLEN", active),
  isAnyLocked = isAnyLocked(),
  delayed = call("ZCARD", delayed),
  due = call("ZCOUNT", delayed, "-inf", dueScore),
  dueAt = dueAt,
  isPaused = settings[1] and true or false,
  concurrency = tonumber(settings[2]),
  max = tonumber(settings[3]),
  limited = tonumber(call("GET", limiter) or 0),
  limitedForMs = call("PTTL", limiter),
  deadSince = deadSince()
}
lookAtPriorities()
if #lanes > 0 then answer.lanes = lanes end
return cjson.encode(answer)
`;

/** What is read of a job that waits. */
export interface WaitingJob {
  readonly timestamp?: number;
  /** How often it was taken, and how often it failed. */
  readonly started: number;
  readonly failed: number;
  readonly processedOn?: number;
  readonly delay?: unknown;
  readonly backoff?: unknown;
  /** Whether it has waited for other jobs: since when it could be taken is unknown then. */
  readonly isParent: boolean;
}

/** What the script says. Instants are epoch milliseconds. */
export interface Answer {
  readonly now: number;
  readonly waiting: number;
  readonly prioritized: number;
  readonly active: number;
  /** Whether a worker holds the lock of one of them. */
  readonly isAnyLocked: boolean;
  /** The due ones among them, too. */
  readonly delayed: number;
  readonly due: number;
  /** When the first of them is or was due. */
  readonly dueAt?: number;
  readonly isPaused: boolean;
  /** How many jobs may be active at a time, and how many may be taken in some time, over all workers. */
  readonly concurrency?: number;
  readonly max?: number;
  /** How many were taken in the present span of time; it ends after so many milliseconds. */
  readonly limited: number;
  readonly limitedForMs: number;
  readonly deadSince?: number;
  /** In each, jobs that wait in one order, about the oldest first. */
  readonly lanes?: readonly (readonly WaitingJob[])[];
}
