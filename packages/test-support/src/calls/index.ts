export { countingGzip } from "./counting-gzip.ts";
export {
  type CallOpeners,
  type CallOptions,
  createCallOpeners,
  type OpenCalls,
  type OpenedCalls,
} from "./open-calls.ts";
export { type LoggedLine, recordingLog } from "./recording-log.ts";
