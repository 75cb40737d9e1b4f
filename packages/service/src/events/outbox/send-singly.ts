import type { EventBroker } from "../broker/event-broker.ts";
import { EventRefused } from "../broker/event-refused.ts";
import type { EventRecord } from "../event-record.ts";

/** What came of sending the events of a batch one by one. */
export interface SingleSends {
  /** The ids of those that are stored. */
  readonly stored: ReadonlySet<string>;
  /** Those that are not, with the stream's reason, in order. */
  readonly failed: readonly FailedSend[];
}

export interface FailedSend {
  readonly record: EventRecord;
  readonly error: unknown;
  /** The stream will never take it. */
  readonly isRefused: boolean;
}

/** So many failures in a row, without one that is the event's own fault, look like a stream that is away. */
const maxFailuresInRow = 10;

/**
 * Sends events one by one, to find out which of them the stream does not take. After one that fails the rest of its key is left out, so that nothing
 * overtakes it.
 */
export async function sendSingly(
  broker: Pick<EventBroker, "append">,
  records: readonly EventRecord[],
): Promise<SingleSends> {
  const stored = new Set<string>();
  const failed: FailedSend[] = [];
  const heldBack = new Set<string>();
  let failuresInRow = 0;
  for (const record of records) {
    const lane = `${record.topic} ${record.key}`;
    if (record.key !== "" && heldBack.has(lane)) continue;
    const error = await send(broker, record);
    if (error === undefined) {
      stored.add(record.id);
      failuresInRow = 0;
      continue;
    }
    const isRefused = error instanceof EventRefused;
    failed.push({ record, error, isRefused });
    // What is refused is parked, and then nothing waits for it.
    if (!isRefused) heldBack.add(lane);
    if (!isRefused && ++failuresInRow >= maxFailuresInRow) break;
  }
  return { stored, failed };
}

/** Resolves to why it failed; undefined when it is stored. */
async function send(broker: Pick<EventBroker, "append">, record: EventRecord): Promise<unknown> {
  try {
    const stored = await broker.append([record]);
    return stored.has(record.id) ? undefined : new Error("the stream did not store it");
  } catch (error) {
    return error;
  }
}
