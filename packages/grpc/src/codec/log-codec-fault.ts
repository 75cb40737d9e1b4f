import type { Log } from "../logging/log.ts";
import { codecFaultMessage, type OnCodecFault } from "./index.ts";

/** Reports faults of generated protobuf code as errors in the log. */
export function logCodecFault(log: Log): OnCodecFault {
  return ({ action, typeName, error }) => log.error(codecFaultMessage, { action, type: typeName, error });
}
