import { currentCorrelationId } from "queuescope";

export default (n) => `${2 * n} for ${currentCorrelationId()}`;
