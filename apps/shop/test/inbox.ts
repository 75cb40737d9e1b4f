import { setTimeout } from "node:timers/promises";
import { connect, type LooseClient, type LooseMessage } from "./grpc-client.ts";
import { listAll } from "./list-all.ts";

/** Nothing says when a stream has begun, so what came before is found by looking again. */
const lookAgainMs = 1_000;

/** What the shop's users are notified of, followed by a stream: a test waits for notifications instead of for time to pass. */
export class Inbox {
  readonly #client: LooseClient;
  readonly #stream: ReturnType<LooseClient["stream"]>;
  readonly #headers: Readonly<Record<string, string>>;
  #next = Promise.withResolvers<void>();

  /**
   * @param headers with a token of an admin
   * @param authority by TLS where it is given
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

  /** All notifications, or those of a user, once there are so many. */
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

  /** The kinds of the notifications of a user, sorted, once there are so many. */
  async kinds(userId: string, count = 3): Promise<string[]> {
    return (await this.until(count, userId)).map(({ kind }) => kind).sort();
  }

  close(): void {
    this.#stream.cancel();
    this.#client.close();
  }
}
