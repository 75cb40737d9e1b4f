import { unavailable } from "@tercel/grpc/errors";

/** Yields the messages of a client until the service stops, so that an idle client does not delay the stop. */
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
