import { parseLogLine, parseRecord } from "../output/log-text.ts";
import type { ServiceStatus } from "../output/status-lines.ts";

/** An event of a run of `tercel dev`, for other programs; one line of JSON. */
export type DevEvent = LifeEvent | LogEvent | SpanEvent | NoteEvent;

interface CommonFields {
  /** Version of this format. Fields and types may be added without a new version. */
  readonly version: 1;
  /** RFC 3339. */
  readonly time: string;
  readonly service: string;
}

/** The state of a service: after a change, or when the reader connected. */
export interface LifeEvent extends CommonFields {
  readonly type: "life";
  readonly state: ServiceStatus["state"];
  /** `127.0.0.1:50051` */
  readonly address?: string;
  readonly restarts: number;
  /** Reason why it is not serving. */
  readonly reason?: string;
}

/** A line that a service printed. */
export interface LogEvent extends CommonFields {
  readonly type: "log";
  /** Absent for a line that is not a log line. */
  readonly level?: string;
  readonly message: string;
  /** The line as printed. */
  readonly line: string;
}

/** A finished call, from the line that the service logged for it. */
export interface SpanEvent extends CommonFields {
  readonly type: "span";
  readonly side: "server" | "client";
  readonly method: string;
  readonly status: string;
  readonly startTime: string;
  readonly durationMs: number;
  readonly requestId?: string;
  /** ID of the trace, if the service traces calls. */
  readonly traceId?: string;
  readonly spanId?: string;
}

/** A message of `tercel dev` itself about a service. */
export interface NoteEvent extends CommonFields {
  readonly type: "note";
  readonly level: "info" | "error";
  readonly text: string;
}

export function lifeEvent({ name, state, address, restarts, reason }: ServiceStatus, nowMs: number): LifeEvent {
  return {
    ...common(name, nowMs),
    type: "life",
    state,
    ...(address !== "" && { address }),
    restarts,
    ...(reason !== "" && { reason }),
  };
}

/** Returns the events of a printed line: a log event, and a span if the line is about a call. */
export function eventsOfLine(service: string, line: string, nowMs: number): readonly DevEvent[] {
  const { level, message } = parseLogLine(line);
  const log: LogEvent = {
    ...common(service, nowMs),
    type: "log",
    ...(level !== undefined && { level }),
    message,
    line,
  };
  const span = spanOf(service, line, nowMs);
  return span === undefined ? [log] : [log, span];
}

export function noteEvent(service: string, level: NoteEvent["level"], text: string, nowMs: number): NoteEvent {
  return { ...common(service, nowMs), type: "note", level, text };
}

function common(service: string, nowMs: number): CommonFields {
  return { version: 1, time: new Date(nowMs).toISOString(), service };
}

function spanOf(service: string, line: string, nowMs: number): SpanEvent | undefined {
  if (!line.includes('"durationMs"')) return undefined;
  const { side, method, status, durationMs, time, requestId, traceId, spanId } = parseRecord(line) ?? {};
  if (side !== "server" && side !== "client") return undefined;
  if (typeof method !== "string" || typeof status !== "string" || typeof durationMs !== "number") return undefined;
  const loggedMs = typeof time === "string" ? Date.parse(time) : Number.NaN;
  // A log line without a time is printed when the call ends.
  const endMs = Number.isNaN(loggedMs) ? nowMs : loggedMs;
  return {
    ...common(service, endMs),
    type: "span",
    side,
    method,
    status,
    startTime: new Date(endMs - durationMs).toISOString(),
    durationMs,
    ...(typeof requestId === "string" && { requestId }),
    ...(typeof traceId === "string" && { traceId }),
    ...(typeof spanId === "string" && { spanId }),
  };
}
