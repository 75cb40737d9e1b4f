import type { DescMessage, Message } from "@bufbuild/protobuf";
import { ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { callInfo } from "@tercel/grpc";
import {
  containRejection,
  printable,
  refuseUnknownOptions,
  reportLogFailure,
  thrownMessage,
} from "@tercel/grpc/internal";
import { authorityOf } from "../call/authority-of.ts";
import { callerKey } from "../call/caller.ts";
import { methodPath } from "../call/method-path.ts";
import { type CallObserver, observeCalls, type Side } from "../call/observe-calls.ts";
import { requestIdOn } from "../call/request-id.ts";
import { okStatus, type Status, statusName } from "../call/status-name.ts";
import { spanContextOf } from "../call/trace-context.ts";
import { type LogLevel, levelOfStatus } from "./level-of-status.ts";
import { createLogger, type Logger } from "./logger.ts";
import { defaultReadableLimits, type ReadableLimits, readableMessage } from "./readable-message.ts";
import { readableMetadata } from "./readable-metadata.ts";
import { isSecretName } from "./secret-name.ts";

export interface LoggingOptions {
  /** A pino logger, or one built like it. Default: `createLogger()`, which writes JSON lines to standard output. */
  logger?: Logger;
  /** Which level a call's line has by its status (0 is OK); "silent" drops it. Default: `levelOfStatus`. */
  levelOf?: (status: Status, method: string) => LogLevel | "silent";
  /** The share of calls that end well and are logged, 0 to 1. Calls that fail always are. Default 1. */
  sampleRate?: number;
  /** Services (`pkg.Service`) and methods (`pkg.Service/Method`) that are not logged when they end well. Default: none. */
  ignore?: readonly string[];
  /** Request headers to log: names, or true for all. What is named like a secret is masked. Default: none. */
  metadata?: true | readonly string[];
  /** Whether messages are logged: with the call's line for unary calls, a line each for streams. Default false. */
  payloads?: boolean;
  /** Names besides the usual ones whose values must not be read, in messages and metadata. Default: none. */
  isSecret?: (name: string) => boolean;
  /** Longest text from outside in a line: an error's, a header's, a field's. Default 256 characters. */
  maxChars?: number;
}

const optionNames: readonly (keyof LoggingOptions)[] = [
  "logger",
  "levelOf",
  "sampleRate",
  "ignore",
  "metadata",
  "payloads",
  "isSecret",
  "maxChars",
];

/**
 * A server interceptor that writes one line for each call when it has ended.
 *
 * @throws TypeError for an unknown option, RangeError for a number out of its bounds
 */
export function createServerLogging(options: LoggingOptions = {}): Interceptor {
  return logging("server", "createServerLogging", options);
}

/** The same for the calls that a client makes. */
export function createClientLogging(options: LoggingOptions = {}): Interceptor {
  return logging("client", "createClientLogging", options);
}

function logging(side: Side, where: string, options: LoggingOptions): Interceptor {
  const settings = resolve(side, where, options);
  return observeCalls(side, (request) => {
    const log = new CallLog(settings, request);
    return settings.payloads ? new PayloadLog(log) : log;
  });
}

interface Settings {
  readonly side: Side;
  readonly logger: Logger;
  readonly levelOf: (status: Status, method: string) => LogLevel | "silent";
  readonly sampleRate: number;
  readonly ignored: ReadonlySet<string>;
  readonly metadata: true | readonly string[] | undefined;
  readonly payloads: boolean;
  readonly isSecret: (name: string) => boolean;
  readonly limits: ReadableLimits;
}

function resolve(side: Side, where: string, options: LoggingOptions): Settings {
  refuseUnknownOptions(where, options, optionNames);
  const { sampleRate = 1, maxChars = defaultReadableLimits.maxChars, isSecret } = options;
  if (!(sampleRate >= 0 && sampleRate <= 1)) {
    throw new RangeError(`${where}: sampleRate is ${sampleRate}; it has to be from 0 to 1`);
  }
  if (!Number.isInteger(maxChars) || maxChars < 0) {
    throw new RangeError(`${where}: maxChars is ${maxChars}; it has to be a whole number from 0 on`);
  }
  return {
    side,
    logger: options.logger ?? createLogger(),
    levelOf: options.levelOf ?? levelOfStatus,
    sampleRate,
    ignored: new Set(options.ignore),
    metadata: options.metadata,
    payloads: options.payloads ?? false,
    isSecret: isSecret === undefined ? isSecretName : (name) => isSecretName(name) || isSecret(name),
    limits: { ...defaultReadableLimits, maxChars },
  };
}

/** One call on its way to a line. */
class CallLog implements CallObserver {
  readonly settings: Settings;
  readonly request: UnaryRequest | StreamRequest;
  private readonly startMs = performance.now();
  /** Asked at once: no one knows it any more when the connection is gone. */
  private readonly peer: string | undefined;
  private requests = 0;
  private responses = 0;
  /** For unary calls, when payloads are wanted. */
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
    // A logger that fails, or a levelOf, must not fail the call.
    const { logger } = this.settings;
    try {
      containRejection(logger, this.write(status, error));
    } catch (failure) {
      reportLogFailure(logger, failure);
    }
  }

  private write(status: Status, error: unknown): unknown {
    const { settings, request } = this;
    const method = methodPath(request);
    if (status === okStatus && !this.isWanted(method)) return undefined;
    const level = settings.levelOf(status, method);
    if (level === "silent" || settings.logger.isLevelEnabled?.(level) === false) return undefined;
    const fields: Record<string, unknown> = {
      side: settings.side,
      method,
      kind: request.method.methodKind,
      status: statusName(status),
      durationMs: Math.round((performance.now() - this.startMs) * 1000) / 1000,
    };
    if (this.peer !== undefined) fields.peer = printable(this.peer, 128);
    const caller = settings.side === "server" ? request.contextValues.get(callerKey) : undefined;
    if (caller !== undefined) fields.caller = printable(caller.name, 128);
    const id = requestIdOn(settings.side, request);
    if (id !== undefined) fields.requestId = printable(id, 128);
    const span = spanContextOf(request);
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
    return settings.logger[level](fields, status === okStatus ? "call ended" : "call failed");
  }

  private isWanted(method: string): boolean {
    const { sampleRate, ignored } = this.settings;
    if (ignored.size > 0 && (ignored.has(method) || ignored.has(this.request.service.typeName))) return false;
    return sampleRate >= 1 || Math.random() < sampleRate;
  }
}

/** A call whose messages are logged as well. */
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
      // A client may hand over what is no message yet, and fails with it elsewhere.
      return "not readable";
    }
  }

  private line(direction: "request" | "response", message: unknown): void {
    const { settings, request } = this.log;
    const { logger, side } = settings;
    try {
      const id = requestIdOn(side, request);
      const fields = { side, method: methodPath(request), requestId: id, [direction]: message };
      containRejection(logger, logger.info(fields, `call's ${direction} message`));
    } catch (failure) {
      // As above: logging must not fail the call.
      reportLogFailure(logger, failure);
    }
  }
}

function messageOf(error: unknown): string {
  if (error instanceof ConnectError) return String(error.rawMessage);
  return error instanceof Error ? `${error.name}: ${error.message}` : thrownMessage(error);
}
