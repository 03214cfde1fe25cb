/** Units that OpenMetrics writes out, as they stand at the end of names. */
const UNITS: Readonly<Record<string, string>> = { s: "seconds", By: "bytes" };

/**
 * A family in the text format of Prometheus, its head first, as OpenMetrics has it: a counter is called as it is without `_total`, a unit is
 * the end of the name or is left out, quotes are escaped, and bounds are written as numbers with a point.
 */
export function inOpenMetrics(family: string): string {
  const head = /^(?:#.*\n)*/.exec(family)![0];
  const [, fullName, textType] = /^# TYPE (\S+) (\S+)$/m.exec(head) ?? [];
  if (fullName === undefined) return "";
  const isTarget = fullName === "target_info";
  const type = isTarget ? "info" : textType === "untyped" ? "unknown" : textType;
  const suffix = { counter: "_total", info: "_info" }[type!];
  const name =
    suffix !== undefined && fullName.endsWith(suffix) ? fullName.slice(0, -suffix.length) : fullName;
  const lines = [`# TYPE ${name} ${type}`];
  const textUnit = /^# UNIT \S+ (.*)$/m.exec(head)?.[1];
  const unit = textUnit === undefined ? undefined : (UNITS[textUnit] ?? textUnit);
  if (unit !== undefined && name.endsWith(`_${unit}`)) lines.push(`# UNIT ${name} ${unit}`);
  const help = /^# HELP \S+ (.*)$/m.exec(head)?.[1];
  if (help !== undefined) lines.push(`# HELP ${name} ${help.replaceAll('"', '\\"')}`);
  const points = family.slice(head.length);
  return `${lines.join("\n")}\n${type === "histogram" ? points.replace(WHOLE_BOUND, "$1.0$2") : points}`;
}

/** The bound of a bucket, which is the last label, if it is a whole number. No value of a label has quotes that aren't escaped. */
const WHOLE_BOUND = /([{,]le="-?\d+)("\} )/g;
