import { PriorityQueue, instrument, metricProducer } from "./src/index.js";
import { pointsInText } from "./src/telemetry/metrics/text.js";
import { INSTRUMENTS } from "./src/telemetry/metrics/instruments.js";
metricProducer();
const keep = [];
for (let i = 0; i < 1000; i++) { const q = instrument(new PriorityQueue({ capacity: 1000, tiers: { a: 0, b: 1, c: 2, d: 3, e: 4 } }), { name: "queue-" + i, traces: "never", sla: { default: { targetMs: 500, objective: .99 } } }); keep.push(q); for (const t of "abcde") q.tryPut({ i }, { tier: t as any }); q.tryGet(); }
const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1000; };
for (const how of ["strings", "flatten", "utf8", "latin1", "perf"]) { const best = []; for (let r = 0; r < 5; r++) { const per: any = {}; let n = 0; const c = cpu(); for (const name of Object.keys(INSTRUMENTS)) { const c1 = cpu(); for (const t of pointsInText(name as any, 'otel_scope_name="queuescope",otel_scope_version="0.1.0"')) { if (how === "flatten") Number(t); else if (how === "utf8" || how === "perf") n += Buffer.from(t).length; else if (how === "latin1") n += Buffer.from(t, "latin1").length; else n += t.length; } per[name] = cpu() - c1; } best.push(cpu() - c); if (r === 4 && how === "perf") console.log(Object.entries(per).sort((a: any, b: any) => b[1] - a[1]).slice(0, 12).map(([k, v]: any) => k + " " + v.toFixed(1)).join(", ")); } console.log(how, best.map(x => x.toFixed(0)).join(" ")); }
process.exit();
