import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Returns every file of a folder; none if the folder does not exist. */
export function readInputs(folder: string): Uint8Array[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.sort().map((name) => new Uint8Array(readFileSync(join(folder, name))));
}

/** Writes an input to a file that is named after its content. Returns the file. */
export function saveInput(folder: string, prefix: string, input: Uint8Array): string {
  mkdirSync(folder, { recursive: true });
  const digest = createHash("sha256").update(input).digest("hex").slice(0, 16);
  const file = join(folder, `${prefix}${digest}`);
  writeFileSync(file, input);
  return file;
}
