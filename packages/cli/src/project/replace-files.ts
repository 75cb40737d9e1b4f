import { randomUUID } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Writes files below a folder; undefined removes one. All texts are on disk before the first file is replaced, so that a full disk changes
 * nothing.
 */
export function replaceFiles(folder: string, files: ReadonlyMap<string, string | undefined>): void {
  const written: { readonly temporary: string; readonly path: string }[] = [];
  try {
    for (const [name, text] of files) {
      if (text === undefined) continue;
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      const temporary = `${path}.${randomUUID()}.tmp`;
      written.push({ temporary, path });
      writeFileSync(temporary, text);
    }
    for (const { temporary, path } of written) renameSync(temporary, path);
  } finally {
    for (const { temporary } of written) rmSync(temporary, { force: true });
  }
  for (const [name, text] of files) if (text === undefined) rmSync(join(folder, name), { force: true });
}
