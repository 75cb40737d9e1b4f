import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { LoadRequest, LoadService } from "../gen/tercel/soak/v1/load_pb.ts";

export interface LoadServer {
  readonly service: ServiceImpl<typeof LoadService>;
  /** The number of running handlers. */
  readonly running: number;
  /** The served calls in order, including repetitions; undefined if they are not recorded. */
  readonly servedIds: readonly number[] | undefined;
}

/** Responds as the request says. A handler whose call is cancelled ends at once. */
export function createLoadServer(recordsIds: boolean, workMs?: number): LoadServer {
  let running = 0;
  const servedIds: number[] = [];

  async function begin({ id, delayMs }: LoadRequest, { signal }: HandlerContext): Promise<void> {
    running++;
    if (recordsIds) servedIds.push(id);
    if (delayMs > 0) await pause(delayMs, signal);
  }

  return {
    get running() {
      return running;
    },
    servedIds: recordsIds ? servedIds : undefined,
    service: {
      async unary(request, context) {
        try {
          await begin(request, context);
          if (workMs !== undefined) await work(workMs);
          return answer(request, request.payload.length);
        } finally {
          running--;
        }
      },

      async *serverStream(request, context) {
        try {
          await begin(request, context);
          for (let at = 0; at < request.answers; at++) yield answer(request, request.payload.length);
        } finally {
          running--;
        }
      },

      async clientStream(requests) {
        running++;
        try {
          let last: LoadRequest | undefined;
          let received = 0;
          for await (const request of requests) {
            last = request;
            received += request.payload.length;
          }
          return last === undefined ? {} : answer(last, received);
        } finally {
          running--;
        }
      },

      async *bidiStream(requests) {
        running++;
        try {
          for await (const request of requests) yield answer(request, request.payload.length);
        } finally {
          running--;
        }
      },
    },
  };
}

function answer({ id, answerBytes }: LoadRequest, receivedBytes: number) {
  return { id, payload: new Uint8Array(answerBytes).fill(id & 0xff), receivedBytes: BigInt(receivedBytes) };
}

/** Uses CPU time in portions, like handlers that wait in between. */
async function work(workMs: number): Promise<void> {
  for (let portion = 0; portion < 2; portion++) {
    await new Promise((resolve) => setImmediate(resolve));
    const untilMs = performance.now() + workMs / 2;
    while (performance.now() < untilMs);
  }
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}
