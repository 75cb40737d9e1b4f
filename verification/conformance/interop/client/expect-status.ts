import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";

/** Throws unless the call ends with this code, and with this message if given. */
export async function expectStatus(call: Promise<unknown>, code: Code, message?: string): Promise<void> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => ConnectError.from(reason),
  );
  assert.ok(error !== undefined, `the call went well; ${Code[code]} was due`);
  assert.equal(Code[error.code], Code[code], error.message);
  if (message !== undefined) assert.equal(error.rawMessage, message);
}

/** Reads all messages of a stream. */
export async function takeAll<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const message of messages) taken.push(message);
  return taken;
}
