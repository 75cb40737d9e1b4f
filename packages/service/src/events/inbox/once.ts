import sql from "sql-template-tag";
import type { Database, Transaction } from "../../database/database.ts";
import { durably, type Failpoint } from "../failpoint.ts";

/** How long an id is remembered; what is sent again comes within minutes, and after an outage of the stream within days. */
const keptMs = 14 * 24 * 60 * 60 * 1000;
const purgeRows = 1000;

/**
 * Runs `work` in a transaction that notes the event as handled by the group: once in effect, however often it is delivered. Does nothing
 * for an event that was handled before.
 */
export function handleOnce(
  database: Database,
  event: { readonly group: string; readonly id: string; readonly nowMs: number },
  work: (tx: Transaction) => Promise<void>,
  failpoint: Failpoint,
): Promise<void> {
  return durably(failpoint, "commit the handler", () =>
    database.transaction(async (tx) => {
      // A second delivery at the same time waits here until the first has been committed or rolled back.
      const { changes } = await tx.run(sql`INSERT INTO tercel_inbox (group_name, event_id, handled_ms)
        VALUES (${event.group}, ${event.id}, ${event.nowMs}) ON CONFLICT DO NOTHING`);
      if (changes === 1) await work(tx);
    }),
  );
}

/** Forgets a portion of the ids that need not be remembered any more. */
export async function purgeInbox(database: Database, nowMs: number): Promise<void> {
  await database.run(sql`DELETE FROM tercel_inbox WHERE (group_name, event_id) IN (
    SELECT group_name, event_id FROM tercel_inbox WHERE handled_ms < ${nowMs - keptMs} LIMIT ${purgeRows})`);
}
