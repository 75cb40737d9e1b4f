import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, test } from "node:test";

const program = (name: string): string[] => ["--conditions=source", join(import.meta.dirname, name)];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) await end(child, "SIGKILL");
});

async function start(name: string, args: string[] = []): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, [...program(name), ...args], {
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, line };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<unknown[]> {
  if (child.exitCode !== null || child.signalCode !== null) return [child.exitCode, child.signalCode];
  const ended = once(child, "exit");
  child.kill(signal);
  return ended;
}

test("a client finds instances by the service's name, calls them in turn, and is left with one when the other dies", async () => {
  const registry = await start("registry.ts");
  const target = registry.line.replace("registry on ", "");
  const one = await start("instance.ts", ["one", target]);
  const ask = (calls: number) =>
    execFileSync(process.execPath, [...program("client.ts"), String(calls), target], { encoding: "utf8" }).split("\n");
  assert.deepEqual(ask(2), ["one", "one", ""]);
  const two = await start("instance.ts", ["two", target]);
  // Round robin, once both are connected: among so many calls none is left out.
  assert.deepEqual([...new Set(ask(300))].sort(), ["", "one", "two"]);
  // Without a word to the registry, which still tells of it until its lease is over.
  await end(one.child, "SIGKILL");
  assert.deepEqual(ask(3), ["two", "two", "two", ""]);
  assert.deepEqual(await end(two.child, "SIGINT"), [0, null]);
  assert.deepEqual(await end(registry.child, "SIGINT"), [0, null]);
});
