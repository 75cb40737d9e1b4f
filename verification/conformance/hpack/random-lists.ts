import { Random } from "../../harness/random.ts";

/** Generates header lists, the same in each run, so that a failure can be reproduced. */
export class RandomLists extends Random {
  /** Generates fields that are valid in any message: some of the static table, some repeated, some unique. */
  fields(): string[] {
    const fields: string[] = [];
    for (let left = this.below(12); left > 0; left--) {
      const name = this.name();
      // The other side would join or drop some repeated fields before the application.
      if (!fields.includes(name)) fields.push(name, this.value());
    }
    return fields;
  }

  private name(): string {
    const known = ["accept", "content-type", "user-agent", "authorization", "x-request-id", "trace-bin", "etag", "x"];
    if (this.below(3) > 0) return known[this.below(known.length)] as string;
    return `custom-${"y".repeat(this.below(4) === 0 ? 100 : 3)}-${this.below(60)}`;
  }

  private value(): string {
    const known = ["*/*", "gzip, deflate", "application/json", "", "0"];
    if (this.below(2) === 0) return known[this.below(known.length)] as string;
    const length = this.below(10) === 0 ? this.below(900) : this.below(40);
    const readable = this.below(3) > 0;
    const bytes = Array.from({ length }, () => (readable ? 0x61 + this.below(26) : 0x21 + this.below(0x5e)));
    return String.fromCharCode(...bytes);
  }
}
