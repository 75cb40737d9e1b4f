import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { connect } from "../../src/client/connect.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { createAccess } from "../../src/daemon/access.ts";
import { mintToken, type Role } from "../../src/token/token.ts";
import { linesOf, wimguard } from "../command/run-command.ts";
import { afterwards, type CleanupContext } from "./cleanup.ts";
import { type DaemonInProcess, startInProcess, writeConfig } from "./daemon-in-process.ts";
import { makeFolders } from "./daemon-process.ts";

const noLog = { debug() {}, info() {}, warn() {}, error() {} };
const apps = `    apps:
      - { id: monitoring, secret: secret of monitoring, role: reader }
      - { id: scripts, secret: secret of scripts }
`;

describe("other installations", () => {
  async function connectAs(
    context: CleanupContext,
    daemon: DaemonInProcess,
    app: [id: string, secret: string],
    role: Role,
  ) {
    const [appID, appSecret] = app;
    const token = await mintToken({ appID, appSecret }, { role, ttlMs: 60_000 });
    const client = await connect(daemon.address, { token });
    afterwards(context, () => client.close());
    return client;
  }

  it("call with tokens of their own, which can do what their role can at most", async (test) => {
    const daemon = await startInProcess(test, { server: apps });
    const monitoring = await connectAs(test, daemon, ["monitoring", "secret of monitoring"], "reader");
    assert.equal((await monitoring.backup.listBackups({})).total, 0);
    await assertStatus(monitoring.env.captureEnv({}), Code.PermissionDenied);
    const scripts = await connectAs(test, daemon, ["scripts", "secret of scripts"], "operator");
    await scripts.env.captureEnv({});
    // Who knows a secret can mint any role.
    const greedy = await connectAs(test, daemon, ["scripts", "secret of scripts"], "admin");
    await assertStatus(greedy.backup.deleteBackup({ uuid: "x" }), Code.PermissionDenied);
    await assertStatus(daemon.client.backup.deleteBackup({ uuid: "x" }), Code.NotFound);
  });

  it("cannot call in the name of another", async (test) => {
    const daemon = await startInProcess(test, { server: apps });
    for (const app of [
      ["test", "secret of scripts"],
      ["scripts", "secret of monitoring"],
      ["monitoring", "a secret for a test"],
      ["unknown", "secret of scripts"],
    ] as [string, string][]) {
      const client = await connectAs(test, daemon, app, "reader");
      await assertStatus(client.backup.listBackups({}), Code.Unauthenticated, { reason: "TOKEN_INVALID" });
    }
    const garbled = await connect(daemon.address, { token: "a.b.c" });
    afterwards(test, () => garbled.close());
    await assertStatus(garbled.backup.listBackups({}), Code.Unauthenticated);
  });

  it("have ids of their own, known roles, and secrets that are not shown", async (test) => {
    const { data } = makeFolders(test);
    writeConfig(data, apps);
    const shown = await wimguard("config", "show", "--dir", data);
    assert.ok(shown.out.includes("monitoring") && !/secret of|a secret for/.test(shown.out), shown.out);
    const json = JSON.stringify(linesOf(await wimguard("config", "show", "--dir", data, "--json")));
    assert.ok(json.includes("monitoring") && !/secret of|a secret for/.test(json), json);
    for (const [wrong, problem] of [
      [apps.replace("id: scripts", "id: monitoring"), /duplicate app id/],
      [apps.replace("role: reader", "role: root"), /expected one of reader, operator, admin/],
    ] as const) {
      writeConfig(data, wrong);
      await assert.rejects(loadConfig(join(data, "config.yaml")), problem);
    }
    writeConfig(data, apps.replace("id: scripts", "id: test"));
    const config = await loadConfig(join(data, "config.yaml"));
    assert.throws(
      () => createAccess(config, [], noLog),
      /duplicate id test: it is the appID of this installation; choose another id for the app/,
    );
  });
});
