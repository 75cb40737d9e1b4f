// A service with the kit's own providers: a database with migrations, a cache and events.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { create } from "@tercel/grpc";
import { cache, database, defineService, events, sql, startService } from "@tercel/service";
import { testService } from "@tercel/service/testing";
import { EchoRequestSchema, EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

/** Keeps texts in a table, and counts them by an event. */
function keeperOf(migrations: URL, heard: (text: string) => void) {
  return defineService({
    needs: { db: database({ migrations }), known: cache(EchoRequestSchema, { ttlMs: 60_000 }), events: events() },
    routes(router, { db, known, events }) {
      events.subscribe(EchoRequestSchema, { group: "keepers" }, async ({ text }, tx) => {
        await tx.run(sql`UPDATE texts SET heard = heard + 1 WHERE text = ${text}`);
        heard(text);
      });
      router.service(EchoService, {
        async unary({ text }) {
          await db.transaction(async (tx) => {
            await tx.run(sql`INSERT INTO texts (text) VALUES (${text})`);
            await tx.publish(EchoRequestSchema, { text });
          });
          const found = await known.getOrLoad(text, async () =>
            create(EchoRequestSchema, { text, count: text.length }),
          );
          return { text: found?.text ?? "", count: found?.count ?? 0 };
        },
        async *serverStream() {
          for (const { text, heard } of await db.all<{ text: string; heard: number }>(
            sql`SELECT text, heard FROM texts`,
          )) {
            yield { text, count: heard };
          }
        },
      });
    },
  });
}

function migrationFolder(): { readonly folder: string; readonly url: URL } {
  const folder = mkdtempSync(join(tmpdir(), "tercel-needs-"));
  const table = "CREATE TABLE texts (text TEXT PRIMARY KEY, heard INTEGER NOT NULL DEFAULT 0) STRICT;\n";
  writeFileSync(join(folder, "0001_texts.sql"), table);
  return { folder, url: pathToFileURL(`${folder}/`) };
}

test("a test has all of them in memory, migrated", async (t) => {
  const { folder, url } = migrationFolder();
  t.after(() => rmSync(folder, { recursive: true }));
  const heard = Promise.withResolvers<string>();
  const service = await testService(keeperOf(url, heard.resolve));
  const client = service.client(EchoService);
  assert.deepEqual(
    { ...(await client.unary({ text: "abc" })), payload: undefined },
    {
      $typeName: "tercel.service.test.v1.EchoResponse",
      text: "abc",
      count: 3,
      payload: undefined,
    },
  );
  await service.clock.advance(5_000);
  assert.equal(await heard.promise, "abc");
  await service.clock.advance(0);
  const rows = [];
  for await (const { text, count } of client.serverStream({})) rows.push([text, count]);
  assert.deepEqual(rows, [["abc", 1]]);
  const { exitCode, problems } = await service.stop();
  assert.deepEqual([exitCode, problems], [0, []]);
});

test("production does not start with pending migrations, and development applies them", async (t) => {
  const { folder, url } = migrationFolder();
  t.after(() => rmSync(folder, { recursive: true }));
  const config = {
    service: { port: 0, host: "127.0.0.1", start: { wait: "0" }, propagation: "0" },
    logging: { providers: { console: { level: "error" } } },
    database: { providers: { sqlite: { path: join(folder, "texts.db") } } },
    cache: { providers: { memory: {} } },
    events: { providers: { memory: {} } },
  };
  const start = (environment: string) =>
    startService(
      keeperOf(url, () => {}),
      { file: false, overlays: false, variables: { TERCEL_ENV: environment }, config },
    );
  await assert.rejects(start("production"), /^Error: database sqlite: migrations: .*0001_texts/s);
  const service = await start("development");
  await service.stop();
  const again = await start("production");
  assert.equal((await again.stop()).exitCode, 0);
});
