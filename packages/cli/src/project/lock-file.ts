import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { sha256Of } from "./sha256.ts";

export const lockFile = "tercel.lock";

const head = `# The last version of each file that Tercel manages. tercel upgrade and tercel add compare your files with it: commit it, and do not edit it.
`;

/** Returns the text of `tercel.lock`. */
export function formatLock(managed: ReadonlyMap<string, string>): string {
  const document = { version: 1, files: Object.fromEntries(managed) };
  return `${head}${stringify(document, { lineWidth: 0, blockQuote: "literal" })}`;
}

/**
 * Reads the last version that Tercel wrote of each file, if it matches the hash in `tercel.yaml`. Lost or wrongly merged texts are skipped: a
 * conflict in a file is better than a wrong change.
 */
export function readLock(folder: string, hashes: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const path = join(folder, lockFile);
  if (!existsSync(path)) return new Map();
  const { files } = parseLock(readFileSync(path, "utf8"));
  return new Map(
    Object.entries(files).flatMap(([name, text]) =>
      typeof text === "string" && sha256Of(text) === hashes.get(name) ? [[name, text] as const] : [],
    ),
  );
}

function parseLock(text: string): { readonly files: Readonly<Record<string, unknown>> } {
  try {
    const document = parse(text) as { readonly files?: Readonly<Record<string, unknown>> } | null;
    return { files: document?.files ?? {} };
  } catch {
    return { files: {} };
  }
}
