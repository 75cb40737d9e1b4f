import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { EchoHandlers } from "../support/open-echo.ts";
import { between } from "./seeded-random.ts";

/** What all servers together have seen of each call; a call's identifier travels in `count`. */
export class CallLog {
  /** How often a handler has begun to run for a call. */
  readonly runs = new Map<number, number>();
  /** Handlers that have begun and not ended. */
  running = 0;

  /** Handlers that take a while, and note who calls. One in twenty of the repeatable calls is refused. */
  handlers(random: () => number): EchoHandlers {
    const work = (context: HandlerContext): Promise<void> =>
      sleep(between(random, 0, 30), undefined, { signal: context.signal });
    const run = async <T>(id: number, handle: () => Promise<T>): Promise<T> => {
      this.begin(id);
      try {
        return await handle();
      } finally {
        this.running--;
      }
    };
    const begin = (id: number): void => this.begin(id);
    const end = (): void => {
      this.running--;
    };
    return {
      unary: ({ count }, context) =>
        run(count, async () => {
          await work(context);
          return { count };
        }),
      async clientStream(requests, context) {
        let id: number | undefined;
        try {
          for await (const { count } of requests) {
            if (id === undefined) begin(count);
            id = count;
          }
          await work(context);
          if (random() < 0.05) throw new ConnectError(refusal, Code.Unavailable);
          return { count: id ?? 0 };
        } finally {
          if (id !== undefined) end();
        }
      },
      async *serverStream({ count }, context) {
        begin(count);
        try {
          for (let message = 0; message < messagesPerStream; message++) {
            await work(context);
            yield { count };
          }
        } finally {
          end();
        }
      },
      async *bidi(requests, context) {
        let hasBegun = false;
        try {
          for await (const { count } of requests) {
            if (!hasBegun) begin(count);
            hasBegun = true;
            await work(context);
            yield { count };
          }
        } finally {
          if (hasBegun) end();
        }
      },
    };
  }

  private begin(id: number): void {
    this.running++;
    this.runs.set(id, (this.runs.get(id) ?? 0) + 1);
  }
}

export const messagesPerStream = 3;

/** What a handler says that refuses a call. */
export const refusal = "not now";
