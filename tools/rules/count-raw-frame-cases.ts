// `npm run count:raw-frames`: runs the tests in which a scripted peer writes frames by hand, and counts those that pass, by file. It does not
// count the 246 that differ only in an unknown frame type. Exit code 1 if a test fails, or if there are fewer than promised.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { run } from "node:test";
import { selectTestFiles } from "../test-run/select-test-files.ts";

/** The number in docs/specs/limits.md. */
const promised = 250;
const usesScriptedPeer = /\b(?:createScriptedServer|createScriptedClient|createSocketPeer)\(/;
const differsInTypeAlone = /^ignores frames of the unknown type /;

const files = selectTestFiles(process.cwd(), ["packages/http2/test/", "packages/grpc/test/"]).files.filter((file) =>
  usesScriptedPeer.test(readFileSync(file, "utf8")),
);
const counts = new Map<string, number>();
let failed = 0;
const events = run({ files: files.map((file) => join(process.cwd(), file)), concurrency: true });
for await (const { type, data } of events) {
  if (type === "test:fail") {
    failed++;
    console.error(`failed: ${data.name} (${data.file}): ${data.details.error.cause ?? data.details.error}`);
  }
  if (type !== "test:pass" || data.details.type === "suite" || data.skip !== undefined) continue;
  if (differsInTypeAlone.test(data.name)) continue;
  const name = basename(data.file ?? "");
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
let total = 0;
for (const [name, count] of [...counts].sort(([, a], [, b]) => b - a)) {
  total += count;
  console.log(`${String(count).padStart(5)}  ${name}`);
}
console.log(
  `${String(total).padStart(5)}  cases with frames that are written by hand, ${failed} failed; ${promised} are promised`,
);
if (failed > 0 || total < promised) process.exitCode = 1;
