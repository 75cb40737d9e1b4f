import { randomUUID } from "node:crypto";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { refuseUnknownOptions } from "@tercel/grpc/internal";
import { currentTraceParent } from "@tercel/interceptors/tracing";

export interface PublishOptions {
  /**
   * Key for ordering: events of one type with the same key are handled in the order in which they were published. An order's id, for example.
   * Default: none, so that no event waits for another.
   */
  readonly key?: string;
}

/** An event in transit, independent of the broker. */
export interface EventRecord {
  /** Unique ID, which is the same when the event is sent again. */
  readonly id: string;
  /** The full name of the message's type. */
  readonly topic: string;
  /** Key for ordering; empty for none. */
  readonly key: string;
  /** The message in protobuf's binary format. */
  readonly payload: Uint8Array;
  /** W3C `traceparent` of the publisher; empty if it was not traced. */
  readonly traceParent: string;
  /** Wall-clock time of publication, in milliseconds since 1970. */
  readonly publishedMs: number;
}

/** Maximum size of a message: NATS allows 1 MiB by default. */
export const maxPayloadBytes = 1024 * 1024 - 16 * 1024;
const maxKeyLength = 256;

/**
 * Creates the record of an event that is published now.
 *
 * @throws TypeError for an unknown option, RangeError for a message that is too large or a key that is too long
 */
export function createEventRecord<Desc extends DescMessage>(
  schema: Desc,
  message: MessageInitShape<Desc>,
  options: PublishOptions = {},
): EventRecord {
  const where = `publish ${schema.typeName}`;
  refuseUnknownOptions(where, options, ["key"]);
  const { key = "" } = options;
  if (key.length > maxKeyLength) {
    throw new RangeError(`${where}: key has ${key.length} characters; the limit is ${maxKeyLength}`);
  }
  const payload = toBinary(schema, create(schema, message));
  if (payload.length > maxPayloadBytes) {
    throw new RangeError(
      `${where}: the message has ${payload.length} bytes; the limit is ${maxPayloadBytes}; publish a reference to larger data`,
    );
  }
  return {
    id: randomUUID(),
    topic: schema.typeName,
    key,
    payload,
    traceParent: currentTraceParent() ?? "",
    publishedMs: Date.now(),
  };
}
