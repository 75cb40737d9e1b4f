import type { Clock } from "@tercel/grpc";
import sql, { type Sql } from "sql-template-tag";
import { retryWhileBusy } from "../../database/sqlite/busy-retry.ts";
import { SqliteConnection } from "../../database/sqlite/sqlite-connection.ts";
import { deadTopic } from "../broker/event-broker.ts";
import type { EventRecord } from "../event-record.ts";
import { type Failpoint, noFailpoint } from "../failpoint.ts";
import { delayed, logSchema, ready } from "./log-schema.ts";
import {
  addDeliveries,
  addDeliveriesOf,
  nextDeliveries,
  removeDeliveries,
  removeSettled,
  unblockAfter,
} from "./log-statements.ts";
import { type EventRow, type LoggedEvent, toLoggedEvent } from "./logged-event.ts";

export interface EventLogOptions {
  /** The file, or `:memory:`. Only one process at a time can use it. */
  readonly path: string;
  /** Default `full`: appended events survive a power failure. */
  readonly synchronous?: "full" | "normal";
  /** Maximum number of stored events; further ones are rejected. Default 1,000,000. */
  readonly maxEvents?: number;
  /** Maximum total size of messages, in bytes. Default 1 GiB. */
  readonly maxBytes?: number;
  readonly failpoint?: Failpoint;
  /** Wall-clock time. Default `Date.now`. */
  readonly wallClockMs?: () => number;
}

/** ID of a group of one topic. */
export type SubscriptionId = number;

/** Maximum number of events of a topic without groups; a hundred dead letters a day reach it in three months. */
const maxUnclaimed = 10_000;
/** Number of appends between trims, because counting scans an index. */
const trimEvery = 1000;
const openTimeoutMs = 5000;

/** The persistent state of the hub: events, groups, and what each group has settled. Every method is one synchronous transaction. */
export class EventLog {
  readonly #connection: SqliteConnection;
  readonly #synchronous: "full" | "normal";
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #failpoint: Failpoint;
  readonly #wallClockMs: () => number;
  #count: number;
  #bytes: number;
  #untilTrim = trimEvery;

  private constructor(connection: SqliteConnection, options: EventLogOptions) {
    this.#connection = connection;
    this.#synchronous = options.synchronous ?? "full";
    this.#maxEvents = options.maxEvents ?? 1_000_000;
    this.#maxBytes = options.maxBytes ?? 1024 ** 3;
    this.#failpoint = options.failpoint ?? noFailpoint;
    this.#wallClockMs = options.wallClockMs ?? Date.now;
    connection.execute(logSchema);
    const stored = sql`SELECT count(*) AS n, coalesce(sum(length(payload)), 0) AS bytes FROM events`;
    const { n, bytes } = connection.all(stored)[0] as { n: number; bytes: number };
    this.#count = n;
    this.#bytes = bytes;
  }

  /** Opens a log. Rejects when another process has the file open, or it is not a database. */
  static async open(options: EventLogOptions, clock: Clock): Promise<EventLog> {
    const { path, synchronous } = options;
    const connection = new SqliteConnection({ path, ...(synchronous !== undefined && { synchronous }) });
    try {
      await retryWhileBusy(clock, openTimeoutMs, () => {
        connection.execute("PRAGMA journal_mode = WAL; PRAGMA locking_mode = EXCLUSIVE");
        // Takes the lock and keeps it: two hubs on one file would deliver everything twice.
        connection.execute("BEGIN IMMEDIATE; COMMIT");
      });
      return new EventLog(connection, options);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Number of stored events. */
  get count(): number {
    return this.#count;
  }

  /** Appends events. @throws RangeError when the log is full */
  append(records: readonly EventRecord[]): void {
    if (records.length === 0) return;
    const bytes = records.reduce((sum, { payload }) => sum + payload.length, 0);
    if (this.#count + records.length > this.#maxEvents || this.#bytes + bytes > this.#maxBytes) {
      throw new RangeError(this.#fullText());
    }
    this.#transaction("append to the log", () => this.#insert(records, ""));
    this.#untilTrim -= records.length;
    if (this.#untilTrim > 0) return;
    this.#untilTrim = trimEvery;
    this.#trim();
  }

  /** Registers a group, which receives the events in the log and all later ones. */
  subscribe(topic: string, group: string): SubscriptionId {
    const now = this.#wallClockMs();
    const known = this.#first<{ id: number }>(
      sql`UPDATE subscriptions SET seen_ms = ${now} WHERE topic = ${topic} AND group_name = ${group} RETURNING id`,
    );
    if (known !== undefined) return known.id;
    return this.#transaction("append to the log", () => {
      const added = this.#first<{ id: number }>(
        sql`INSERT INTO subscriptions (topic, group_name, seen_ms) VALUES (${topic}, ${group}, ${now}) RETURNING id`,
      ) as { id: number };
      this.#connection.run(addDeliveriesOf(topic, added.id));
      return added.id;
    });
  }

