import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runProgram, startProgram } from "@tercel/test-support/programs";

const file = (name: string): string => join(import.meta.dirname, name);

test("a client finds instances by the name of the service, calls them in turn, and continues with one when the other dies", async (t) => {
  const start = async (name: string, args: string[] = []) => {
    const program = startProgram(t, file(name), args, { PORT: "0" });
    return { program, line: await program.line() };
  };
  const registry = await start("registry.ts");
  const target = registry.line.replace("registry on ", "");
  const one = await start("instance.ts", ["one", target]);
  const ask = (calls: number) => runProgram(file("client.ts"), [String(calls), target]).split("\n");
  assert.deepEqual(ask(2), ["one", "one", ""]);
  const two = await start("instance.ts", ["two", target]);
  // Round robin, once both are connected: so many calls reach each of them.
  assert.deepEqual([...new Set(ask(300))].sort(), ["", "one", "two"]);
  // The registry does not notice, and lists the instance until its lease expires.
  one.program.signal("SIGKILL");
  await one.program.ended;
  assert.deepEqual(ask(3), ["two", "two", "two", ""]);
  for (const { program } of [two, registry]) {
    program.signal("SIGINT");
    assert.deepEqual(await program.ended, [0, null]);
  }
});
