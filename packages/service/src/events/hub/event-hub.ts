import type { Clock, Log } from "@tercel/grpc";
import type { ConsumeOptions, Consumer, Delivery, EventBroker } from "../broker/event-broker.ts";
import type { EventRecord } from "../event-record.ts";
import type { EventLog, SubscriptionId } from "./event-log.ts";
import type { LoggedEvent } from "./logged-event.ts";

export interface EventHubOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** For messages. */
  readonly description: string;
  /** Time after which a group without members is removed. Default 7 days. */
  readonly forgetGroupsAfterMs?: number;
  /** Wall-clock time. Default `Date.now`. */
  readonly wallClockMs?: () => number;
}

const dayMs = 24 * 60 * 60 * 1000;
const sweepMs = 60 * 60 * 1000;
/** Delay before a retry after a failure of the log. */
const retryMs = 1000;

interface Group {
  readonly id: SubscriptionId;
  readonly name: string;
  readonly members: Set<Member>;
  /** Delivered but unsettled events. */
  readonly held: Set<number>;
  isScheduled: boolean;
}

interface Member {
  readonly maxInFlight: number;
  readonly onDelivery: (delivery: Delivery) => void;
  readonly inFlight: Set<number>;
  isPaused: boolean;
}

/** Acknowledgements in this turn of the event loop. */
interface AcknowledgedBatch {
  readonly settled: { readonly subscription: SubscriptionId; readonly seq: number }[];
  readonly stored: Promise<void>;
}

/** Delivers the events of a log to the members of groups: a complete broker for one process, which serves others over gRPC. */
export class EventHub implements EventBroker {
  readonly description: string;
  readonly #events: EventLog;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #wallClockMs: () => number;
  readonly #forgetGroupsAfterMs: number;
  /** Groups by topic, then by name. */
  readonly #groups = new Map<string, Map<string, Group>>();
  readonly #delays = new Set<() => void>();
  #acknowledged: AcknowledgedBatch | undefined;
  #cancelSweep: () => void;
  #isClosed = false;

  constructor(events: EventLog, options: EventHubOptions) {
    this.#events = events;
    this.#log = options.log;
    this.#clock = options.clock;
    this.description = options.description;
    this.#wallClockMs = options.wallClockMs ?? Date.now;
    this.#forgetGroupsAfterMs = options.forgetGroupsAfterMs ?? 7 * dayMs;
    this.#cancelSweep = this.#clock.after(sweepMs, () => this.#sweep());
  }

