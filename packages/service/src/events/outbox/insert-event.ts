import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import sql from "sql-template-tag";
import type { Transaction } from "../../database/database.ts";
import { createEventRecord, type PublishOptions } from "../event-record.ts";

/** Channel that is notified when a transaction that wrote to the outbox commits. */
export const outboxChannel = "tercel_outbox";

/** Writes an event to the outbox of the transaction's database, and wakes the relay after the commit. */
export async function insertEvent<Desc extends DescMessage>(
  tx: Transaction,
  schema: Desc,
  message: MessageInitShape<Desc>,
  options?: PublishOptions,
): Promise<void> {
  const { id, topic, key, payload, traceParent, publishedMs } = createEventRecord(schema, message, options);
  await tx.run(sql`INSERT INTO tercel_outbox (event_id, topic, event_key, payload, trace_parent, published_ms)
    VALUES (${id}, ${topic}, ${key}, ${payload}, ${traceParent}, ${publishedMs})`);
  await tx.notify(outboxChannel);
}
