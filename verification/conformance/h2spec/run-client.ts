import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { findTool } from "./find-tool.ts";

const clientFile = fileURLToPath(new URL("./client.ts", import.meta.url));

/** The number of h2spec's cases for clients. */
const cases = 57;

/**
 * h2specd gives each case three seconds, which include the start of the client and a sleep of one second, and then ends the whole run
 * without a verdict. On a busy machine that does not mean that the client failed.
 */
const attempts = 3;

/**
 * h2specd, the part of summerwind/h2spec that tests clients. It listens once for each case and starts Tercel's client for it.
 * Its exit code has no meaning, so its last line is read.
 */
export async function runH2specClient(): Promise<boolean> {
  const h2specd = findTool("h2specd");
  if (h2specd === undefined) return false;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const summary = await runOnce(h2specd);
    if (summary !== undefined) return summary === `${cases} tests, ${cases} passed, 0 skipped, 0 failed`;
    console.error("h2specd ended without a verdict");
  }
  return false;
}

/** Returns its last line; undefined if it did not get that far. */
async function runOnce(h2specd: string): Promise<string | undefined> {
  // Below the ephemeral ports, and different from other runs.
  const firstPort = 20_000 + (process.pid % 150) * 60;
  // It splits the command at spaces.
  const command = `${process.execPath} --conditions=source ${clientFile}`;
  // One second distinguishes a response from none. With more, its limit of three seconds would end the whole run.
  const arguments_ = ["--host", "127.0.0.1", "--from-port", `${firstPort}`, "--timeout", "1", "--strict"];
  const test = spawn(h2specd, [...arguments_, "--exec", command], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(test, "exit");
  let summary: string | undefined;
  for await (const line of createInterface({ input: test.stdout })) {
    // At its end it closes its listeners while it still accepts from them.
    if (line.includes("use of closed network connection")) continue;
    console.log(line);
    if (/^\d+ tests, /.test(line)) summary = line;
  }
  await ended;
  return summary;
}
