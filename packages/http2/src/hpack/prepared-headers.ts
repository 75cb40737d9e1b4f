import { listBytes, maxEncodedBytes } from "./encoded-size.ts";

let created = 0;

/**
 * A header list that is sent over and over, such as a response's head or its trailers. Each encoder remembers what it
 * wrote for the list and copies that while its table does not change. Meant to be created once, not per message.
 */
export class PreparedHeaders {
  /** Flat: name, value, name, value … */
  readonly fields: readonly string[];
  /** Upper bound of what an encoder writes for the list, size updates included. */
  readonly maxEncodedBytes: number;
  /** The list's size as RFC 9113 §6.5.2 counts it. */
  readonly listBytes: number;
  /** Tells one list from another in an encoder's memory; neighbours differ in their low bits. */
  readonly serial: number;

  constructor(fields: readonly string[]) {
    this.fields = fields;
    this.maxEncodedBytes = maxEncodedBytes(fields);
    this.listBytes = listBytes(fields);
    this.serial = created++;
  }
}
