import { createHash } from "node:crypto";
import type { EventRecord } from "../event-record.ts";

/**
 * Number of partitions. Events with the same key have the same partition, of which a group handles one event at a time, because NATS has no keys. All
 * services of a stream must use the same number, so it is not configurable.
 */
export const partitions = 16;

/** Returns the subject of a partition: `tercel.events.shop.v1.OrderPlaced.7`. */
export function subjectOf(prefix: string, topic: string, partition: number): string {
  return `${prefix}.${topic}.${partition}`;
}

/** Returns the partition of an event; without a key, its ID decides. */
export function partitionOf({ id, key }: Pick<EventRecord, "id" | "key">): number {
  const hash = createHash("sha256")
    .update(key === "" ? id : key)
    .digest();
  return (hash[0] as number) % partitions;
}

/** Returns the name of a durable consumer, which must not contain dots. */
export function durableName(group: string, topic: string, partition: number): string {
  return `${group}-${topic.replaceAll(".", "_")}-${partition}`;
}
