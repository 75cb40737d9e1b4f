import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { openCatalog } from "../src/catalog/open-catalog.ts";
import { createRowWriter } from "../src/catalog/row-writer.ts";
import { createNodeDurableFiles } from "../src/files/node-durable-files.ts";
import type { NotifyTargets } from "../src/notify/deliver.ts";
import { Notifier } from "../src/notify/notifier.ts";
import { createOutboxStore } from "../src/notify/outbox-store.ts";
import { createStateWatch } from "../src/notify/watch-state.ts";
import type { StoredRun } from "../src/runs/run-store.ts";
import type { Schedule } from "../src/schedule/schedule-item.ts";
import { startInProcess } from "./daemon/daemon-in-process.ts";

const files = createNodeDurableFiles();
const log = { debug() {}, info() {}, warn() {}, error() {} };
const minuteMs = 60_000;

describe("notifications", () => {
  let folder: string;
  let database: DatabaseSync;
  let server: Server;
  let url: string;
  let status: number;
  let received: string[];
  let nowMs: number;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "tercel-notify-"));
    database = openCatalog(join(folder, "catalogue.db"), files, () => "");
    [status, received, nowMs] = [200, [], Date.UTC(2026, 4, 1)];
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        received.push(`${request.method} ${request.url} ${body}`);
        response.writeHead(status).end();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  afterEach(async () => {
    const closed = once(server.close(), "close");
    server.closeAllConnections();
    await closed;
    database.close();
    rmSync(folder, { recursive: true });
  });

  const create = (targets: NotifyTargets): Notifier =>
    new Notifier({
      outbox: createOutboxStore(database, createRowWriter(database, files)),
      targets,
      log,
      nowMs: () => nowMs,
    });
  const run = (change: Partial<StoredRun>) =>
    ({ uuid: "u", kind: "backup", scheduleUuid: "s", subjectUuid: "u", message: "", ...change }) as StoredRun;

  it("arrive once, by webhook and command; a good backup pings", async () => {
    const path = join(folder, "told");
    const command = ["/bin/sh", "-c", `echo "$WIMGUARD_NOTIFICATION" >> '${path}'`];
    const notifier = create({ webhook: `${url}/hook`, ping: `${url}/ping`, command });
    notifier.runEnded(run({ state: "completed" }));
    notifier.runEnded(run({ state: "cancelled" }));
    notifier.runEnded(run({ state: "failed", failure: { reason: "NO_SPACE", message: "no space left" } }));
    await notifier.deliver();
    await notifier.deliver();
    const body = readFileSync(path, "utf8").trim();
    assert.deepEqual(received, ["GET /ping ", `POST /hook ${body}`]);
    assert.deepEqual(JSON.parse(body), {
      event: "failed",
      time: "2026-05-01T00:00:00.000Z",
      uuid: "u",
      kind: "backup",
      state: "failed",
      scheduleUuid: "s",
      subjectUuid: "u",
      message: "no space left",
    });
  });

  it("say what has happened", async () => {
    const notifier = create({ webhook: url });
    const failure = { reason: "ARCHIVE_DAMAGED", message: "damaged" } as const;
    notifier.runEnded(run({ state: "warned", message: "2 entries" }));
    notifier.runEnded(run({ kind: "verify", state: "failed", failure }));
    notifier.runEnded(run({ kind: "drill", state: "failed", failure: { reason: "NO_SPACE", message: "full" } }));
    await notifier.deliver();
    assert.deepEqual(
      received.map((one) => (JSON.parse(one.slice(one.indexOf("{"))) as { event: string }).event),
      ["warned", "damage", "drill_failed"],
    );
  });

  it("are tried again, less and less often, by the next daemon too, and given up after three days", async () => {
    status = 500;
    create({ webhook: url }).notify("overdue", {});
    await create({ webhook: url }).deliver();
    assert.equal(received.length, 1);
    for (const [laterMs, attempts] of [
      [29_000, 1],
      [1_000, 2],
      [59_000, 2],
      [1_000, 3],
    ] as const) {
      nowMs += laterMs;
      await create({ webhook: url }).deliver();
      assert.equal(received.length, attempts);
    }
    nowMs += 4 * 24 * 60 * minuteMs;
    await create({ webhook: url }).deliver();
    nowMs += 24 * 60 * minuteMs;
    await create({ webhook: url }).deliver();
    assert.equal(received.length, 4);
  });

  it("of what is wrong without a run come once, until it is well again", async () => {
    const notifier = create({ webhook: url });
    let isOverdue = true;
    const schedules = [{ uuid: "s", name: "nightly" } as Schedule];
    const look = createStateWatch(notifier, {
      schedules: () => schedules,
      isOverdue: () => isOverdue,
      destinations: () => [],
    });
    look();
    look();
    isOverdue = false;
    look();
    isOverdue = true;
    look();
    await notifier.deliver();
    assert.equal(received.length, 2);
    assert.match(received[0] ?? "", /"event":"overdue".+schedule nightly had no good run for too long/);
  });

  it("leave a daemon when its backups fail", async (test) => {
    const arrived = once(server, "request");
    const daemon = await startInProcess(test, { server: `    notify:\n      webhook: ${url}\n` });
    const { source, destinations } = daemon.folders;
    writeFileSync(join(source, "a"), "");
    await assert.rejects(
      daemon.client.backupToEnd({ source: join(source, "missing"), destination: join(destinations, "a.tar") }),
    );
    await arrived;
    await daemon.stop();
    assert.match(received[0] ?? "", /"event":"failed".+does not exist/);
  });
});
