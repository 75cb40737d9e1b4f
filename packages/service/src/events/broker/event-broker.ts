// The port between events and brokers.
import type { EventRecord } from "../event-record.ts";

/** An event delivered to one member of a group. Exactly one of `acknowledge`, `retry` and `bury` must be called, once. */
export interface Delivery {
  readonly record: EventRecord;
  /** Number of the attempt, from 1; incremented by each `retry`. */
  readonly attempt: number;
  /** Marks the event as handled by the group. */
  acknowledge(): Promise<void>;
  /** Delivers the event to the group again after the delay. Later events with the same key wait for it. */
  retry(delayMs: number): Promise<void>;
  /** Moves the event to the topic `dead.<group>` with the reason. */
  bury(reason: string): Promise<void>;
  /** Signals that the event is still being handled; must be called at least every ten seconds. */
  keepAlive(): void;
}

export interface ConsumeOptions {
  readonly topic: string;
  /** Group of the consumer; each event is delivered to one member of each group. */
  readonly group: string;
  /** Maximum number of unsettled deliveries. */
  readonly maxInFlight: number;
}

export interface Consumer {
  /** Stops deliveries; those in flight can still be settled. */
  pause(): Promise<void>;
  /** Leaves the group; unsettled events are delivered to another member. */
  close(): Promise<void>;
}

/** Stores events until every known group has settled them. */
export interface EventBroker {
  /** Description for messages: `nats at nats:4222`. Contains no secret. */
  readonly description: string;
  /**
   * Appends events in order and resolves to the ids of those that are stored, including duplicates. Of events with the same key, none is stored
   * after one that failed. Rejects when nothing can be stored now, and with `EventRefused` when the only given event can never be stored.
   */
  append(records: readonly EventRecord[]): Promise<ReadonlySet<string>>;
  /**
   * Registers the group and delivers its events, one at a time per key. Does not fail: an unavailable broker is retried. `onDelivery` must not
   * throw.
   */
  consume(options: ConsumeOptions, onDelivery: (delivery: Delivery) => void): Consumer;
  /** Rejects when the broker is currently unavailable. */
  check(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Returns the topic of a group's dead letters. */
export function deadTopic(group: string): string {
  return `dead.${group}`;
}
