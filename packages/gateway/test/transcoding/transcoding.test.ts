import assert from "node:assert/strict";
import { Agent } from "node:http";
import { after, before, describe, it } from "node:test";
import type { Server } from "@tercel/grpc";
import { playRow } from "./play-row.ts";
import { rows } from "./rows.ts";
import { startTranscoding } from "./service.ts";

describe("a request over REST", () => {
  const agent = new Agent({ keepAlive: true });
  let server: Server;
  let port = 0;
  before(async () => {
    ({ server, port } = await startTranscoding());
  });
  after(async () => {
    agent.destroy();
    await server.close({ deadlineMs: 0 });
  });

  it("has a unique name in the table", () => {
    const names = Object.values(rows).flatMap((some) => some.map(({ name }) => name));
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.length >= 200);
  });

  for (const [about, some] of Object.entries(rows)) {
    describe(`in the table of ${about}`, () => {
      for (const row of some) {
        it(row.name, async () => assert.deepEqual(await playRow(port, agent, row), row.response));
      }
    });
  }
});
