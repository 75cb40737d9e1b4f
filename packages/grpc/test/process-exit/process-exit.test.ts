import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { bundleProgram } from "@tercel/test-support/bundled-programs";
import { startGoPeer, withoutGo } from "@tercel/test-support/peers";
import { type StartedProgram, startProgram } from "@tercel/test-support/programs";
import { freePorts } from "@tercel/test-support/servers";

const program = (name: string): string => bundleProgram(join(import.meta.dirname, name));

const peers: readonly { name: string; skip: string | false; start(t: TestContext): StartedProgram }[] = [
  { name: "our own server", skip: false, start: (t) => startProgram(t, program("../support/health-server.ts")) },
  { name: "a grpc-js server", skip: false, start: (t) => startProgram(t, program("grpc-js-server.ts")) },
  { name: "a grpc-go server", skip: withoutGo, start: (t) => startGoPeer(t, "health-server") },
];

async function portOf(server: StartedProgram): Promise<number> {
  return JSON.parse(await server.line()).port;
}

/** The client ends by itself, without an error, at once. */
async function assertExits(client: StartedProgram): Promise<void> {
  const lifeMs = Number(await client.line());
  assert.deepEqual(await client.ended, [0, null]);
  assert.ok(lifeMs < 1000, `the process lived ${lifeMs} ms after its last call`);
}

for (const { name, skip, start } of peers) {
  describe(`a client of ${name} that never closes its channel`, { skip }, () => {
    for (const mode of ["call", "busy"]) {
      const how = mode === "busy" ? ", with pings, a health watch and ejection in the background" : "";
      test(`exits after its call${how}`, async (t) => {
        const client = startProgram(t, program("client.ts"), [mode, `dns:///localhost:${await portOf(start(t))}`]);
        assert.equal(await client.line(), "answered 1");
        await assertExits(client);
      });
    }

    test("stays until its stream ends, and exits then", async (t) => {
      const server = start(t);
      const client = startProgram(t, program("client.ts"), ["watch", `127.0.0.1:${await portOf(server)}`]);
      assert.equal(await client.line(), "open 1");
      server.signal("SIGKILL");
      assert.equal(await client.line(), "ended");
      await assertExits(client);
    });
  });
}

test("a client that closes its channel stays until the channel is closed", async (t) => {
  const server = startProgram(t, program("../support/health-server.ts"));
  const client = startProgram(t, program("client.ts"), ["close", `127.0.0.1:${await portOf(server)}`]);
  assert.equal(await client.line(), "answered 1");
  assert.equal(await client.line(), "closed");
  await assertExits(client);
});

test("a client that waits for a server stays until the server has started, and exits after its call", async (t) => {
  const [port] = await freePorts(1);
  const client = startProgram(t, program("client.ts"), ["wait", `127.0.0.1:${port}`]);
  assert.equal(await client.line(), "refused");
  startProgram(t, program("../support/health-server.ts"), [String(port)]);
  assert.equal(await client.line(), "answered 1");
  await assertExits(client);
});
