import { createHash } from "node:crypto";

/** Returns the hash of a text in the form of `tercel.yaml`. */
export function sha256Of(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
