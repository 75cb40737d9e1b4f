import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNatsServer, createPostgresServer, withoutNats, withoutPostgres } from "@tercel/test-support/servers";
import { median } from "../measure/statistics.ts";
import { startChild } from "../process/children.ts";
import { runCommand } from "../process/command.ts";
import type { Budget } from "./budgets.ts";
import { relayedEvents } from "./relay-load.ts";

/** The budget of each combination. */
const leastEventsPerSecond = 5_000;
const hubStartMs = 20_000;
const node = [process.execPath, "--conditions=source"] as const;
const program = (name: string): string => join(import.meta.dirname, name);

interface Way {
  readonly name: string;
  /** Relays all events once, with new processes. */
  relay(folder: string): Promise<Relayed>;
}

/** The output of `relay-process.ts`. */
interface Relayed {
  readonly seconds: number;
  /** CPU time of the relay's process, including its database driver. */
  readonly cpuMicros: number;
}

const ways: readonly Way[] = [
  { name: "SQLite to the embedded hub", relay: relayToHub },
  { name: "PostgreSQL to NATS", relay: relayToNats },
];

/** Measures how many events per second the relay moves from a full outbox to the broker, as medians. */
export async function measureRelay(rounds: number): Promise<readonly Budget[]> {
  const turns = new Map<string, Relayed[]>(ways.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, relay } of ways) {
      const folder = mkdtempSync(join(tmpdir(), "tercel-bench-relay-"));
      try {
        const turn = await relay(folder);
        console.error(`  relay ${round + 1}, ${name}: ${Math.round(relayedEvents / turn.seconds)} events/s`);
        turns.get(name)?.push(turn);
      } finally {
        rmSync(folder, { recursive: true });
      }
    }
  }
  return [...turns].map(([name, all]) => ({
    name: `relay, ${name}`,
    unit: "events/s",
    measured: median(all.map(({ seconds }) => relayedEvents / seconds)),
    note: `${(median(all.map(({ cpuMicros }) => cpuMicros)) / relayedEvents).toFixed(0)} µs CPU each`,
    limit: leastEventsPerSecond,
    isKeptBelow: false,
  }));
}

async function relayToHub(folder: string): Promise<Relayed> {
  const hub = startChild([...node, program("relay-hub.ts"), join(folder, "events.db")]);
  try {
    const port = await new Promise<number>((resolve, reject) => {
      const patience = setTimeout(() => reject(new Error(`the hub ${hub.epitaph()}`)), hubStartMs);
      hub.onLine((line) => {
        clearTimeout(patience);
        resolve((JSON.parse(line) as { readonly port: number }).port);
      });
    });
    return await relayOnce("sqlite", join(folder, "data.db"), String(port));
  } finally {
    hub.kill("SIGKILL");
    await hub.ended;
  }
}

async function relayToNats(): Promise<Relayed> {
  const missing = withoutPostgres || withoutNats;
  if (missing !== false) throw new Error(missing);
  const [postgres, nats] = [await createPostgresServer(), await createNatsServer()];
  try {
    await Promise.all([postgres.start(), nats.start()]);
    const url = `postgres://postgres@127.0.0.1:${postgres.port}/postgres`;
    return await relayOnce("postgres", url, `nats://127.0.0.1:${nats.port}`);
  } finally {
    await Promise.all([postgres.dispose(), nats.dispose()]);
  }
}

async function relayOnce(kind: string, database: string, stream: string): Promise<Relayed> {
  return JSON.parse(await runCommand([...node, program("relay-process.ts"), kind, database, stream])) as Relayed;
}
