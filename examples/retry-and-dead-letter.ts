// A failing handler stops nothing and loses nothing. What may succeed later comes back after a pause, which holds no worker; what can't
// is put aside at once, and so is what has used up its attempts. An operator looks at the dead letters and puts them back.
import { FifoQueue, WorkerPool } from "queuescope";

interface Mail {
  readonly to: string;
}
class BadAddress extends Error {}

let isServerUp = false;
const deliver = async ({ to }: Mail) => {
  if (!to.includes("@")) throw new BadAddress(`"${to}" is no address`);
  if (to.endsWith("@down.example") && !isServerUp) throw new Error("no answer");
  return `delivered to ${to}`;
};

const mails = new FifoQueue<Mail>({ capacity: 1_000 });
const dead = new FifoQueue<Mail>();
const pool = new WorkerPool(
  mails,
  async (mail, task) => console.log(`${await deliver(mail)}, attempt ${task.attempt}`),
  {
    name: "mails",
    retry: { attempts: 3, backoff: { initialMs: 10, maxMs: 1_000 } },
    onFailed: (_mail, error) => (error instanceof BadAddress ? "dead-letter" : "retry"),
    deadLetter: dead,
  },
);
pool.on("failed", ({ item, error, task, verdict }) => {
  console.log(`${item.to}: attempt ${task.attempt} failed (${(error as Error).message}): ${verdict}`);
});

for (const to of ["ann@up.example", "bob@down.example", "nowhere"]) await mails.put({ to });
await mails.join();
console.log(`dead letters: ${dead.size}`);

isServerUp = true;
for (let mail = dead.tryGet(); mail !== undefined; mail = dead.tryGet()) {
  if (mail.to.includes("@")) await mails.put(mail);
}
const report = await pool.drain();
console.log(`at the end: ${report.done} more delivered, ${report.leftOver.count} left over`);
