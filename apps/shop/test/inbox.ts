import { setTimeout } from "node:timers/promises";
import { connect, type LooseClient, type LooseMessage } from "./grpc-client.ts";
import { listAll } from "./list-all.ts";

/** The interval of lists. It is not known when a stream has started, so earlier notifications are found by listing again. */
const lookAgainMs = 1_000;

/** The notifications of the shop's users, from a stream, so that a test waits for notifications and not for time. */
export class Inbox {
  readonly #client: LooseClient;
  readonly #stream: ReturnType<LooseClient["stream"]>;
  readonly #headers: Readonly<Record<string, string>>;
  #next = Promise.withResolvers<void>();

  /**
   * @param headers The metadata with an admin's token
   * @param authority The authority of TLS; cleartext without it
   */
  constructor(address: string, headers: Readonly<Record<string, string>>, authority?: Buffer) {
    this.#client = connect("shop.notification.v1.NotificationService", address, authority);
    this.#headers = headers;
    this.#stream = this.#client.stream("StreamNotifications", {}, headers, 280_000);
    this.#stream.on("error", () => {});
    this.#stream.on("data", () => {
      this.#next.resolve();
      this.#next = Promise.withResolvers();
    });
  }

  /** Resolves to all notifications, or those of a user, when there are this many. */
  async until(count: number, userId = ""): Promise<LooseMessage[]> {
    for (;;) {
      const { promise: next } = this.#next;
      const found = await listAll(this.#client, "ListNotifications", { user_id: userId }, this.#headers);
      if (found.length >= count) return found;
      const looking = new AbortController();
      const later = setTimeout(lookAgainMs, undefined, { signal: looking.signal }).catch(() => {});
      await Promise.race([next, later]);
      looking.abort();
    }
  }

  /** Resolves to the sorted kinds of a user's notifications, when there are this many. */
  async kinds(userId: string, count = 3): Promise<string[]> {
    return (await this.until(count, userId)).map(({ kind }) => kind).sort();
  }

  close(): void {
    this.#stream.cancel();
    this.#client.close();
  }
}
