import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { startVanguardPeer, withoutGo } from "@tercel/test-support/peers";
import { Transcoding } from "../gen/tercel/gateway/transcoding/v1/transcoding_pb.ts";
import { playRow } from "./play-row.ts";
import type { Expected } from "./row.ts";
import { rows } from "./rows.ts";
import { startTranscoding } from "./service.ts";
import { differences } from "./vanguard-differences.ts";

const root = join(import.meta.dirname, "..", "..", "..", "..");

describe("vanguard-go with the same handlers", { skip: withoutGo, timeout: 290_000 }, () => {
  it("gives the same responses as the gateway, except for the listed differences", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-vanguard-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const descriptorSet = join(folder, "api.binpb");
    execFileSync(join(root, "node_modules", ".bin", "buf"), ["build", "-o", descriptorSet], {
      cwd: join(root, "packages", "gateway"),
    });
    const { server, port } = await startTranscoding();
    t.after(() => server.close({ deadlineMs: 0 }));
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    const start = async () => Number(await startVanguardPeer(t, port, descriptorSet, Transcoding.typeName).line());
    let vanguard = await start();
    const listed = new Map(differences.flatMap((one) => Object.entries(one.rows)));
    assert.equal(listed.size, differences.flatMap((one) => Object.keys(one.rows)).length, "a row has one reason");
    const found = new Map<string, unknown>();
    for (const row of Object.values(rows).flat()) {
      // A request that crashes its process gets no response.
      const theirs = await playRow(vanguard, agent, row).catch(() => undefined);
      if (theirs === undefined) vanguard = await start();
      if (!isDeepStrictEqual(theirs, row.response)) found.set(row.name, shown(theirs, row.response));
    }
    assert.deepEqual(Object.fromEntries(found), Object.fromEntries(listed));
  });
});

/** The form of an entry in the list of differences. */
function shown(theirs: Expected | undefined, ours: Expected): unknown {
  if (theirs === undefined) return "crashed";
  if (theirs.status !== ours.status) return theirs.status;
  const parts = ["error", "json", "text", "headers"] as const;
  const differing = parts.find((part) => !isDeepStrictEqual(theirs[part], ours[part]));
  return differing === undefined ? undefined : theirs[differing];
}
