import type { HeldLock, LockOptions } from "../database.ts";
import { tryFileLock } from "./file-lock.ts";

/** The locks of one database, and who is notified while holding one. */
export class SqliteLocks {
  readonly #path: string | undefined;
  readonly #listeners = new Map<string, Set<() => void>>();
  /** Locks within this process; file locks exclude other processes, for data in a file. */
  readonly #locks = new Set<string>();

  /** @param path of the database; undefined in memory, where no other process needs to be excluded */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  tryLock(name: string, { channel, onNotify }: LockOptions = {}): HeldLock | undefined {
    if (this.#locks.has(name)) return undefined;
    const file = this.#path === undefined ? undefined : tryFileLock(`${this.#path}-${name}`);
    if (file === undefined && this.#path !== undefined) return undefined;
    this.#locks.add(name);
    const listeners = channel === undefined ? undefined : this.#listenersOf(channel);
    if (onNotify !== undefined) listeners?.add(onNotify);
    let isHeld = true;
    return {
      // A running process cannot lose the lock.
      lost: new AbortController().signal,
      release: async () => {
        if (!isHeld) return;
        isHeld = false;
        if (onNotify !== undefined) listeners?.delete(onNotify);
        this.#locks.delete(name);
        file?.release();
      },
    };
  }

  /** Notifies the holders of locks that listen to the channel. */
  notify(channel: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener();
  }

  #listenersOf(channel: string): Set<() => void> {
    const known = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, known);
    return known;
  }
}
