import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";

const program = (name: string): string[] => ["--conditions=source", join(import.meta.dirname, name)];

test("the server answers the client, and ends by itself at Ctrl-C", async () => {
  const server = spawn(process.execPath, program("server.ts"), {
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(server, "exit");
  try {
    const [line] = (await once(createInterface({ input: server.stdout }), "line")) as [string];
    const address = line.replace("listening on ", "");
    const said = execFileSync(process.execPath, [...program("client.ts"), address], { encoding: "utf8" });
    assert.equal(said, "Hello, Ada!\n3\n2\n1\n");
  } finally {
    server.kill("SIGINT");
  }
  assert.deepEqual(await ended, [0, null]);
});
