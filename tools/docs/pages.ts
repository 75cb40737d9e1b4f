import type { SpawnSyncReturns } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { listFiles } from "../source-files.ts";
import { type MarkdownPage, readMarkdown } from "./read-markdown.ts";

export const root = dirname(dirname(import.meta.dirname));

/** Every page of the repository, by its path. */
export const pages: ReadonlyMap<string, MarkdownPage> = new Map(
  listFiles(root)
    .filter((file) => file.endsWith(".md"))
    .map((file) => [file, readMarkdown(readFileSync(join(root, file), "utf8"))]),
);

export function describeOutcome({ status, signal, error, stdout, stderr }: SpawnSyncReturns<string>): string {
  return `exit code ${status}, signal ${signal}, ${error?.message ?? ""}\n${stdout}\n${stderr}`;
}
