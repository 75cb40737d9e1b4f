// Imported, because reading the global `performance` runs a getter.
import { performance } from "node:perf_hooks";
import type { DescMessage, DescMethod, Message } from "@bufbuild/protobuf";
import { ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { callInfo } from "@tercel/grpc";
import { containRejection, printable, reportLogFailure, thrownMessage } from "@tercel/grpc/internal";
import { authorityOf } from "../call/authority-of.ts";
import { callerKey } from "../call/caller.ts";
import { methodPath } from "../call/method-path.ts";
import { createMethodFilter, type MethodSelector } from "../call/method-selector.ts";
import { type CallObserver, observeCalls, type Side } from "../call/observe-calls.ts";
import {
  callback,
  flag,
  listOf,
  logOption,
  type OptionsOf,
  own,
  readOptions,
  share,
  wholeNumber,
} from "../call/options.ts";
import { requestIdOn } from "../call/request-id.ts";
import { okStatus, type Status, statusName } from "../call/status-name.ts";
import { spanIdsOf } from "../call/trace-context.ts";
import { createLog, JsonLog, type LeveledLog } from "./json-log.ts";
import { type LogLevel, levelOfStatus } from "./level-of-status.ts";
import { durationText, MethodLines, textOf } from "./line-text.ts";
import { defaultReadableLimits, type ReadableLimits, readableMessage } from "./readable-message.ts";
import { readableMetadata } from "./readable-metadata.ts";
import { isSecretName } from "./secret-name.ts";

export const loggingOptions = {
  /** Receives the lines. Default: `createLog()`, which writes JSON lines to standard output. `toLog` adapts pino. */
  log: own<LeveledLog>("a log with the methods debug, info, warn and error", logOption().accepts),
  /** Returns the level of a call's line for its status (0 is OK); "silent" drops the line. Default: `levelOfStatus`. */
  levelOf: callback<(status: Status, method: string) => LogLevel | "silent">().or(levelOfStatus),
  /** The share of successful calls that are logged, from 0 to 1. Failed calls are always logged. Default 1. */
  sampleRate: share().or(1),
  /** Methods whose successful calls are not logged, such as `grpc.health.v1.Health/*`. Default: none. */
  ignore: listOf(
    own<MethodSelector>("a method", (selector) => typeof selector === "string"),
    "a list of methods",
  ).or([]),
  /** The request metadata to log: names, or true for all. Values of secret names are masked. Default: none. */
  metadata: own<true | readonly string[]>("true or a list of names", (value) => value === true || Array.isArray(value)),
  /** Whether to log messages: in the call's line for unary calls, in separate lines for streams. Default false. */
  payloads: flag().or(false),
  /** Returns whether a name in messages or metadata is secret, in addition to those of `isSecretName`. Default: no other names. */
  isSecret: callback<(name: string) => boolean>(),
  /** The maximum length of untrusted texts in a line: errors, metadata and fields. Default 256 characters. */
  maxChars: wholeNumber(0).or(defaultReadableLimits.maxChars),
};

export type LoggingOptions = OptionsOf<typeof loggingOptions>;

/**
 * Creates a server interceptor that logs one line for each call, at its end.
 *
 * @throws TypeError for an unknown option, RangeError for a number that is out of range
 */
export function createServerLogging(options: LoggingOptions = {}): Interceptor {
  return logging("server", "createServerLogging", options);
}

/**
 * Creates a client interceptor that logs one line for each call, at its end.
 *
 * @throws TypeError for an unknown option, RangeError for a number that is out of range
 */
export function createClientLogging(options: LoggingOptions = {}): Interceptor {
  return logging("client", "createClientLogging", options);
}

function logging(side: Side, where: string, options: LoggingOptions): Interceptor {
  const settings = resolve(side, where, options);
  const begin = (request: UnaryRequest | StreamRequest): CallObserver => {
    const log = new CallLog(settings, request);
    return settings.payloads ? new PayloadLog(log) : log;
  };
  return observeCalls(side, begin, { readsResponses: settings.payloads });
}

interface Settings {
  readonly side: Side;
  readonly log: LeveledLog;
  /** The same log, if lines can be written as text. */
  readonly textLog: JsonLog | undefined;
  readonly linesOf: (method: DescMethod) => MethodLines;
  readonly levelOf: (status: Status, method: string) => LogLevel | "silent";
  readonly sampleRate: number;
  readonly isIgnored: (method: DescMethod) => boolean;
  readonly metadata: true | readonly string[] | undefined;
  readonly payloads: boolean;
  readonly isSecret: (name: string) => boolean;
  readonly limits: ReadableLimits;
}

function resolve(side: Side, where: string, options: LoggingOptions): Settings {
  const given = readOptions(where, loggingOptions, options);
  const { isSecret, ignore, maxChars, log = createLog() } = given;
  const isText = log instanceof JsonLog && given.metadata === undefined && !given.payloads;
  return {
    side,
    log,
    textLog: isText ? log : undefined,
    linesOf: createMethodLines(side),
    levelOf: given.levelOf,
    sampleRate: given.sampleRate,
    isIgnored: createMethodFilter(where, "ignore", ignore),
    metadata: given.metadata,
    payloads: given.payloads,
    isSecret: isSecret === undefined ? isSecretName : (name) => isSecretName(name) || isSecret(name),
    limits: { ...defaultReadableLimits, maxChars },
  };
}

function createMethodLines(side: Side): (method: DescMethod) => MethodLines {
  const known = new WeakMap<DescMethod, MethodLines>();
  return (method) => {
    let lines = known.get(method);
    if (lines === undefined) {
      lines = new MethodLines(side, method);
      known.set(method, lines);
    }
    return lines;
  };
}

/** The maximum length of addresses, callers and ids. */
const maxNameChars = 128;

/** Collects the fields of one call's line. */
class CallLog implements CallObserver {
  readonly settings: Settings;
  readonly request: UnaryRequest | StreamRequest;
  private readonly startMs = performance.now();
  /** Read at the start, because it is unknown after the connection has closed. */
  private readonly peer: string | undefined;
  private requests = 0;
  private responses = 0;
  /** For unary calls with `payloads`. */
  requestMessage: unknown = undefined;
  responseMessage: unknown = undefined;

  constructor(settings: Settings, request: UnaryRequest | StreamRequest) {
    this.settings = settings;
    this.request = request;
    this.peer =
      settings.side === "server" ? request.contextValues.get(callInfo)?.peerAddress : authorityOf(request.url);
  }

  onRequest(): void {
    this.requests++;
  }

  onResponse(): void {
    this.responses++;
  }

  onEnd(status: Status, error: unknown): void {
    // A failure of the log or of `levelOf` must not fail the call.
    const { log } = this.settings;
    try {
      containRejection(log, this.write(status, error));
    } catch (failure) {
      reportLogFailure(log, failure);
    }
  }

  private write(status: Status, error: unknown): unknown {
    const { log, textLog, linesOf, levelOf } = this.settings;
    const { method } = this.request;
    if (status === okStatus && !this.isWanted()) return undefined;
    const lines = linesOf(method);
    const level = levelOf(status, lines.path);
    if (level === "silent" || log.isLevelEnabled?.(level) === false) return undefined;
    const message = status === okStatus ? "call ended" : "call failed";
    return textLog === undefined
      ? log[level](message, this.fields(status, error))
      : textLog.writeText(level, message, this.text(lines.start(status), error));
  }

  private fields(status: Status, error: unknown): Record<string, unknown> {
    const { settings, request, caller } = this;
    const fields: Record<string, unknown> = {
      side: settings.side,
      method: methodPath(request),
      kind: request.method.methodKind,
      status: statusName(status),
      durationMs: Math.round((performance.now() - this.startMs) * 1000) / 1000,
    };
    if (this.peer !== undefined) fields.peer = printable(this.peer, maxNameChars);
    if (caller !== undefined) fields.caller = printable(caller, maxNameChars);
    const id = requestIdOn(settings.side, request);
    if (id !== undefined) fields.requestId = printable(id, maxNameChars);
    const span = spanIdsOf(request);
    if (span !== undefined) {
      fields.traceId = span.traceId;
      fields.spanId = span.spanId;
    }
    if (request.stream) {
      fields.requests = this.requests;
      fields.responses = this.responses;
    }
    if (error !== undefined) fields.error = printable(messageOf(error), settings.limits.maxChars);
    if (settings.metadata !== undefined) {
      fields.metadata = readableMetadata(
        request.header,
        settings.metadata,
        settings.isSecret,
        settings.limits.maxChars,
      );
    }
    if (this.requestMessage !== undefined) fields.request = this.requestMessage;
    if (this.responseMessage !== undefined) fields.response = this.responseMessage;
    return fields;
  }

  /** Returns the same fields as JSON text, without metadata and messages. */
  private text(start: string, error: unknown): string {
    const { settings, request, caller, peer } = this;
    let text = start + durationText(performance.now() - this.startMs);
    if (peer !== undefined) text += `,"peer":${textOf(peer, maxNameChars)}`;
    if (caller !== undefined) text += `,"caller":${textOf(caller, maxNameChars)}`;
    const id = requestIdOn(settings.side, request);
    if (id !== undefined) text += `,"requestId":${textOf(id, maxNameChars)}`;
    const span = spanIdsOf(request);
    if (span !== undefined) text += `,"traceId":"${span.traceId}","spanId":"${span.spanId}"`;
    if (request.stream) text += `,"requests":${this.requests},"responses":${this.responses}`;
    if (error !== undefined) text += `,"error":${textOf(messageOf(error), settings.limits.maxChars)}`;
    return text;
  }

  private get caller(): string | undefined {
    return this.settings.side === "server" ? this.request.contextValues.get(callerKey)?.name : undefined;
  }

  private isWanted(): boolean {
    const { sampleRate, isIgnored } = this.settings;
    if (isIgnored(this.request.method)) return false;
    return sampleRate >= 1 || Math.random() < sampleRate;
  }
}

/** Observes a call whose messages are logged. */
class PayloadLog implements CallObserver {
  private readonly log: CallLog;

  constructor(log: CallLog) {
    this.log = log;
  }

  onRequest(message: unknown): void {
    this.log.onRequest();
    const shown = this.shown(this.log.request.method.input, message);
    if (this.log.request.stream) this.line("request", shown);
    else this.log.requestMessage = shown;
  }

  onResponse(message: unknown): void {
    this.log.onResponse();
    const shown = this.shown(this.log.request.method.output, message);
    if (this.log.request.stream) this.line("response", shown);
    else this.log.responseMessage = shown;
  }

  onEnd(status: Status, error: unknown): void {
    this.log.onEnd(status, error);
  }

  private shown(desc: DescMessage, message: unknown): unknown {
    const { isSecret, limits } = this.log.settings;
    try {
      return readableMessage(desc, message as Message, isSecret, limits);
    } catch {
      // The application may have passed an invalid message, which fails elsewhere.
      return "not readable";
    }
  }

  private line(direction: "request" | "response", message: unknown): void {
    const { settings, request } = this.log;
    const { log, side } = settings;
    try {
      const id = requestIdOn(side, request);
      const fields = { side, method: methodPath(request), requestId: id, [direction]: message };
      containRejection(log, log.info(`call's ${direction} message`, fields));
    } catch (failure) {
      // Logging must not fail the call.
      reportLogFailure(log, failure);
    }
  }
}

function messageOf(error: unknown): string {
  if (error instanceof ConnectError) return String(error.rawMessage);
  return error instanceof Error ? `${error.name}: ${error.message}` : thrownMessage(error);
}
