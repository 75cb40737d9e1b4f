import type { EventRecord } from "../event-record.ts";

/**
 * Stores events sequentially per topic and key, and otherwise concurrently. After a failure, the remaining events of its key are skipped.
 *
 * @param onPartial called with the first failure when other events are stored
 * @returns the ids of the stored events
 * @throws the first failure, when no event is stored
 */
export async function appendInLanes(
  records: readonly EventRecord[],
  store: (record: EventRecord) => Promise<void>,
  onPartial: (error: unknown) => void,
): Promise<ReadonlySet<string>> {
  const lanes = new Map<string, EventRecord[]>();
  for (const record of records) {
    const lane = record.key === "" ? record.id : `${record.topic} ${record.key}`;
    const known = lanes.get(lane);
    if (known === undefined) lanes.set(lane, [record]);
    else known.push(record);
  }
  const stored = new Set<string>();
  const failures: unknown[] = [];
  const run = async (lane: readonly EventRecord[]): Promise<void> => {
    try {
      for (const record of lane) {
        await store(record);
        stored.add(record.id);
      }
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all([...lanes.values()].map(run));
  if (failures.length === 0) return stored;
  if (stored.size === 0) throw failures[0];
  onPartial(failures[0]);
  return stored;
}
