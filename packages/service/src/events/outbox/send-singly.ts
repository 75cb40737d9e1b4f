import type { EventBroker } from "../broker/event-broker.ts";
import { EventRefused } from "../broker/event-refused.ts";
import type { EventRecord } from "../event-record.ts";

/** The result of sending the events of a batch one by one. */
export interface SingleSends {
  /** IDs of the stored events. */
  readonly stored: ReadonlySet<string>;
  /** Failed events with the broker's reason, in order. */
  readonly failed: readonly FailedSend[];
}

export interface FailedSend {
  readonly record: EventRecord;
  readonly error: unknown;
  /** Whether the broker can never store it. */
  readonly isRefused: boolean;
}

/** Number of consecutive failures, without permanent rejections, that indicates an unavailable broker. */
const maxFailuresInRow = 10;

/**
 * Sends events one by one, to find out which ones the broker rejects. After a failure, the remaining events of its key are skipped, so that none
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
    // A permanently rejected event is parked, so later ones need not wait for it.
    if (!isRefused) heldBack.add(lane);
    if (!isRefused && ++failuresInRow >= maxFailuresInRow) break;
  }
  return { stored, failed };
}

/** Sends one event. Resolves to the error, or to undefined when it is stored. */
async function send(broker: Pick<EventBroker, "append">, record: EventRecord): Promise<unknown> {
  try {
    const stored = await broker.append([record]);
    return stored.has(record.id) ? undefined : new Error("the broker did not store the event");
  } catch (error) {
    return error;
  }
}
