/** The address of a trace, by the template of `traceUrl`. Undefined where there is none that a browser should follow. */
export function traceHref(template: string | undefined, traceId: string): string | undefined {
  if (template === undefined) return undefined;
  try {
    const url = new URL(template.replaceAll("{traceId}", encodeURIComponent(traceId)));
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}
