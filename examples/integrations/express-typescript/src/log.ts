import pino from "pino";
import { currentCorrelationId } from "queuescope";

export const log = pino({ mixin: () => ({ correlation_id: currentCorrelationId() }) });
