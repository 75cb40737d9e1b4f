/** The parts of a line of a service's log. */
export interface LogText {
  /** Local time, `12:30:05.123`; empty for a line that is not a log line. */
  readonly time: string;
  readonly level: LogLevel | undefined;
  readonly message: string;
  /** Further fields: ` port=50051`; those with several lines follow on lines of their own. */
  readonly fields: string;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];
/** The lower bounds of pino's level numbers. */
const pinoLevels: readonly (readonly [from: number, level: LogLevel])[] = [
  [50, "error"],
  [40, "warn"],
  [30, "info"],
  [0, "debug"],
];
/** Fields that are the same in every line of a service. */
const droppedFields = new Set(["service", "pid", "hostname"]);

/** The request ID of the calls that this program makes to find a working example. */
export const ownRequestId = "tercel-dev";
/** Services that other services and this program call constantly. */
const infrastructure = /^grpc\.(?:health|reflection)\./;

/** Whether a line is about a call that the developer did not make. */
export function isBackgroundCall(line: string): boolean {
  const { method, requestId } = (line.includes('"method"') && parseRecord(line)) || {};
  return requestId === ownRequestId || (typeof method === "string" && infrastructure.test(method));
}

/** Parses a JSON log line of the kit or of pino; any other line becomes the message. */
export function parseLogLine(line: string): LogText {
  const record = parseRecord(line);
  const message = record?.message ?? record?.msg;
  if (record === undefined || typeof message !== "string")
    return { time: "", level: undefined, message: line, fields: "" };
  const { time, level, message: _message, msg: _msg, ...rest } = record;
  const texts = Object.entries(rest)
    .filter(([name]) => !droppedFields.has(name))
    .map(([name, value]) => fieldText(name, value));
  return { time: localTime(time), level: levelOf(level), message, fields: texts.join("") };
}

function fieldText(name: string, value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.includes("\n") ? `\n  ${name}: ${text.trimEnd().replaceAll("\n", "\n  ")}` : ` ${name}=${text}`;
}

/** Parses the fields of a JSON line; undefined for any other line. */
export function parseRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

function levelOf(level: unknown): LogLevel | undefined {
  if (typeof level === "number") return pinoLevels.find(([from]) => level >= from)?.[1];
  return levels.find((one) => one === level);
}

function localTime(time: unknown): string {
  const date = typeof time === "string" || typeof time === "number" ? new Date(time) : undefined;
  if (date === undefined || Number.isNaN(date.getTime())) return "";
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
