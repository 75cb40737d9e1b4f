/**
 * One decoded header block. Streams that sent the same bytes may share one block, so its fields must never change.
 */
export class HeaderBlock {
  /** Flat: name, value, name, value …; each string holds the bytes as latin1. */
  readonly fields: readonly string[];
  /** Size as RFC 9113 §6.5.2 counts it, name + value + 32 for each field; also counts the fields after the limit. */
  readonly listBytes: number;
  /** Number of fields; also counts those after the limit. */
  readonly fieldCount: number;
  /** The list was longer than allowed: `fields` holds only those in front of the first that did not fit. */
  readonly overLimit: boolean;
  /** Kept for the layer above: what it derived from this block, so that a recalled block needs no second look. */
  memo: unknown;

  constructor(fields: readonly string[], listBytes: number, fieldCount: number, overLimit: boolean) {
    this.fields = fields;
    this.listBytes = listBytes;
    this.fieldCount = fieldCount;
    this.overLimit = overLimit;
    this.memo = undefined;
  }
}
