import { FailureError } from "../../failure/failure.ts";
import { toConnectError } from "../../failure/to-connect-error.ts";
import { toFailure } from "../../failure/to-failure.ts";

/** Runs a handler and converts its failure to the client's error. */
export async function failing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw toStatus(error);
  }
}

/** Runs a synchronous handler and converts its failure to the client's error. */
export function answering<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw toStatus(error);
  }
}

/** Runs a streaming handler, converts its items to messages and its failure to the client's error. */
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

/** Converts a FailureError or a system error. Other errors are bugs, which the recovery interceptor reports. */
function toStatus(error: unknown): unknown {
  const isKnown = error instanceof FailureError || (error instanceof Error && "code" in error && "syscall" in error);
  return isKnown ? toConnectError(toFailure(error)) : error;
}
