import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { createChannel } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";
import { assertStatus } from "@tercel/grpc/testing";
import { freePorts } from "@tercel/test-support/servers";
import { connect } from "../../src/client/connect.ts";
import { NotReachable } from "../../src/client/not-reachable.ts";
import { BackupService } from "../../src/gen/wimguard/v1/backup_pb.ts";
import { startInProcess } from "./daemon-in-process.ts";
import { makeFolders, spawnDaemon, startDaemon, tokenOf } from "./daemon-process.ts";
import { makeHeldTar } from "./held-tar.ts";
import { startBackup } from "./running-backup.ts";

function mode(path: string): number {
  return statSync(path).mode & 0o777;
}

describe("the daemon", () => {
  it("prepares its folder for this user only, with a secret of its own, and saves its address", async (test) => {
    const folders = makeFolders(test);
    chmodSync(folders.data, 0o755);
    const { address } = await startDaemon(test, { folders });
    const { data } = folders;
    assert.deepEqual(
      [mode(data), mode(join(data, "config.yaml")), mode(join(data, "wimbackup.db"))],
      [0o700, 0o600, 0o600],
    );
    const text = readFileSync(join(data, "config.yaml"), "utf8");
    assert.match(text, /appSecret: [\w-]{43}\n/);
    assert.ok(text.includes(`serverAddress: ${address.replace("127.0.0.1", "localhost")}`));
    // So a client on this machine needs to know nothing.
    const wim = await connect(undefined, { folder: data });
    await wim.close();
  });

  it("loads the printed config, takes others' permissions on it away, and warns of its secret", async (test) => {
    const folders = makeFolders(test);
    const printed = `environment: production
appID: 550e8400-e29b-41d4-a716-446655440000
appSecret: secret-key-here
service:
  server:
    port: 52730
    enabled: true
    database: wimbackup.db
  client:
    serverAddress: localhost:52730
    timeout: 30s
`;
    writeFileSync(join(folders.data, "config.yaml"), printed, { mode: 0o644 });
    const daemon = await startInProcess(test, { folders });
    assert.equal(mode(join(folders.data, "config.yaml")), 0o600);
    assert.match(daemon.log.text, /appSecret is the public sample secret/);
  });

  for (const [what, config, problem, code] of [
    ["an unknown key", "    prot: 1\n", /config\.yaml:5:5: unknown key service\.server\.prot; did you mean port\?/, 2],
    [
      "a value of another type",
      "    port: many\n",
      /config\.yaml:5:11: service\.server\.port is "many"; expected a number from 0 to 65535/,
      2,
    ],
    ["a server that is switched off", "    enabled: false\n", /service\.server\.enabled is false/, 2],
    ["another host without TLS", "    host: 0.0.0.0\n", /without TLS would send tokens in the clear/, 2],
  ] as const) {
    it(`refuses to start with ${what}, and says where`, async (test) => {
      const { data, ...folders } = makeFolders(test);
      const text = `appID: a\nappSecret: a secret of a test\nservice:\n  server:\n${config}  client: {}\n`;
      writeFileSync(join(data, "config.yaml"), text, { mode: 0o600 });
      const { ended, log } = spawnDaemon({ data, ...folders }, {});
      assert.equal(await ended, code);
      assert.match(log.text, problem);
    });
  }

  it("keeps its catalogue to itself: a second daemon says who has it, and the first runs on", async (test) => {
    const daemon = await startDaemon(test);
    const second = spawnDaemon(daemon.folders, {});
    assert.equal(await second.ended, 11);
    assert.match(
      second.log.text,
      new RegExp(
        `a daemon is already running at localhost:\\d+ \\(process id ${daemon.pid}\\): use it, or stop it first`,
      ),
    );
    await daemon.client.backup.listBackups({});
  });

  it("refuses a damaged catalogue and says what to do", async (test) => {
    const folders = makeFolders(test);
    const daemon = await startDaemon(test, { folders });
    daemon.signal("SIGTERM");
    assert.equal(await daemon.ended, 0);
    const path = join(folders.data, "wimbackup.db");
    writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 100), Buffer.alloc(8000, 0x55)]));
    const { ended, log } = spawnDaemon(folders, {});
    assert.equal(await ended, 4);
    assert.match(
      log.text,
      /the catalogue .+wimbackup\.db is damaged .+: replace it by its newest copy, .+copies\/\d{4}-\d\d-\d\d-wimbackup\.db/,
    );
    truncateSync(path, 0);
  });

  it("needs a token for everything but health, and a role that is high enough", async (test) => {
    const daemon = await startInProcess(test);
    const channel = createChannel(daemon.address);
    test.after(() => channel.close());
    const client = createClient(BackupService, channel);
    const withToken = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    assert.equal((await createClient(createHealth().service, channel).check({})).status, 1);

    await assertStatus(client.listBackups({}), Code.Unauthenticated, { reason: "TOKEN_MISSING" });
    await assertStatus(client.listBackups({}, withToken("x.y.z")), Code.Unauthenticated, { reason: "TOKEN_INVALID" });
    const past = Date.now() - 600_000;
    const expired = await tokenOf(daemon.folders, "admin", 60_000, past);
    await assertStatus(client.listBackups({}, withToken(expired)), Code.Unauthenticated, { reason: "TOKEN_EXPIRED" });
    const other = await startInProcess(test);
    const foreign = await tokenOf(other.folders, "admin");
    await assertStatus(client.listBackups({}, withToken(foreign)), Code.Unauthenticated, { reason: "TOKEN_INVALID" });

    const reader = withToken(await tokenOf(daemon.folders, "reader"));
    await client.listBackups({}, reader);
    await assertStatus(client.createBackup({ source: "/a", destination: "/b" }, reader), Code.PermissionDenied, {
      reason: "ROLE_MISSING",
    });
    const operator = withToken(await tokenOf(daemon.folders, "operator"));
    await assertStatus(client.deleteBackup({ uuid: "a" }, operator), Code.PermissionDenied, { reason: "ROLE_MISSING" });
    const admin = withToken(await tokenOf(daemon.folders, "admin"));
    await assertStatus(client.deleteBackup({ uuid: "a" }, admin), Code.NotFound);
  });

  it("answers health for each of its seven services", async (test) => {
    const daemon = await startInProcess(test);
    const channel = createChannel(daemon.address);
    test.after(() => channel.close());
    const health = createClient(createHealth().service, channel);
    const status = async (name: string) =>
      [name, (await health.check({ service: name === "" ? "" : `wimguard.v1.${name}Service` })).status] as const;
    const names = ["", "Backup", "Restore", "Snapshot", "Schedule", "Registry", "Env", "Statistics"];
    assert.deepEqual(await Promise.all(names.map(status)), [
      ["", 1],
      ["Backup", 1],
      ["Restore", 1],
      ["Snapshot", 1],
      ["Schedule", 1],
      ["Registry", 1],
      ["Env", 1],
      ["Statistics", 1],
    ]);
    await assertStatus(status("Other"), Code.NotFound);
  });

  it("shows its jobs, its archives and its calls to Prometheus, on this machine only", async (test) => {
    const [port = 0] = await freePorts(1);
    const daemon = await startInProcess(test, { server: `    metricsPort: ${port}\n` });
    const { source, destinations } = daemon.folders;
    writeFileSync(join(source, "file"), "content\n");
    const destination = join(destinations, "a.tar.zst");
    await daemon.client.backupToEnd({ source, destination });
    await daemon.log.waitFor(/"message":"backup ended"/);
    await daemon.client.registry.createDestination({ destination: { name: "disk", url: destinations } });
    await daemon.client.registry.createDestination({ destination: { name: "away", url: "/nowhere" } });
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    const text = await response.text();
    for (const line of [
      'wimguard_runs_total{kind="backup",state="completed"} 1',
      'wimguard_run_duration_seconds_count{kind="backup"} 1',
      "wimguard_queue 0",
      "wimguard_overdue 0",
      `wimguard_stored_bytes ${statSync(destination).size}`,
      'wimguard_free_bytes{destination="away"} NaN',
      'grpc_server_requests_total{service="wimguard.v1.BackupService",method="CreateBackup",status="OK"} 1',
    ]) {
      assert.ok(text.includes(`${line}\n`), `${line} is missing in\n${text}`);
    }
    assert.ok(Number(/^wimguard_free_bytes\{destination="disk"\} (\S+)$/m.exec(text)?.[1]) > 0);
    assert.ok(Number(/^wimguard_last_good_timestamp (\S+)$/m.exec(text)?.[1]) > Date.now() / 1000 - 600);
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 404);
  });

  it("copies its catalogue, and keeps space for its last writes", async (test) => {
    const { folders } = await startInProcess(test);
    const [copy = ""] = readdirSync(join(folders.data, "copies"));
    assert.match(copy, /^\d{4}-\d\d-\d\d-wimbackup\.db$/);
    assert.equal(statSync(join(folders.data, "reserve")).size, 1024 * 1024);
  });

  it("needs no token on its Unix socket, which only this user can open", async (test) => {
    const folders = makeFolders(test);
    const socket = join(folders.data, "socket");
    await startDaemon(test, { folders, args: ["--socket", socket] });
    assert.equal(mode(socket), 0o600);
    const wim = await connect(`unix:${socket}`);
    assert.equal((await wim.backup.listBackups({})).total, 0);
    await wim.close();
  });

  it("lets a backup end when it is asked to stop", async (test) => {
    const folders = makeFolders(test);
    const tar = makeHeldTar(test, folders.data);
    const daemon = await startDaemon(test, { folders, env: { PATH: tar.path } });
    const { source, destinations } = folders;
    tar.hold();
    const running = await startBackup(daemon.client, source, join(destinations, "a.tar.zst"));
    daemon.signal("SIGTERM");
    await daemon.log.waitFor(/"message":"stopping"/);
    tar.release();
    let status = "";
    for (let next = await running.updates.next(); next.done !== true; next = await running.updates.next())
      status = next.value.status;
    assert.equal(status, "completed");
    assert.equal(await daemon.ended, 0);
    assert.deepEqual(readdirSync(destinations), ["a.tar.zst"]);
    await assert.rejects(connect(daemon.address, { folder: daemon.folders.data, timeoutMs: 2000 }), NotReachable);
  });

  it("rolls a backup back when a second signal cuts the waiting short", async (test) => {
    const folders = makeFolders(test);
    const tar = makeHeldTar(test, folders.data);
    const daemon = await startDaemon(test, { folders, env: { PATH: tar.path } });
    const { source, destinations } = folders;
    tar.hold();
    const running = await startBackup(daemon.client, source, join(destinations, "a.tar.zst"));
    daemon.signal("SIGTERM");
    // A signal within half a second counts as an echo of the first.
    const timer = setInterval(() => daemon.signal("SIGTERM"), 200);
    await daemon.ended;
    clearInterval(timer);
    const next = await startInProcess(test, { folders });
    const { backup } = await next.client.backup.getBackup({ uuid: running.uuid });
    assert.match(backup?.status ?? "", /^(?:cancelled|failed)$/);
    assert.deepEqual(readdirSync(destinations), []);
  });

  it("cleans up at the next start after kill -9 in the middle of a backup and a restore", async (test) => {
    const folders = makeFolders(test);
    const tar = makeHeldTar(test, folders.data);
    const first = await startDaemon(test, { folders, env: { PATH: tar.path } });
    const { source, destinations, data } = folders;
    const kept = await first.client.backupToEnd({ source, destination: join(destinations, "kept.tar.zst") });
    tar.hold();
    const running = await startBackup(first.client, source, join(destinations, "a.tar.zst"));
    const target = join(data, "target");
    const restoring = first.client.restore.createRestore({ snapshotUuid: kept.uuid, target })[Symbol.asyncIterator]();
    for (let next = await restoring.next(); next.value?.progress?.phase !== "reading"; next = await restoring.next());
    // As after a kill in the middle of a .wim backup.
    writeFileSync(join(data, "manifests", `.${running.uuid}.scratch`), "[ExclusionList]\n");
    first.signal("SIGKILL");
    await first.ended;
    assert.equal(readdirSync(destinations).length, 2);

    tar.release();
    const second = await startInProcess(test, { folders });
    assert.deepEqual(readdirSync(destinations), ["kept.tar.zst"]);
    assert.deepEqual(
      readdirSync(data).filter((name) => name.startsWith(".wimguard")),
      [],
    );
    assert.ok(!existsSync(target));
    const { backups } = await second.client.backup.listBackups({});
    assert.deepEqual(
      backups.map(({ uuid, status }) => [uuid, status]),
      [
        [running.uuid, "failed"],
        [kept.uuid, "completed"],
      ],
    );
    assert.deepEqual(readdirSync(join(data, "manifests")), [`${kept.uuid}.jsonl.zst`]);
    assert.match(second.log.text, /recovered a backup that the previous daemon did not finish/);
    await second.client.backup.deleteBackup({ uuid: kept.uuid });
    assert.deepEqual(readdirSync(destinations), []);
  });

  it("does not start a second time over a data folder that is a file, and says so", async (test) => {
    const folders = makeFolders(test);
    rmSync(folders.data, { recursive: true });
    writeFileSync(folders.data, "");
    const { ended, log } = spawnDaemon(folders, {});
    assert.equal(await ended, 2);
    assert.match(log.text, /cannot use the data folder .+: EEXIST/);
    rmSync(folders.data);
    mkdirSync(folders.data);
  });
});
