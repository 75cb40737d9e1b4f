export {
  type CallOptions,
  type OpenCalls,
  type OpenedCalls,
  openCallsInMemory,
  openCallsOverSocket,
  overBoth,
} from "./open-calls.ts";
export { type LoggedLine, recordingLog } from "./recording-log.ts";
