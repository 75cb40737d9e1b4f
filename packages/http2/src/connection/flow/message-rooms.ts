import type { Clock } from "../time/clock.ts";
import type { SharedUnfinished, UnfinishedMessages } from "./unfinished-messages.ts";

/**
 * How long a stream keeps its room while others wait. After that the application may hold the message for as long as it likes: whatever it
 * waits for meanwhile, another message perhaps, must be able to come.
 */
const keptMs = 1000;

/** A stream for whose messages there is room. */
export interface RoomUser {
  /** The stream is over, and no handler runs for it. */
  readonly isReleased: boolean;
}

interface Room {
  bytes: number;
  readonly sinceMs: number;
  /** Its message is being made. */
  isFilling: boolean;
}

interface Waiter {
  readonly user: RoomUser;
  readonly bytes: number;
  readonly proceed: () => void;
}

/**
 * Room for messages that are larger once they are made than what the peer sent for them. It counts against the budget of unfinished
 * messages, and those that find none wait, first come first served. A connection that holds no such message always has room for one.
 *
 * A stream keeps its room for the messages that follow, until they are used up or it is released, because an application usually holds a
 * message until it gets the next; while others wait, for a second at most. So a slow application takes no more than the budget in a second,
 * as if the peer had sent it in full.
 */
export class MessageRooms {
  readonly #budget: UnfinishedMessages;
  readonly #shared: SharedUnfinished;
  readonly #clock: Clock;
  readonly #rooms = new Map<RoomUser, Room>();
  readonly #waiting = new Set<Waiter>();
  #isGone = false;

  constructor(budget: UnfinishedMessages, shared: SharedUnfinished, clock: Clock) {
    this.#budget = budget;
    this.#shared = shared;
    this.#clock = clock;
  }

  /** Makes the stream's room large enough for a message of `bytes`, which is made next. A promise: it has to wait for that. */
  take(user: RoomUser, bytes: number): Promise<void> | undefined {
    if (this.#isGone) return undefined;
    const isFirst = this.#waiting.size === 0 || bytes <= (this.#rooms.get(user)?.bytes ?? 0);
    if (isFirst && this.#tryTake(user, bytes)) return undefined;
    return new Promise((resolve) => {
      this.#waiting.add({ user, bytes, proceed: resolve });
      this.#shared.waiting.add(this);
    });
  }

  /** The message is made, and has `bytes` bytes, which fit the room. 0: the message does not exist, or has been consumed. */
  keep(user: RoomUser, bytes: number): void {
    const room = this.#rooms.get(user);
    if (room === undefined) return;
    room.isFilling = false;
    if (bytes === 0 || user.isReleased) this.#delete(user, room);
    else if (bytes < room.bytes) this.#resize(room, bytes);
  }

  /** The call was aborted: it stops waiting and gives up its room. */
  leave(user: RoomUser): void {
    for (const waiter of this.#waiting) {
      if (waiter.user !== user) continue;
      this.#waiting.delete(waiter);
      waiter.proceed();
    }
    this.grantWaiting();
  }

  /** The stream is over, and its handler has ended. */
  release(user: RoomUser): void {
    const room = this.#rooms.get(user);
    if (room !== undefined && !room.isFilling) this.#delete(user, room);
  }

  grantWaiting(): void {
    for (const waiter of this.#waiting) {
      if (!this.#tryTake(waiter.user, waiter.bytes)) return;
      this.#waiting.delete(waiter);
      waiter.proceed();
    }
    this.#shared.waiting.delete(this);
  }

  /** A tick. */
  enforce(nowMs: number): void {
    if (this.#shared.waiting.size === 0) return;
    for (const [user, room] of this.#rooms) {
      if (!room.isFilling && nowMs - room.sinceMs >= keptMs) this.#delete(user, room);
    }
  }

  /** The connection is gone. */
  end(): void {
    this.#isGone = true;
    this.#shared.waiting.delete(this);
    for (const { proceed } of this.#waiting) proceed();
    this.#waiting.clear();
    for (const [user, room] of this.#rooms) this.#delete(user, room);
  }

  #tryTake(user: RoomUser, bytes: number): boolean {
    const own = this.#rooms.get(user);
    const more = bytes - (own?.bytes ?? 0);
    const isOnlyOne = this.#rooms.size === (own === undefined ? 0 : 1);
    if (more > 0 && !isOnlyOne && !this.#budget.hasRoom(more)) return false;
    const room = own ?? { bytes: 0, sinceMs: this.#clock.nowMs(), isFilling: true };
    if (own === undefined) this.#rooms.set(user, room);
    room.isFilling = true;
    if (more > 0) this.#resize(room, bytes);
    return true;
  }

  #delete(user: RoomUser, room: Room): void {
    this.#rooms.delete(user);
    this.#resize(room, 0);
  }

  #resize(room: Room, bytes: number): void {
    const change = bytes - room.bytes;
    room.bytes = bytes;
    if (change > 0) this.#budget.hold(change);
    else this.#budget.letGo(-change);
  }
}
