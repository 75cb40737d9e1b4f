import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { Int32ValueSchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { createChannel, systemClock } from "@tercel/grpc";
import { bundleProgram } from "@tercel/test-support/bundled-programs";
import { type StartedProgram, startProgram } from "@tercel/test-support/programs";
import { freePorts } from "@tercel/test-support/servers";
import sql from "sql-template-tag";
import { openSqlite } from "../../src/database/sqlite/sqlite-database.ts";
import { createEvents } from "../../src/events/events.ts";
import { createRemoteHub } from "../../src/events/hub/remote-hub.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const total = 48;
/** After so many events one of the processes is killed, in turn. */
const killEvery = 12;

it("loses no event and takes none twice when hub and handlers are killed in turn", { timeout: 180_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-killed-"));
  const [port = 0] = await freePorts(1);
  const program = (name: string) => bundleProgram(join(import.meta.dirname, name));
  const startHub = () => started(startProgram(t, program("hub-program.ts"), [join(folder, "hub.db"), String(port)]));
  const startWorker = () =>
    started(startProgram(t, program("worker-program.ts"), [join(folder, "worker.db"), String(port)]));
  let hub = await startHub();
  let worker = await startWorker();

  const clock = systemClock;
  const database = await openSqlite({ path: join(folder, "publisher.db") }, { name: "main", clock });
  const transport = createChannel(`127.0.0.1:${port}`);
  const broker = createRemoteHub({ transport, description: "hub", clock, log });
  const running = createEvents({ broker, database, clock, log });
  const counts: number[] = [];
  let onCount = (): void => {};
  running.events.subscribe(Int32ValueSchema, { group: "counter" }, ({ value }) => {
    counts.push(value);
    onCount();
  });
  const counted = async (n: number): Promise<void> => {
    while (counts.length < n) {
      await new Promise<void>((resolve) => {
        onCount = resolve;
      });
    }
  };
  await running.begin();
  for (let at = 0; at < total; at += killEvery) {
    await database.transaction(async (tx) => {
      for (let id = at; id < at + killEvery; id++) {
        await tx.publish(StringValueSchema, { value: String(id) }, { key: `key ${id % 3}` });
      }
    });
    await counted(at + killEvery / 2);
    if ((at / killEvery) % 2 === 0) {
      await killed(worker);
      worker = await startWorker();
    } else {
      await killed(hub);
      hub = await startHub();
    }
    await counted(at + killEvery);
  }
  await running.pause();
  await running.end();
  await broker.close();
  await transport.close();
  await database.close();
  await killed(worker);
  await killed(hub);

  assert.deepEqual(
    counts.toSorted((one, other) => one - other),
    Array.from({ length: total }, (_, at) => at + 1),
  );
  const noted = await openSqlite({ path: join(folder, "worker.db") }, { name: "main", clock });
  const texts = (await noted.all<{ text: string }>(sql`SELECT text FROM noted ORDER BY id`)).map(({ text }) =>
    Number(text),
  );
  await noted.close();
  rmSync(folder, { recursive: true, force: true });
  assert.equal(new Set(texts).size, total);
  for (const key of [0, 1, 2]) {
    const ofKey = texts.filter((id) => id % 3 === key);
    assert.deepEqual(
      ofKey,
      ofKey.toSorted((one, other) => one - other),
    );
  }
});

async function started(program: StartedProgram): Promise<StartedProgram> {
  assert.equal(await program.line(), "ready");
  return program;
}

async function killed(program: StartedProgram): Promise<void> {
  program.signal("SIGKILL");
  await program.ended;
}