  async append(records: readonly EventRecord[]): Promise<ReadonlySet<string>> {
    this.#refuseClosed();
    this.#events.append(records);
    for (const topic of new Set(records.map((record) => record.topic))) {
      for (const group of this.#groups.get(topic)?.values() ?? []) this.#schedule(group);
    }
    return new Set(records.map(({ id }) => id));
  }

  consume({ topic, group: name, maxInFlight }: ConsumeOptions, onDelivery: (delivery: Delivery) => void): Consumer {
    this.#refuseClosed();
    const group = this.#groupOf(topic, name);
    const member: Member = { maxInFlight, onDelivery, inFlight: new Set(), isPaused: false };
    group.members.add(member);
    this.#schedule(group);
    const pause = async (): Promise<void> => {
      member.isPaused = true;
    };
    return {
      pause,
      close: async () => {
        member.isPaused = true;
        group.members.delete(member);
        for (const seq of member.inFlight) group.held.delete(seq);
        member.inFlight.clear();
        this.#schedule(group);
      },
    };
  }

  async check(): Promise<void> {
    this.#refuseClosed();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelSweep();
    for (const cancel of this.#delays) cancel();
    this.#events.close();
  }

  #groupOf(topic: string, name: string): Group {
    const ofTopic = this.#groups.get(topic) ?? new Map<string, Group>();
    this.#groups.set(topic, ofTopic);
    const known = ofTopic.get(name);
    if (known !== undefined) return known;
    const id = this.#events.subscribe(topic, name);
    const group: Group = { id, name, members: new Set(), held: new Set(), isScheduled: false };
    ofTopic.set(name, group);
    return group;
  }

  /** Schedules a delivery in a separate turn, so that many appends and settlements share one query of the log. */
  #schedule(group: Group): void {
    if (group.isScheduled) return;
    group.isScheduled = true;
    setImmediate(() => {
      group.isScheduled = false;
      if (!this.#isClosed) this.#dispatch(group);
    });
  }

  #dispatch(group: Group): void {
    const members = [...group.members].filter(hasCapacity);
    const free = members.reduce((sum, { maxInFlight, inFlight }) => sum + maxInFlight - inFlight.size, 0);
    if (free === 0) return;
    let events: readonly LoggedEvent[] = [];
    if (
      !this.#attempt(() => {
        events = this.#events.next(group.id, free, group.held);
      })
    ) {
      this.#clock.after(retryMs, () => this.#schedule(group));
    }
    for (const event of events) {
      // Each event goes to the member with the fewest in flight.
      const member = members
        .filter(hasCapacity)
        .reduce((least, one) => (one.inFlight.size < least.inFlight.size ? one : least));
      group.held.add(event.seq);
      member.inFlight.add(event.seq);
      member.onDelivery(this.#createDelivery(group, member, event));
    }
  }

  #createDelivery(group: Group, member: Member, event: LoggedEvent): Delivery {
    const { seq } = event;
    /** Settles an event, unless the member was closed: another one may have it by now. */
    const settle = async (act: () => void): Promise<void> => {
      this.#refuseClosed();
      if (!member.inFlight.has(seq)) return;
      act();
      member.inFlight.delete(seq);
      group.held.delete(seq);
      this.#schedule(group);
    };
    return {
      record: event.record,
      attempt: event.attempts + 1,
      acknowledge: () => this.#acknowledge(group, member, seq),
      retry: (delayMs) => settle(() => this.#delay(group, seq, delayMs)),
      bury: (reason) => settle(() => this.#events.bury(group.id, event, group.name, reason)),
      keepAlive() {},
    };
  }

  /** Acknowledges an event; it is stored at the end of the turn, together with all others. */
  async #acknowledge(group: Group, member: Member, seq: number): Promise<void> {
    this.#refuseClosed();
    if (!member.inFlight.has(seq)) return;
    this.#acknowledged ??= this.#storeAcknowledged();
    this.#acknowledged.settled.push({ subscription: group.id, seq });
    await this.#acknowledged.stored;
    member.inFlight.delete(seq);
    group.held.delete(seq);
    this.#schedule(group);
  }

  #storeAcknowledged(): AcknowledgedBatch {
    const settled: AcknowledgedBatch["settled"] = [];
    const stored = new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        this.#acknowledged = undefined;
        try {
          this.#refuseClosed();
          this.#events.acknowledge(settled);
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
    return { settled, stored };
  }

  /** Delays an event. The time is not stored: after a restart, the next attempt follows at once. */
  #delay(group: Group, seq: number, delayMs: number): void {
    this.#events.delay(group.id, seq);
    this.#releaseAfter(group, seq, delayMs);
  }

  #releaseAfter(group: Group, seq: number, delayMs: number): void {
    const cancel = this.#clock.after(delayMs, () => {
      this.#delays.delete(cancel);
      const isReleased = this.#attempt(() => this.#events.release(group.id, seq));
      if (isReleased) this.#schedule(group);
      else this.#releaseAfter(group, seq, retryMs);
    });
    this.#delays.add(cancel);
  }

  #sweep(): void {
    this.#cancelSweep = this.#clock.after(sweepMs, () => this.#sweep());
    this.#attempt(() => {
      for (const groups of this.#groups.values()) {
        for (const { id, members } of groups.values()) if (members.size > 0) this.#events.touch(id);
      }
      for (const { topic, group } of this.#events.dropGroups(this.#wallClockMs() - this.#forgetGroupsAfterMs)) {
        this.#groups.get(topic)?.delete(group);
        this.#log.warn("removed an event group that had no members for too long", { group, topic });
      }
    });
  }

  /** Runs an operation on the log; a failure, such as a full disk, is logged and does not end the process. */
  #attempt(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      this.#log.error("the event hub cannot use its log", { error });
      return false;
    }
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new Error(`${this.description} is closed`);
  }
}

function hasCapacity({ isPaused, inFlight, maxInFlight }: Member): boolean {
  return !isPaused && inFlight.size < maxInFlight;
}
