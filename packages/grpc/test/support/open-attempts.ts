import type { TestContext } from "node:test";
import { type Client, type ConnectError, createClient, type HandlerContext } from "@connectrpc/connect";
import type { ChannelOptions } from "@tercel/grpc";
import { createFakeClock, createInMemoryTransport, type FakeClock } from "@tercel/grpc/testing";
import { aborted, quiet } from "@tercel/test-support/async";
import { EchoService } from "../gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes } from "./open-echo.ts";

/** One attempt as the server sees it, waiting for the test to answer. */
export interface SeenAttempt {
  /** The request's text; those of a stream arrive one by one. */
  readonly texts: string[];
  readonly context: HandlerContext;
  /** What `grpc-previous-rpc-attempts` says. */
  readonly earlier: string | null;
  answer(text: string): void;
  fail(error: ConnectError): void;
}

export interface Attempts {
  readonly client: Client<typeof EchoService>;
  readonly clock: FakeClock;
  readonly seen: readonly SeenAttempt[];
  /** Waits until the server sees that attempt; 0 is the first. */
  attempt(index: number): Promise<SeenAttempt>;
  /** Lets whatever is on its way arrive, and tells how many attempts the server has seen. */
  count(): Promise<number>;
  readonly transport: ReturnType<typeof createInMemoryTransport>;
}

/** A server whose every answer the test gives, and a channel to it on a clock that stands still. */
export function openAttempts(test: TestContext, options: Omit<ChannelOptions, "tls" | "connectTimeoutMs">): Attempts {
  const clock = createFakeClock();
  const seen: SeenAttempt[] = [];
  const arrivals: (() => void)[] = [];
  const see = (context: HandlerContext, texts: string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const earlier = context.requestHeader.get("grpc-previous-rpc-attempts");
      seen.push({ texts, context, earlier, answer: resolve, fail: reject });
      aborted(context.signal).then(reject);
      for (const arrived of arrivals.splice(0)) arrived();
    });
  const transport = createInMemoryTransport({
    routes: echoRoutes({
      unary: async ({ text }, context) => ({ text: await see(context, [text]) }),
      clientStream: async (requests, context) => {
        const texts: string[] = [];
        read(requests, texts);
        return { text: await see(context, texts) };
      },
      async *serverStream({ text }, context) {
        yield { text: await see(context, [text]) };
      },
      async *bidi(requests, context) {
        const texts: string[] = [];
        const reading = read(requests, texts);
        yield { text: await see(context, texts) };
        await reading;
      },
    }),
    channelOptions: { clock, random: () => 0.5, ...options },
  });
  test.after(() => transport.close({ deadlineMs: 0 }));
  return {
    client: createClient(EchoService, transport),
    clock,
    seen,
    transport,
    async attempt(index) {
      for (;;) {
        const found = seen[index];
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => arrivals.push(resolve));
      }
    },
    async count() {
      await quiet();
      return seen.length;
    },
  };
}

/** Collects texts as they come, until there are no more for whatever reason. */
async function read(requests: AsyncIterable<{ readonly text: string }>, texts: string[]): Promise<void> {
  try {
    for await (const { text } of requests) texts.push(text);
  } catch {
    // The call was ended, which is what the test looks at elsewhere.
  }
}
