import type { EventRecord } from "../event-record.ts";

/**
 * Stores events one after the other within a topic and key, and side by side otherwise. After one that fails the rest of its key is left out.
 *
 * @param onPartial gets the first failure when others are stored
 * @returns the ids of those that are stored
 * @throws what the first failure was, when none is
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
