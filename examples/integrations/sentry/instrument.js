import * as Sentry from "@sentry/node";

Sentry.init({
  dsn: process.env.SENTRY_DSN,
  tracesSampleRate: 1,
  // From Sentry 11 on, spans of the OpenTelemetry API, such as those of queues, are seen only with this.
  enableOpenTelemetrySetup: true,
});
