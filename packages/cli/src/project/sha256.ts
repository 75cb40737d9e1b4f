import { createHash } from "node:crypto";

/** How `tercel.yaml` writes the hash of a text. */
export function sha256Of(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
