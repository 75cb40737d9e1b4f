import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Event, EventSchema } from "../../gen/tercel/events/v1/event_hub_pb.ts";
import { type EventRecord, maxPayloadBytes } from "../event-record.ts";

const maxNameLength = 256;

export function toEventMessage(record: EventRecord): Event {
  const { publishedMs, ...rest } = record;
  return create(EventSchema, { ...rest, publishedMs: BigInt(publishedMs) });
}

/** Converts and validates a received event. @throws ConnectError InvalidArgument for an invalid event */
export function fromEventMessage(event: Event): EventRecord {
  const { id, topic, key, payload, traceParent, publishedMs } = event;
  checkName("id", id);
  checkName("topic", topic);
  if (key.length > maxNameLength) throw invalid(`key has ${key.length} characters; the limit is ${maxNameLength}`);
  if (traceParent.length > maxNameLength) throw invalid("trace_parent is too long");
  if (payload.length > maxPayloadBytes) {
    throw invalid(`payload has ${payload.length} bytes; the limit is ${maxPayloadBytes}`);
  }
  return { id, topic, key, payload, traceParent, publishedMs: Number(publishedMs) };
}

export function checkName(field: string, name: string): void {
  if (name === "") throw invalid(`${field} is empty`);
  if (name.length > maxNameLength)
    throw invalid(`${field} has ${name.length} characters; the limit is ${maxNameLength}`);
}

function invalid(message: string): ConnectError {
  return new ConnectError(message, Code.InvalidArgument);
}
