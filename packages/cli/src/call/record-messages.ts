import { type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import type { FoundMethod } from "../schema/find-method.ts";

/** Passes messages on and records them as JSON, for a file that repeats the call. */
export interface MessageRecorder {
  readonly messages: AsyncIterable<Message>;
  /** Returns the message of a method that takes one, else all messages. */
  json(): JsonValue;
}

/** A saved request is for people; a caller that streams thousands of messages has them in a file already. */
const maxRecorded = 1000;

export function recordMessages({ method, registry }: FoundMethod, source: AsyncIterable<Message>): MessageRecorder {
  const recorded: JsonValue[] = [];
  async function* pass(): AsyncIterable<Message> {
    for await (const message of source) {
      if (recorded.length < maxRecorded) recorded.push(toJson(method.input, message, { registry }));
      yield message;
    }
  }
  const takesOne = method.methodKind === "unary" || method.methodKind === "server_streaming";
  return { messages: pass(), json: () => (takesOne ? (recorded[0] ?? {}) : recorded) };
}
