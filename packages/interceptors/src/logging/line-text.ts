import type { DescMethod } from "@bufbuild/protobuf";
import { printable } from "@tercel/grpc/internal";
import { pathOfMethod } from "../call/method-path.ts";
import type { Side } from "../call/observe-calls.ts";
import { type Status, statusName } from "../call/status-name.ts";

// The parts of a call's log line as JSON text. Joining them takes a fraction of the time of JSON.stringify with an object.

/** The common start of all lines of a method. */
export class MethodLines {
  /** `package.Service/Method`. */
  readonly path: string;
  readonly #start: string;
  readonly #byStatus: (string | undefined)[] = [];

  constructor(side: Side, method: DescMethod) {
    this.path = pathOfMethod(method);
    this.#start = `,"side":"${side}","method":${JSON.stringify(this.path)},"kind":"${method.methodKind}"`;
  }

  /** Returns the fields that depend only on method and status, up to the value of the duration. */
  start(status: Status): string {
    const known = this.#byStatus[status];
    if (known !== undefined) return known;
    const made = `${this.#start},"status":"${statusName(status)}","durationMs":`;
    // A peer may send any number, so only defined statuses are cached.
    if (status >= 0 && status <= 16) this.#byStatus[status] = made;
    return made;
  }
}

/** The decimals for each number of thousandths, without trailing zeros: "", ".001", ".002" and so on. */
const thousandths = Array.from({ length: 1000 }, (_, at) => String(at / 1000).slice(1));

/** Formats milliseconds as a JSON number, rounded to microseconds. */
export function durationText(milliseconds: number): string {
  const micros = Math.round(milliseconds * 1000);
  return `${Math.floor(micros / 1000)}${thousandths[micros % 1000]}`;
}

/** Printable ASCII without characters that JSON escapes, as in most ids and addresses. */
const plain = /^[ !#-[\]-~]*$/;

/** Converts an untrusted text to a JSON string, printable and cut to `maxChars`. */
export function textOf(text: string, maxChars: number): string {
  return text.length <= maxChars && plain.test(text) ? `"${text}"` : JSON.stringify(printable(text, maxChars));
}

let lastMs = Number.NaN;
let lastText = "";

/** Returns the time as ISO 8601, cached for the same millisecond. */
export function timeText(nowMs: number): string {
  if (nowMs !== lastMs) {
    lastMs = nowMs;
    lastText = new Date(nowMs).toISOString();
  }
  return lastText;
}
