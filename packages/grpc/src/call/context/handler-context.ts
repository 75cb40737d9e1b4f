import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectError, ContextValues, HandlerContext } from "@connectrpc/connect";
import type { MessageObserver } from "../../hooks/message-observer.ts";
import { isAsciiValue, isBinaryName, isReservedName, stripEdges } from "../../protocol/metadata-field.ts";
import { type CallInfo, type ClientTls, callInfo, type OnCallEnd } from "./call-info.ts";
import { CallValues } from "./call-values.ts";
import type { ResponseMetadata } from "./response-metadata.ts";

/** The values of a context, read from the call only when they are used. */
export interface ContextSource extends CallInfo {
  readonly url: string;
  /** Of a protocol other than gRPC: its name as Connect has it, and the request's HTTP method. */
  readonly protocolName?: string;
  readonly requestMethod?: string;
  readonly signal: AbortSignal;
  makeRequestHeader(): Headers;
  findRequestHeader(name: string): string | null;
}

/** The context a handler gets (Connect's HandlerContext). Headers, signal and values are made on first use. */
export class CallContext implements HandlerContext, CallInfo, ResponseMetadata {
  readonly method: DescMethod;
  private readonly source: ContextSource;
  private header: Headers | undefined = undefined;
  /** Response metadata that the handler has set; undefined until the handler first reads it. */
  givenHeader: Headers | undefined = undefined;
  givenTrailer: Headers | undefined = undefined;
  /** The call's values; an interceptor may replace them. Undefined until they are first read. */
  givenValues: ContextValues | undefined = undefined;
  /** What interceptors were handed as the request and as the response; undefined without interceptors. */
  handedRequest: object | undefined = undefined;
  handedResponse: object | undefined = undefined;
  /** Response headers that were set before a Headers object was first read, fit to be sent: name, value, name, value, … */
  plainHeader: string[] | undefined = undefined;

  constructor(source: ContextSource, method: DescMethod) {
    this.source = source;
    this.method = method;
  }

  get requestMethod(): string {
    return this.source.requestMethod ?? "POST";
  }

  get protocolName(): string {
    return this.source.protocolName ?? "grpc";
  }

  get service(): DescService {
    return this.method.parent;
  }

  get url(): string {
    return this.source.url;
  }

  get signal(): AbortSignal {
    return this.source.signal;
  }

  get requestHeader(): Headers {
    this.header ??= this.source.makeRequestHeader();
    return this.header;
  }

  get peerAddress(): string | undefined {
    return this.source.peerAddress;
  }

  get peerTls(): ClientTls | undefined {
    return this.source.peerTls;
  }

  get endedBy(): ConnectError | undefined {
    return this.source.endedBy;
  }

  get arrivedAtMs(): number | undefined {
    return this.source.arrivedAtMs;
  }

  remainingMs(): number | undefined {
    return this.source.remainingMs();
  }

  get hasDeadline(): boolean {
    return this.source.hasDeadline;
  }

  shortenDeadline(timeoutMs: number): void {
    this.source.shortenDeadline(timeoutMs);
  }

  whenOver(listener: OnCallEnd): void {
    this.source.whenOver(listener);
  }

  watchMessages(observer: MessageObserver): number {
    return this.source.watchMessages(observer);
  }

  /** A request header, without making all of them if no one has yet. */
  peekHeader(name: string): string | null {
    return this.header === undefined ? this.source.findRequestHeader(name) : this.header.get(name);
  }

  get responseHeader(): Headers {
    if (this.givenHeader !== undefined) return this.givenHeader;
    const header = new Headers();
    const plain = this.plainHeader ?? [];
    for (let at = 0; at < plain.length; at += 2) header.set(plain[at] as string, plain[at + 1] as string);
    this.plainHeader = undefined;
    this.givenHeader = header;
    return header;
  }

  /**
   * `responseHeader.set(name, value)`, without making all of it. `name` is in lower case, and metadata may have it. `isFit` where the value
   * is known to be printable ASCII without blanks at its ends.
   */
  setHeader(name: string, value: string, isFit: boolean): void {
    // What Headers or the sending of metadata would refuse, change or leave out is left to them.
    const isPlain =
      (isFit || (isAsciiValue(value) && stripEdges(value) === value)) && !isReservedName(name) && !isBinaryName(name);
    if (this.givenHeader !== undefined || !isPlain) {
      this.responseHeader.set(name, value);
      return;
    }
    const { plainHeader } = this;
    if (plainHeader === undefined) {
      this.plainHeader = [name, value];
      return;
    }
    for (let at = 0; at < plainHeader.length; at += 2) {
      if (plainHeader[at] !== name) continue;
      plainHeader[at + 1] = value;
      return;
    }
    plainHeader.push(name, value);
  }

  get responseTrailer(): Headers {
    this.givenTrailer ??= new Headers();
    return this.givenTrailer;
  }

  /** Whether the response has metadata to send; does not create any. */
  get hasResponseHeader(): boolean {
    if (this.plainHeader !== undefined) return true;
    return this.givenHeader !== undefined && this.givenHeader.keys().next().done !== true;
  }

  get values(): ContextValues {
    this.givenValues ??= new CallValues().set(callInfo, this);
    return this.givenValues;
  }

  /** A property that holds a function, so that a handler may take it out of the context. */
  get timeoutMs(): () => number | undefined {
    return () => this.source.remainingMs();
  }
}

/** What of a request interceptors may have replaced. */
export interface ReplacedRequest {
  readonly header: Headers;
  readonly signal: AbortSignal;
  readonly contextValues: ContextValues;
}

/** The context that the handler gets after interceptors that passed on another request. */
export function mergedContext(context: CallContext, request: ReplacedRequest): HandlerContext {
  return {
    requestMethod: context.requestMethod,
    protocolName: context.protocolName,
    service: context.service,
    method: context.method,
    url: context.url,
    values: request.contextValues,
    timeoutMs: context.timeoutMs,
    get signal() {
      return request.signal;
    },
    get requestHeader() {
      return request.header;
    },
    get responseHeader() {
      return context.responseHeader;
    },
    get responseTrailer() {
      return context.responseTrailer;
    },
  };
}
