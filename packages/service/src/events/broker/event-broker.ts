// The port between events and what carries them.
import type { EventRecord } from "../event-record.ts";

/** An event as it is handed to one member of a group. Exactly one of the three that settle it is called, once. */
export interface Delivery {
  readonly record: EventRecord;
  /** 1 for the first time; rises with each `retry`. */
  readonly attempt: number;
  /** The group has handled it. */
  acknowledge(): Promise<void>;
  /** Hands it to the group again after the delay. Later events with the same key wait for it. */
  retry(delayMs: number): Promise<void>;
  /** Gives up: moves it to the topic `dead.<group>`, with the reason. */
  bury(reason: string): Promise<void>;
  /** Says that it is still being handled; called at least every ten seconds. */
  keepAlive(): void;
}

export interface ConsumeOptions {
  readonly topic: string;
  /** Each event is handed to one member of each group. */
  readonly group: string;
  /** Deliveries that may be unsettled at a time. */
  readonly maxInFlight: number;
}

export interface Consumer {
  /** Ends deliveries; those in flight can still be settled. */
  pause(): Promise<void>;
  /** Hands what is not settled to another member. */
  close(): Promise<void>;
}

/** Keeps events until every group that it knows has settled them. */
export interface EventBroker {
  /** For messages: `nats at nats:4222`. Never a secret. */
  readonly description: string;
  /**
   * Adds events in order, and resolves to the ids of those that are stored, duplicates included. Of events with the same key, none is stored
   * after one that is not. Rejects when nothing can be stored now, and with an `EventRefused` when the only event it was given can never be.
   */
  append(records: readonly EventRecord[]): Promise<ReadonlySet<string>>;
  /**
   * Makes the group known, and hands it events one after the other for each key. Does not fail: a broker that is away is tried again.
   * `onDelivery` must not throw.
   */
  consume(options: ConsumeOptions, onDelivery: (delivery: Delivery) => void): Consumer;
  /** Rejects when the broker cannot be used at this moment. */
  check(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The topic of what a group has given up. */
export function deadTopic(group: string): string {
  return `dead.${group}`;
}
