import type { DescMethod } from "@bufbuild/protobuf";
import { printable } from "@tercel/grpc/internal";
import { pathOfMethod } from "../call/method-path.ts";
import type { Side } from "../call/observe-calls.ts";
import { type Status, statusName } from "../call/status-name.ts";

// The parts of a call's line as JSON text. A line that is put together from them takes a fraction of the time of an object and JSON.stringify.

/** What all lines of a method begin with. */
export class MethodLines {
  /** `package.Service/Method`. */
  readonly path: string;
  readonly #start: string;
  readonly #byStatus: (string | undefined)[] = [];

  constructor(side: Side, method: DescMethod) {
    this.path = pathOfMethod(method);
    this.#start = `,"side":"${side}","method":${JSON.stringify(this.path)},"kind":"${method.methodKind}"`;
  }

  /** The fields that the method and the status decide, up to the duration's value. */
  start(status: Status): string {
    const known = this.#byStatus[status];
    if (known !== undefined) return known;
    const made = `${this.#start},"status":"${statusName(status)}","durationMs":`;
    // A status from elsewhere may be any number; those that have no name are not kept.
    if (status >= 0 && status <= 16) this.#byStatus[status] = made;
    return made;
  }
}

/** The digits after the point of so many thousandths, without zeros at the end: "", ".001", ".01" and so on. */
const thousandths = Array.from({ length: 1000 }, (_, at) => String(at / 1000).slice(1));

/** A number of milliseconds, rounded to microseconds, as JSON writes it. */
export function durationText(milliseconds: number): string {
  const micros = Math.round(milliseconds * 1000);
  return `${Math.floor(micros / 1000)}${thousandths[micros % 1000]}`;
}

/** Printable ASCII without what JSON escapes: most ids and addresses. */
const plain = /^[ !#-[\]-~]*$/;

/** A text from outside as a JSON string, printable and cut to `maxChars`. */
export function textOf(text: string, maxChars: number): string {
  return text.length <= maxChars && plain.test(text) ? `"${text}"` : JSON.stringify(printable(text, maxChars));
}

let lastMs = Number.NaN;
let lastText = "";

/** The time as ISO 8601, made once in a millisecond. */
export function timeText(nowMs: number): string {
  if (nowMs !== lastMs) {
    lastMs = nowMs;
    lastText = new Date(nowMs).toISOString();
  }
  return lastText;
}