  /** Returns the first events that may be delivered now, without those in `held`. */
  next(subscription: SubscriptionId, limit: number, held: ReadonlySet<number>): LoggedEvent[] {
    const rows = this.#connection.all(nextDeliveries(subscription, limit, held));
    return (rows as EventRow[]).map(toLoggedEvent);
  }

  /**
   * Acknowledges many events in one transaction, because the event loop waits for each. A power failure may lose the last acknowledgements. Their
   * events are then delivered again, as after any lost acknowledgement.
   */
  acknowledge(settled: readonly { readonly subscription: SubscriptionId; readonly seq: number }[]): void {
    const groups = Map.groupBy(settled, ({ subscription }) => subscription);
    this.#connection.execute("PRAGMA synchronous = normal");
    try {
      this.#transaction("settle in the log", () => {
        for (const [subscription, ofGroup] of groups) {
          const seqs = ofGroup.map(({ seq }) => seq);
          this.#settle(subscription, seqs);
        }
      });
    } finally {
      this.#connection.execute(`PRAGMA synchronous = ${this.#synchronous}`);
    }
  }

  /** Counts a failed attempt; the event is not delivered before `release`. */
  delay(subscription: SubscriptionId, seq: number): void {
    this.#transaction("settle in the log", () => {
      this.#connection.run(sql`UPDATE deliveries SET state = ${delayed}, attempts = attempts + 1
        WHERE subscription = ${subscription} AND seq = ${seq}`);
    });
  }

  /** Ends the delay of an event. */
  release(subscription: SubscriptionId, seq: number): void {
    this.#connection.run(sql`UPDATE deliveries SET state = ${ready}
      WHERE subscription = ${subscription} AND seq = ${seq} AND state = ${delayed}`);
  }

  /** Moves an event to the dead letters of the group. */
  bury(subscription: SubscriptionId, { seq, record }: LoggedEvent, group: string, reason: string): void {
    this.#transaction("settle in the log", () => {
      // An event is given up by several groups at most once by each.
      this.#insert([{ ...record, id: `${record.id}/${group}`, topic: deadTopic(group) }], reason);
      this.#settle(subscription, [seq]);
    });
  }

  /** Removes groups without members since a time, and returns them. */
  dropGroups(seenBeforeMs: number): { readonly topic: string; readonly group: string }[] {
    const dropped = this.#connection.all(
      sql`SELECT id, topic, group_name FROM subscriptions WHERE seen_ms < ${seenBeforeMs}`,
    ) as { id: number; topic: string; group_name: string }[];
    for (const { id } of dropped) {
      this.#transaction("settle in the log", () => {
        this.#connection.run(sql`DELETE FROM deliveries WHERE subscription = ${id}`);
        this.#connection.run(sql`DELETE FROM subscriptions WHERE id = ${id}`);
        this.#delete(sql`DELETE FROM events WHERE topic IN (SELECT topic FROM subscriptions)
          AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.seq = events.seq) RETURNING length(payload) AS bytes`);
      });
    }
    return dropped.map(({ topic, group_name: group }) => ({ topic, group }));
  }

  /** Records that the group has a member. */
  touch(subscription: SubscriptionId): void {
    this.#connection.run(sql`UPDATE subscriptions SET seen_ms = ${this.#wallClockMs()} WHERE id = ${subscription}`);
  }

  pending(subscription: SubscriptionId): number {
    const query = sql`SELECT count(*) AS n FROM deliveries WHERE subscription = ${subscription}`;
    return this.#first<{ n: number }>(query)?.n ?? 0;
  }

  close(): void {
    this.#connection.close();
  }

  #insert(records: readonly EventRecord[], reason: string): void {
    const { last } = this.#first<{ last: number }>(sql`SELECT coalesce(max(seq), 0) AS last FROM events`) ?? {
      last: 0,
    };
    for (const { id, topic, key, payload, traceParent, publishedMs } of records) {
      const { changes } = this.#connection.run(sql`INSERT INTO events
          (id, topic, event_key, payload, trace_parent, published_ms, reason)
        VALUES (${id}, ${topic}, ${key}, ${payload}, ${traceParent}, ${publishedMs}, ${reason})
        ON CONFLICT (id) DO NOTHING`);
      // A duplicate.
      if (changes === 0) continue;
      this.#count += 1;
      this.#bytes += payload.length;
    }
    this.#connection.run(addDeliveries(last));
  }

  #settle(subscription: SubscriptionId, seqs: readonly number[]): void {
    const list = JSON.stringify(seqs);
    this.#connection.run(unblockAfter(subscription, list));
    const settled = this.#connection.all(removeDeliveries(subscription, list)) as { seq: number }[];
    // What was settled before has no event any more, or one that other groups have to settle.
    if (settled.length > 0) this.#delete(removeSettled(JSON.stringify(settled.map(({ seq }) => seq))));
  }

  /** Removes the oldest events of topics without groups. */
  #trim(): void {
    const topics = this.#connection.all(sql`SELECT topic FROM events
      WHERE topic NOT IN (SELECT topic FROM subscriptions) GROUP BY topic HAVING count(*) > ${maxUnclaimed}`);
    for (const { topic } of topics as { topic: string }[]) {
      this.#delete(sql`DELETE FROM events WHERE topic = ${topic} AND seq <= (
        SELECT seq FROM events WHERE topic = ${topic} ORDER BY seq DESC LIMIT 1 OFFSET ${maxUnclaimed})
        RETURNING length(payload) AS bytes`);
    }
  }

  /** Deletes events by a statement that returns the lengths of their messages. */
  #delete(query: Sql): void {
    for (const { bytes } of this.#connection.all(query) as { bytes: number }[]) {
      this.#count -= 1;
      this.#bytes -= bytes;
    }
  }

  #first<Row extends object>(query: Sql): Row | undefined {
    return this.#connection.all(query)[0] as Row | undefined;
  }

  #transaction<T>(step: "append to the log" | "settle in the log", work: () => T): T {
    this.#failpoint(step, "before");
    const [count, bytes] = [this.#count, this.#bytes];
    let result: T;
    this.#connection.execute("BEGIN IMMEDIATE");
    try {
      result = work();
      this.#connection.execute("COMMIT");
    } catch (error) {
      this.#count = count;
      this.#bytes = bytes;
      this.#connection.execute("ROLLBACK");
      throw error;
    }
    this.#failpoint(step, "after");
    return result;
  }

  #fullText(): string {
    const slowest = this.#first<{
      topic: string;
      group_name: string;
      n: number;
    }>(sql`SELECT s.topic, s.group_name, count(*) AS n
      FROM deliveries d JOIN subscriptions s ON s.id = d.subscription GROUP BY s.id ORDER BY n DESC LIMIT 1`);
    const cause =
      slowest === undefined ? "" : `; the group ${slowest.group_name} has ${slowest.n} of ${slowest.topic} to handle`;
    const held = `${this.#count} events of at most ${this.#maxEvents}, ${this.#bytes} bytes of at most ${this.#maxBytes}`;
    return `event log full: ${held}${cause}`;
  }
}
