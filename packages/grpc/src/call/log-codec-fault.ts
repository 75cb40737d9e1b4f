import { codecFaultMessage, type OnCodecFault } from "../codec/index.ts";
import type { Log } from "./log.ts";

/** Reports faults of generated protobuf code as errors in the log. */
export function logCodecFault(log: Log): OnCodecFault {
  return ({ action, typeName, error }) => log.error(codecFaultMessage, { action, type: typeName, error });
}
