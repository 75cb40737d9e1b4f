import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("applies limits by method, and refuses an invalid config with its position", () => {
  const program = join(import.meta.dirname, "main.ts");
  const said = execFileSync(process.execPath, ["--conditions=source", program], { encoding: "utf8", timeout: 60_000 });
  const expected = [
    "status 1",
    "ConnectError: [resource_exhausted] a message of 102 bytes is over the limit of 64 for sending",
    "status 1",
    'TypeError: createChannel: serviceConfig.methodConfig[0].timeout is "1 second"; it has to be a duration such as "1.5s"',
  ];
  assert.deepEqual(said.trimEnd().split("\n"), expected);
});
