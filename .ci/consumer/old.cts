import { FifoQueue } from "queuescope";
import { startTelemetry } from "queuescope/sdk";
import { adapterConformance } from "queuescope/testing";
import { inThreads } from "queuescope/threads";

export const size: number = new FifoQueue<string>().size;
export const all = [startTelemetry, adapterConformance, inThreads];
