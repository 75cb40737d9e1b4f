#!/usr/bin/env node
// `npm create tercel user-service` is `tercel new user-service`, by the tercel that npm has fetched with this package.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const manifest = createRequire(import.meta.url).resolve("tercel/package.json");
const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly bin: { readonly tercel: string } };
const program = join(dirname(manifest), bin.tercel);
const { status, signal } = spawnSync(process.execPath, [program, "new", ...process.argv.slice(2)], {
  stdio: "inherit",
});
// Whoever waits for this process learns what has ended the other one.
if (signal !== null) process.kill(process.pid, signal);
process.exitCode = status ?? 1;
