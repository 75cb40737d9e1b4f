import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { findTool } from "./find-tool.ts";

const clientFile = fileURLToPath(new URL("./client.ts", import.meta.url));

/** All that summerwind/h2spec has for clients. */
const cases = 57;

/**
 * It gives a case three seconds, the start of the client and a second of its own sleep included, and then ends the whole run
 * without a verdict. On a busy machine that says nothing of the client.
 */
const attempts = 3;

/**
 * h2specd, the half of summerwind/h2spec that tests clients: it listens once for each case and starts our client for it.
 * Its exit code says nothing, so its last line is read.
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

/** Its last line; undefined when it did not come so far. */
async function runOnce(h2specd: string): Promise<string | undefined> {
  // Below the ports that systems hand out, and apart from other runs.
  const firstPort = 20_000 + (process.pid % 150) * 60;
  // It splits the command at blanks.
  const command = `${process.execPath} --conditions=source ${clientFile}`;
  // One second distinguishes a response from none; with more its own limit of three seconds ends the whole run.
  const arguments_ = ["--host", "127.0.0.1", "--from-port", `${firstPort}`, "--timeout", "1", "--strict"];
  const test = spawn(h2specd, [...arguments_, "--exec", command], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(test, "exit");
  let summary: string | undefined;
  for await (const line of createInterface({ input: test.stdout })) {
    // At its end it closes its listeners under those who accept from them.
    if (line.includes("use of closed network connection")) continue;
    console.log(line);
    if (/^\d+ tests, /.test(line)) summary = line;
  }
  await ended;
  return summary;
}
