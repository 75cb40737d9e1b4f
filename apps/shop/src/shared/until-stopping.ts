import { unavailable } from "@tercel/grpc/errors";

/** The messages of a client until the service stops: a client that says nothing must not hold up the stop. */
export async function* untilStopping<Message>(messages: AsyncIterable<Message>, stopping: AbortSignal) {
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  stopped.catch(() => {});
  const stop = (): void => reject(unavailable("the server is shutting down"));
  stopping.addEventListener("abort", stop, { once: true });
  if (stopping.aborted) stop();
  const iterator = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), stopped]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    stopping.removeEventListener("abort", stop);
    void iterator.return?.();
  }
}
