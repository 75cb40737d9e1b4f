import { readUint31 } from "./frame-header.ts";

/** RFC 9113 §6.3: stream dependency (4) and weight (1). The scheme is deprecated: we check the shape and keep no tree. */
export const priorityBytes = 5;

/** The stream that a PRIORITY payload says it depends on. */
export function priorityDependency(bytes: Uint8Array, start: number): number {
  return readUint31(bytes, start);
}
