import { FailureError } from "../../failure/failure.ts";
import { toConnectError } from "../../failure/to-connect-error.ts";
import { toFailure } from "../../failure/to-failure.ts";

/** Runs the work of a handler; its failure becomes the error that a client gets. */
export async function failing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw toStatus(error);
  }
}

/** The same for work that does not wait. */
export function answering<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw toStatus(error);
  }
}

/** The same for a stream, whose items become messages. */
export async function* failingStream<Item, Message>(
  items: AsyncIterable<Item>,
  toMessage: (item: Item) => Message,
): AsyncGenerator<Message> {
  try {
    for await (const item of items) yield toMessage(item);
  } catch (error) {
    throw toStatus(error);
  }
}

/** What is neither ours nor the system's is a fault of the program, which the recovery interceptor reports. */
function toStatus(error: unknown): unknown {
  const isKnown = error instanceof FailureError || (error instanceof Error && "code" in error && "syscall" in error);
  return isKnown ? toConnectError(toFailure(error)) : error;
}
