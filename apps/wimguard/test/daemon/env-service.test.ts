import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { createSuiteContext } from "./cleanup.ts";
import { type DaemonInProcess, startInProcess } from "./daemon-in-process.ts";

describe("EnvService", () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  before(async () => {
    daemon = await startInProcess(context);
    writeFileSync(join(daemon.folders.source, "file"), "");
  });
  after(() => context.clean());

  it("keeps a record for each backup, the same while nothing changes, and does not delete it", async () => {
    const { source, destinations } = daemon.folders;
    const envOf = async (name: string) => {
      const { uuid } = await daemon.client.backupToEnd({ source, destination: join(destinations, name) });
      return (await daemon.client.snapshot.getSnapshot({ uuid })).envUuid;
    };
    const uuid = await envOf("a.tar");
    assert.equal(await envOf("b.tar"), uuid);
    const env = await daemon.client.env.getEnv({ uuid });
    assert.equal(env.variables.PATH, process.env.PATH);
    assert.ok(env.users.length > 0 && env.createTime !== undefined);
    await assertStatus(daemon.client.env.deleteEnv({ uuid }), Code.FailedPrecondition, { reason: "ENV_IN_USE" });
  });

  it("records the environment once for each request", async () => {
    const { env } = daemon.client;
    const { uuid } = await env.captureEnv({ requestId: "one" });
    assert.equal((await env.captureEnv({ requestId: "one" })).uuid, uuid);
    const other = await env.captureEnv({ requestId: "two" });
    assert.notEqual(other.uuid, uuid);
    const { envs, totalSize } = await env.listEnvs({ pageSize: 2 });
    assert.deepEqual([envs[0]?.uuid, envs[0]?.packages, totalSize >= 2n], [other.uuid, [], true]);
    assert.deepEqual((await env.diffEnvs({ baseUuid: uuid, otherUuid: other.uuid })).changes, []);
    process.env.WIMGUARD_TEST_VALUE = "new";
    const { changes } = await env.diffEnvs({ baseUuid: uuid });
    delete process.env.WIMGUARD_TEST_VALUE;
    assert.deepEqual(
      changes.filter(({ part }) => part === "variables").map(({ key, before: old, after: now }) => [key, old, now]),
      [["WIMGUARD_TEST_VALUE", "", "new"]],
    );
    assert.match((await env.exportEnv({ uuid, format: "sh" })).text, /^export PATH='/m);
    await env.deleteEnv({ uuid });
    await assertStatus(env.getEnv({ uuid }), Code.NotFound, { reason: "ENV_NOT_FOUND" });
  });

  for (const [what, call, field] of [
    ["an empty uuid", () => daemon.client.env.getEnv({}), "uuid"],
    ["an empty base", () => daemon.client.env.diffEnvs({}), "base_uuid"],
    ["a request id that is too long", () => daemon.client.env.captureEnv({ requestId: "x".repeat(129) }), "request_id"],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assertStatus(call(), Code.InvalidArgument, { fields: [field] });
    });
  }
});
