import { createHash } from "node:crypto";
import type { EventRecord } from "../event-record.ts";

/**
 * Events with the same key have the same partition, of which a group handles one event at a time: NATS knows no keys. All services of a
 * stream must agree on the number, so it is not a setting.
 */
export const partitions = 16;

/** `tercel.events.shop.v1.OrderPlaced.7` */
export function subjectOf(prefix: string, topic: string, partition: number): string {
  return `${prefix}.${topic}.${partition}`;
}

/** Events without a key are spread by their ids. */
export function partitionOf({ id, key }: Pick<EventRecord, "id" | "key">): number {
  const hash = createHash("sha256")
    .update(key === "" ? id : key)
    .digest();
  return (hash[0] as number) % partitions;
}

/** Consumers' names have no dots. */
export function durableName(group: string, topic: string, partition: number): string {
  return `${group}-${topic.replaceAll(".", "_")}-${partition}`;
}
