/**
 * `relay-process.ts sqlite FILE HUB_PORT` or `postgres URL NATS_URL` fills an outbox, lets the relay empty it, and prints the time and the
 * CPU time of this process: `{"seconds":…,"cpuMicros":…}`.
 */
import { createChannel, systemClock } from "@tercel/grpc";
import { type Database, openPostgres, openSqlite, sql } from "@tercel/service/database";
import { createEvents, createEventTables, createRemoteHub, type EventBroker, openNats } from "@tercel/service/events";
import { fillOutbox, silentLog as log, relayedEvents } from "./relay-load.ts";

const [kind = "", where = "", stream = ""] = process.argv.slice(2);
const clock = systemClock;

async function openDatabase(): Promise<Database & { close(): Promise<void> }> {
  if (kind === "sqlite") return openSqlite({ path: where }, { name: "main", clock });
  return openPostgres({ url: where }, { name: "main", clock, log });
}

async function openBroker(): Promise<{ readonly broker: EventBroker; close(): Promise<void> }> {
  if (kind !== "sqlite") {
    const broker = await openNats({ servers: [stream] }, { service: "bench", clock, log });
    return { broker, close: () => broker.close() };
  }
  const transport = createChannel(`127.0.0.1:${stream}`);
  const broker = createRemoteHub({ transport, description: "hub", clock, log });
  return {
    broker,
    async close() {
      await broker.close();
      await transport.close();
    },
  };
}

const database = await openDatabase();
const { broker, close } = await openBroker();
await createEventTables(database);
await fillOutbox(database);

let stored = 0;
const { promise: isStored, resolve: allStored } = Promise.withResolvers<void>();
/** The same broker, which reports when it has all events. */
const counting: EventBroker = {
  description: broker.description,
  async append(records) {
    const ids = await broker.append(records);
    stored += ids.size;
    if (stored >= relayedEvents) allStored();
    return ids;
  },
  consume: (options, onDelivery) => broker.consume(options, onDelivery),
  check: (signal) => broker.check(signal),
  close: () => broker.close(),
};
const running = createEvents({ broker: counting, database, clock, log });

const startMs = performance.now();
const before = process.cpuUsage();
await running.begin();
await isStored;
// The rows of the last batch are deleted after it is stored.
while ((await database.one<{ n: number }>(sql`SELECT count(*) AS n FROM tercel_outbox`)).n > 0);
const { user, system } = process.cpuUsage(before);
const seconds = (performance.now() - startMs) / 1000;
await running.end();
await close();
await database.close();
if (stored !== relayedEvents) throw new Error(`${stored} of ${relayedEvents} events were stored`);
console.log(JSON.stringify({ seconds, cpuMicros: user + system }));
