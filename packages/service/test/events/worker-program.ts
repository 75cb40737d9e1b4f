// Handles events: the database's file, the hub's port. Notes each text and publishes how many it has noted. Prints "ready".
import { Int32ValueSchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { createChannel, systemClock } from "@tercel/grpc";
import sql from "sql-template-tag";
import { openSqlite } from "../../src/database/sqlite/sqlite-database.ts";
import { createEvents } from "../../src/events/events.ts";
import { createRemoteHub } from "../../src/events/hub/remote-hub.ts";

const [path = "", port = ""] = process.argv.slice(2);
const log = { debug() {}, info() {}, warn() {}, error() {} };
const clock = systemClock;
const database = await openSqlite({ path }, { name: "main", clock });
await database.run(sql`CREATE TABLE IF NOT EXISTS noted (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT`);
const transport = createChannel(`127.0.0.1:${port}`);
const broker = createRemoteHub({ transport, description: "hub", clock, log });
const running = createEvents({ broker, database, clock, log });
running.events.subscribe(StringValueSchema, { group: "worker" }, async ({ value }, tx) => {
  await tx.run(sql`INSERT INTO noted (text) VALUES (${value})`);
  const { n } = await tx.one<{ n: number }>(sql`SELECT count(*) AS n FROM noted`);
  await tx.publish(Int32ValueSchema, { value: n });
});
await running.begin();
console.log("ready");
// Only a signal ends it.
setInterval(() => {}, 60_000);
