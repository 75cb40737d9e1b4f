import sql from "sql-template-tag";
import type { Database, Transaction } from "../../database/database.ts";
import { durably, type Failpoint } from "../failpoint.ts";

/** How long an ID is stored: duplicates arrive within minutes, after an outage of the broker within days. */
const keptMs = 14 * 24 * 60 * 60 * 1000;
const purgeRows = 1000;

/**
 * Runs `work` in a transaction that records the event as handled by the group, so that it takes effect exactly once. Does nothing for an event that
 * was handled before.
 */
export function handleOnce(
  database: Database,
  event: { readonly group: string; readonly id: string; readonly nowMs: number },
  work: (tx: Transaction) => Promise<void>,
  failpoint: Failpoint,
): Promise<void> {
  return durably(failpoint, "commit the handler", () =>
    database.transaction(async (tx) => {
      // A concurrent delivery waits here until the first one commits or rolls back.
      const { changes } = await tx.run(sql`INSERT INTO tercel_inbox (group_name, event_id, handled_ms)
        VALUES (${event.group}, ${event.id}, ${event.nowMs}) ON CONFLICT DO NOTHING`);
      if (changes === 1) await work(tx);
    }),
  );
}

/** Deletes a batch of expired IDs. */
export async function purgeInbox(database: Database, nowMs: number): Promise<void> {
  await database.run(sql`DELETE FROM tercel_inbox WHERE (group_name, event_id) IN (
    SELECT group_name, event_id FROM tercel_inbox WHERE handled_ms < ${nowMs - keptMs} LIMIT ${purgeRows})`);
}
