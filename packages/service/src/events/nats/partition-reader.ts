import type { ConsumerMessages, JsMsg } from "@nats-io/jetstream";
import { type Clock, createBackoff, type Log } from "@tercel/grpc";
import { pause, thrownText } from "@tercel/grpc/internal";
import type { Delivery } from "../broker/event-broker.ts";
import type { DeliverySlots } from "./delivery-slots.ts";

export interface ReaderParts {
  readonly open: () => Promise<ConsumerMessages>;
  readonly toDelivery: (message: JsMsg, onSettled: () => void) => Delivery;
  readonly onDelivery: (delivery: Delivery) => void;
  readonly slots: DeliverySlots;
  readonly clock: Clock;
  readonly log: Log;
  readonly description: string;
}

/** Reads one partition; resumes after errors. */
export class PartitionReader {
  readonly #parts: ReaderParts;
  readonly #closing = new AbortController();
  readonly #backoff = createBackoff({ initialDelayMs: 100, maxDelayMs: 10_000 });
  /** The unsettled message, delivered or waiting for a slot; at most one. */
  readonly #unsettled = new Set<JsMsg>();
  #messages: ConsumerMessages | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = this.#run();
  }

  async pause(): Promise<void> {
    this.#closing.abort();
    await this.#messages?.close();
    await this.#running;
  }

  async close(): Promise<void> {
    await this.pause();
    // Returned at once, instead of after the acknowledgement timeout.
    for (const message of this.#unsettled) ignoreClosed(() => message.nak());
    this.#unsettled.clear();
  }

  async #run(): Promise<void> {
    const { open, clock, log, description } = this.#parts;
    for (let failures = 0; !this.#closing.signal.aborted; ) {
      try {
        this.#messages = await open();
        failures = 0;
        // Paused during the await. Not awaited, because `close` resolves when the loop ends.
        if (this.#closing.signal.aborted) void this.#messages.close();
        for await (const message of this.#messages) void this.#take(message);
      } catch (error) {
        failures += 1;
        if ((failures & (failures - 1)) === 0)
          log.warn("cannot read events", { from: description, error: thrownText(error) });
      }
      await pause(clock, this.#backoff(Math.max(0, failures - 1)), this.#closing.signal);
    }
  }

  async #take(message: JsMsg): Promise<void> {
    const { slots, toDelivery, onDelivery, clock } = this.#parts;
    this.#unsettled.add(message);
    const hasSlot = await slots.acquire(clock, () => sayWorking(message));
    if (!hasSlot) return;
    const onSettled = (): void => {
      this.#unsettled.delete(message);
      slots.release();
    };
    onDelivery(toDelivery(message, onSettled));
  }
}

/** Signals that the event is still being handled. */
export function sayWorking(message: JsMsg): void {
  ignoreClosed(() => message.working());
}

/** Ignores errors of a closed connection: the server delivers the event again. */
function ignoreClosed(act: () => void): void {
  try {
    act();
  } catch {
    // Only a closed connection can fail here.
  }
}
