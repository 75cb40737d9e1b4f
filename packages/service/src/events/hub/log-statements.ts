import sql, { empty, type Sql } from "sql-template-tag";
import { blocked, ready } from "./log-schema.ts";

// One statement for all events of a transaction: each call into SQLite costs more than what it does for one event.

/** Makes the deliveries of the events after `lastSeq` to the groups of their topics. The first of each key that is not settled may be handed out. */
export function addDeliveries(lastSeq: number): Sql {
  return sql`INSERT INTO deliveries (subscription, seq, event_key, state)
    SELECT s.id, e.seq, e.event_key, CASE WHEN e.event_key <> '' AND (e.place > 1 OR EXISTS (
        SELECT 1 FROM deliveries d WHERE d.subscription = s.id AND d.event_key = e.event_key AND d.event_key <> ''))
      THEN ${blocked} ELSE ${ready} END
    FROM (SELECT seq, topic, event_key, row_number() OVER (PARTITION BY topic, event_key ORDER BY seq) AS place
      FROM events WHERE seq > ${lastSeq}) e
    JOIN subscriptions s ON s.topic = e.topic`;
}

/** Makes the deliveries of everything that a topic has to a group that is new. */
export function addDeliveriesOf(topic: string, subscription: number): Sql {
  return sql`INSERT INTO deliveries (subscription, seq, event_key, state)
    SELECT ${subscription}, seq, event_key, CASE WHEN event_key <> '' AND place > 1 THEN ${blocked} ELSE ${ready} END
    FROM (SELECT seq, event_key, row_number() OVER (PARTITION BY event_key ORDER BY seq) AS place
      FROM events WHERE topic = ${topic})`;
}

/** What may be handed out now, without the events that are `held`. */
export function nextDeliveries(subscription: number, limit: number, held: ReadonlySet<number>): Sql {
  const others =
    held.size === 0 ? empty : sql`AND d.seq NOT IN (SELECT value FROM json_each(${JSON.stringify([...held])}))`;
  return sql`SELECT d.seq, d.attempts, e.id, e.topic, e.event_key, e.payload, e.trace_parent, e.published_ms
    FROM deliveries d JOIN events e ON e.seq = d.seq
    WHERE d.subscription = ${subscription} AND d.state = ${ready} ${others} ORDER BY d.seq LIMIT ${limit}`;
}

/** For events that are about to be settled: the next one of each of their keys may be handed out. `seqs` is a list in JSON. */
export function unblockAfter(subscription: number, seqs: string): Sql {
  return sql`UPDATE deliveries SET state = ${ready} WHERE subscription = ${subscription} AND state = ${blocked} AND seq IN (
    SELECT (SELECT n.seq FROM deliveries n WHERE n.subscription = ${subscription} AND n.event_key = d.event_key
        AND n.event_key <> '' AND n.seq NOT IN (SELECT value FROM json_each(${seqs})) ORDER BY n.seq LIMIT 1)
    FROM deliveries d WHERE d.subscription = ${subscription} AND d.event_key <> ''
      AND d.seq IN (SELECT value FROM json_each(${seqs})))`;
}

export function removeDeliveries(subscription: number, seqs: string): Sql {
  return sql`DELETE FROM deliveries
    WHERE subscription = ${subscription} AND seq IN (SELECT value FROM json_each(${seqs})) RETURNING seq`;
}

/** Deletes those of the events that no group has left to settle. */
export function removeSettled(seqs: string): Sql {
  return sql`DELETE FROM events WHERE seq IN (SELECT value FROM json_each(${seqs}))
    AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.seq = events.seq) RETURNING length(payload) AS bytes`;
}
