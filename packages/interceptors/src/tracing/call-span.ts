import type { DescMethod } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { type Attributes, type Span, SpanKind, type SpanOptions, SpanStatusCode } from "@opentelemetry/api";
import type { MessageObserver } from "@tercel/grpc/hooks";
import { printable } from "@tercel/grpc/internal";
import { type Conventions, isErrorFor, splitAddress } from "../call/conventions.ts";
import { pathOfMethod } from "../call/method-path.ts";
import { type Status, statusName } from "../call/status-name.ts";

/** The kinds of spans in gRFC A72: a call on its client, one attempt, and a call on its server. */
export type SpanOf = "Sent" | "Attempt" | "Recv";

/** The name, attributes and options of all spans of one kind for a method. */
export interface DescribedMethod {
  readonly name: string;
  readonly attributes: Attributes;
  readonly options: SpanOptions;
}

/** Returns a function that describes the spans of a method, and caches the descriptions. */
export function createMethodDescriptions(
  of: SpanOf,
  conventions: Conventions,
): (method: DescMethod) => DescribedMethod {
  const known = new WeakMap<DescMethod, DescribedMethod>();
  return (method) => {
    let described = known.get(method);
    if (described === undefined) {
      described = describeMethod(of, conventions, method);
      known.set(method, described);
    }
    return described;
  };
}

function describeMethod(of: SpanOf, conventions: Conventions, method: DescMethod): DescribedMethod {
  const path = pathOfMethod(method);
  const attributes: Attributes = {};
  if (conventions !== "opentelemetry") {
    attributes["rpc.system"] = "grpc";
    attributes["rpc.service"] = method.parent.typeName;
    attributes["rpc.method"] = method.name;
  }
  if (conventions !== "grpc") {
    attributes["rpc.system.name"] = "grpc";
    attributes["rpc.method"] = path;
  }
  const kind = of === "Recv" ? SpanKind.SERVER : SpanKind.CLIENT;
  // OpenTelemetry does not define spans of attempts, so they have gRPC's name, with a dot for the slash as in gRPC's other implementations.
  const isNamedByGrpc = conventions === "grpc" || of === "Attempt";
  return { name: isNamedByGrpc ? `${of}.${path.replace("/", ".")}` : path, attributes, options: { kind, attributes } };
}

/** Texts of peers and applications in spans are cut at this length. */
export const maxTextChars = 256;

export function endSpan(span: Span, of: SpanOf, conventions: Conventions, status: Status, error: unknown): void {
  const isError = isErrorFor(of === "Recv" ? "server" : "client", status);
  if (conventions !== "opentelemetry") span.setAttribute("rpc.grpc.status_code", status);
  if (conventions !== "grpc") {
    const name = statusName(status);
    span.setAttribute("rpc.response.status_code", name);
    if (isError) span.setAttribute("error.type", name);
  }
  if (isError) span.setStatus({ code: SpanStatusCode.ERROR, message: printable(textOf(error), maxTextChars) });
  span.end();
}

/** Adds a metadata value of the request to the span. The caller must have made it printable. */
export function addRequestMetadata(span: Span, conventions: Conventions, name: string, value: string): void {
  if (conventions !== "opentelemetry") span.setAttribute(`rpc.grpc.request.metadata.${name}`, [value]);
  if (conventions !== "grpc") span.setAttribute(`rpc.request.metadata.${name}`, [value]);
}

function textOf(error: unknown): string {
  if (error instanceof ConnectError) return error.rawMessage;
  return error instanceof Error ? `${error.name}: ${error.message}` : "";
}

/** The attributes that get an address: those of the client or server, and those of the network peer. */
export type PeerOf = "client" | "server" | "network.peer";

/** @param address `host:port`, with IPv6 in brackets */
export function addPeer(span: Span, peers: readonly PeerOf[], address: string | undefined): void {
  if (address === undefined || address === "") return;
  const [host, port] = splitAddress(address);
  for (const peer of peers) {
    span.setAttribute(`${peer}.address`, host);
    if (port !== undefined) span.setAttribute(`${peer}.port`, port);
  }
}

/** The maximum number of message events in each direction, because a span is kept in memory until its call ends. */
const maxMessageEvents = 128;

/** Adds the messages of a call as events to a span, numbered from 1 in each direction. */
export class MessageEvents implements MessageObserver {
  private readonly span: Span;
  private readonly counts = { SENT: 0, RECEIVED: 0 };

  constructor(span: Span) {
    this.span = span;
  }

  /** Adds an event for a message. `size` is omitted if it is unknown. */
  add(type: "SENT" | "RECEIVED", size?: Attributes): void {
    const id = ++this.counts[type];
    if (id > maxMessageEvents) return;
    this.span.addEvent("rpc.message", { "rpc.message.type": type, "rpc.message.id": id, ...size });
  }

  onSent(bytes: number, isCompressed: boolean): void {
    this.add("SENT", sizeOf(bytes, isCompressed));
  }

  onReceived(bytes: number, isCompressed: boolean): void {
    this.add("RECEIVED", sizeOf(bytes, isCompressed));
  }

  /** Counts messages that were received before this observer started. */
  skipReceived(messages: number): void {
    this.counts.RECEIVED += messages;
  }
}

function sizeOf(bytes: number, isCompressed: boolean): Attributes {
  return { [isCompressed ? "rpc.message.compressed_size" : "rpc.message.uncompressed_size"]: bytes };
}
