import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Attributes, type Span, SpanKind, type SpanOptions, SpanStatusCode } from "@opentelemetry/api";
import type { MessageObserver } from "@tercel/grpc/hooks";
import { printable } from "@tercel/grpc/internal";
import { pathOfMethod } from "../call/method-names.ts";
import type { Status } from "../call/status-name.ts";

/** gRFC A72: a call as its client and its server see it, and one attempt to make it. */
export type SpanOf = "Sent" | "Attempt" | "Recv";

/** What all spans of a method begin with. */
export interface DescribedMethod {
  readonly name: string;
  readonly attributes: Attributes;
  readonly options: SpanOptions;
}

/** Names and attributes of a kind of span, made once for each method. */
export function createMethodDescriptions(of: SpanOf): (method: DescMethod) => DescribedMethod {
  const known = new WeakMap<DescMethod, DescribedMethod>();
  return (method) => {
    let described = known.get(method);
    if (described === undefined) {
      described = describeMethod(of, method);
      known.set(method, described);
    }
    return described;
  };
}

function describeMethod(of: SpanOf, method: DescMethod): DescribedMethod {
  const attributes = {
    "rpc.system": "grpc",
    "rpc.service": method.parent.typeName,
    "rpc.method": method.name,
  };
  const kind = of === "Recv" ? SpanKind.SERVER : SpanKind.CLIENT;
  // With a dot for the slash, as gRPC's other implementations have it.
  return { name: `${of}.${pathOfMethod(method).replace("/", ".")}`, attributes, options: { kind, attributes } };
}

/** Statuses that are a server's fault and not its client's (OpenTelemetry's semantic conventions for gRPC). */
const serverFaults: ReadonlySet<Status> = new Set([
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]);

/** What peers and applications write into spans is cut there. */
export const maxTextChars = 256;

export function endSpan(span: Span, of: SpanOf, status: Status, error: unknown): void {
  span.setAttribute("rpc.grpc.status_code", status);
  const isError = of === "Recv" ? serverFaults.has(status) : status !== 0;
  if (isError) span.setStatus({ code: SpanStatusCode.ERROR, message: printable(textOf(error), maxTextChars) });
  span.end();
}

function textOf(error: unknown): string {
  if (error instanceof ConnectError) return error.rawMessage;
  return error instanceof Error ? `${error.name}: ${error.message}` : "";
}

/** `host:port`, IPv6 in brackets. */
export function addPeer(span: Span, who: "client" | "server", address: string | undefined): void {
  if (address === undefined || address === "") return;
  const [, host = address, port] = /^(.*?)(?::(\d+))?$/.exec(address) ?? [];
  span.setAttribute(`${who}.address`, host.replace(/^\[|\]$/g, ""));
  if (port !== undefined) span.setAttribute(`${who}.port`, Number(port));
}

/** Messages beyond this many are no events any more: a span is kept in memory until its call ends. */
const maxMessageEvents = 128;

/** The messages of a call as events of a span, numbered from 1 in each direction. */
export class MessageEvents implements MessageObserver {
  private readonly span: Span;
  private readonly counts = { SENT: 0, RECEIVED: 0 };

  constructor(span: Span) {
    this.span = span;
  }

  /** For whoever sees a message pass, but not how it is sent. */
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

  /** So many have come that no one has told of. */
  skipReceived(messages: number): void {
    this.counts.RECEIVED += messages;
  }
}

function sizeOf(bytes: number, isCompressed: boolean): Attributes {
  return { [isCompressed ? "rpc.message.compressed_size" : "rpc.message.uncompressed_size"]: bytes };
}
