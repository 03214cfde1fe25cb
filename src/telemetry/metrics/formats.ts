/** How metrics are written: the text format of Prometheus, or OpenMetrics, which has exemplars. */
export type Format = "text" | "openmetrics";

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** How a request wants metrics, by its `Accept` header: text, unless that names OpenMetrics, and likes it no less. */
export function formatFor(accept: string | undefined): Format {
  let text = 0;
  let openMetrics = 0;
  for (const range of (accept ?? "").toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const quality = qualityOf(parameters);
    if (type === "application/openmetrics-text") {
      if (isOurVersion(parameters)) openMetrics = Math.max(openMetrics, quality);
    } else if (type === "text/plain" || type === "text/*" || type === "*/*") {
      text = Math.max(text, quality);
    }
  }
  return openMetrics > 0 && openMetrics >= text ? "openmetrics" : "text";
}

/** Of one that can't be understood: 0. */
function qualityOf(parameters: readonly string[]): number {
  const given = parameters.find((each) => /^q\s*=/.test(each));
  if (given === undefined) return 1;
  const quality = Number(given.slice(given.indexOf("=") + 1).trim() || Number.NaN);
  return quality >= 0 && quality <= 1 ? quality : 0;
}

function isOurVersion(parameters: readonly string[]): boolean {
  const given = parameters.find((each) => /^version\s*=/.test(each));
  if (given === undefined) return true;
  return (
    given
      .slice(given.indexOf("=") + 1)
      .trim()
      .replaceAll('"', "") === "1.0.0"
  );
}
