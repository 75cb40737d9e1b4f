import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UsageError } from "../options.ts";
import type { BenchDocument } from "./document.ts";

/** Writes the document whole or not at all, so that a run which is ended meanwhile leaves what was there. */
export function writeDocument(file: string, document: BenchDocument): void {
  mkdirSync(dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, `${JSON.stringify(document, null, 2)}\n`);
  renameSync(partial, file);
}

/** @throws UsageError when the file is missing, or is not what `--json`, `--into` or `publish` writes */
export function readDocument(file: string): BenchDocument {
  if (!existsSync(file)) {
    throw new UsageError(
      `${file} does not exist; npm run bench -- --into FILE writes one, npm run bench -- publish the one of the README.`,
    );
  }
  try {
    const document = JSON.parse(readFileSync(file, "utf8")) as BenchDocument;
    const hasParts =
      Array.isArray(document.cases) && typeof document.commit === "string" && typeof document.versions === "object";
    if (hasParts) return document;
  } catch {
    // It is refused below.
  }
  throw new UsageError(`${file} is not a document of npm run bench.`);
}
