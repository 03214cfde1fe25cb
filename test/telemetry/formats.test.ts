import { expect, it } from "vitest";
import { formatFor } from "../../src/telemetry/metrics/formats.js";

const PROMETHEUS_2 =
  "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
const PROMETHEUS_3 =
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

it.each([
  ["a Prometheus 2", PROMETHEUS_2, "openmetrics"],
  ["a Prometheus 3", PROMETHEUS_3, "openmetrics"],
  ["the name alone", "application/openmetrics-text", "openmetrics"],
  [
    "the name in capitals, with spaces",
    " Application/OpenMetrics-Text ; Version = 1.0.0 ; q = 1 ",
    "openmetrics",
  ],
  ["a version in quotes", 'application/openmetrics-text; version="1.0.0"', "openmetrics"],
  ["both alike", "text/plain, application/openmetrics-text", "openmetrics"],
  ["it and everything", "application/openmetrics-text, */*", "openmetrics"],
  ["no header", undefined, "text"],
  ["an empty header", "", "text"],
  ["curl", "*/*", "text"],
  ["a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", "text"],
  ["text only", "text/plain;version=0.0.4", "text"],
  ["rather text", "text/plain, application/openmetrics-text;q=0.9", "text"],
  ["rather everything else", "application/openmetrics-text;q=0.1, */*;q=0.2", "text"],
  ["anything but it", "application/openmetrics-text;q=0, */*", "text"],
  ["nothing at all", "application/openmetrics-text;q=0", "text"],
  ["another version", "application/openmetrics-text;version=2.0.0", "text"],
  ["only the first draft", "application/openmetrics-text;version=0.0.1,text/plain;q=0.5", "text"],
  ["a quality that is none", "application/openmetrics-text;q=high", "text"],
  ["an empty quality", "application/openmetrics-text;q=", "text"],
  ["a quality beyond 1", "application/openmetrics-text;q=7", "text"],
  ["binary only", "application/vnd.google.protobuf;encoding=delimited", "text"],
  ["a longer name", "application/openmetrics-text2", "text"],
  ["noise", ",;=,;q;version,,", "text"],
])("%s gets what it asks for", (_, accept, format) => {
  expect(formatFor(accept)).toBe(format);
});
