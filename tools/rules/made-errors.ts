// Finds the errors that sources create for callers, so that a test can compare them with the page that lists them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { endOfLiteral, readArguments } from "../read-arguments.ts";

export interface MadeError {
  /** The name in `Code`, such as `Unavailable`; `…` if it is computed at run time. */
  readonly code: string;
  /** The text with `…` for inserted values. `…` alone means that the source forwards another text. */
  readonly message: string;
  readonly file: string;
}

/** The codes of the functions in @tercel/grpc/errors. */
const creators: Readonly<Record<string, string>> = {
  aborted: "Aborted",
  alreadyExists: "AlreadyExists",
  canceled: "Canceled",
  dataLoss: "DataLoss",
  deadlineExceeded: "DeadlineExceeded",
  failedPrecondition: "FailedPrecondition",
  internal: "Internal",
  invalidArgument: "InvalidArgument",
  notFound: "NotFound",
  outOfRange: "OutOfRange",
  permissionDenied: "PermissionDenied",
  resourceExhausted: "ResourceExhausted",
  unauthenticated: "Unauthenticated",
  unavailable: "Unavailable",
  unimplemented: "Unimplemented",
  unknown: "Unknown",
};

const making = new RegExp(`(?<![\\w.$])(?:new ConnectError|${Object.keys(creators).join("|")})\\(`, "g");

/** Returns the errors of a file in order. `file` is relative to `root`. */
export function findMadeErrors(root: string, file: string): MadeError[] {
  const source = readFileSync(join(root, file), "utf8");
  const found: MadeError[] = [];
  // In other files, a function with such a name is a different one.
  const usesCreators = /from "(?:@tercel\/grpc|\.\.)\/errors(?:\/\S+)?"/.test(source);
  for (const match of source.matchAll(making)) {
    const name = match[0].slice(0, -1);
    if (isInComment(source, match.index) || (name !== "new ConnectError" && !usesCreators)) continue;
    const given = readArguments(source, match.index + match[0].length);
    if (given === undefined || given[0] === undefined) continue;
    if (name === "new ConnectError") {
      const code = /^Code\.(\w+)$/.exec(given[1] ?? "Code.Unknown")?.[1] ?? "…";
      found.push({ code, message: textOf(given[0]), file });
    } else {
      found.push({ code: creators[name] ?? "…", message: describedText(given[0]), file });
    }
  }
  return found;
}

/** Removes comments, which may contain example calls. */
function isInComment(source: string, at: number): boolean {
  const line = source.slice(source.lastIndexOf("\n", at) + 1, at);
  return /^\s*(\*|\/\/|\/\*)/.test(line);
}

/** Returns the text of a literal, a template, or several joined with `+`; `…` for other expressions. */
function textOf(expression: string): string {
  let text = "";
  let at = 0;
  while (/^["'`]/.test(expression.slice(at))) {
    const end = endOfLiteral(expression, at);
    text += withoutFillings(expression.slice(at + 1, end)).replace(/\\(["'`\\])/g, "$1");
    at = end + 1;
    const joint = /^\s*\+\s*/.exec(expression.slice(at));
    if (joint === null) break;
    at += joint[0].length;
  }
  // A last operand that is not a literal is an inserted value too.
  return at > 0 && at >= expression.length ? text : `${text}…`;
}

/** Returns the text in the options of a function: its `message` or `description`. */
function describedText(expression: string): string {
  if (!expression.startsWith("{")) return textOf(expression);
  const fields = readArguments(`${expression.slice(1, -1)})`, 0) ?? [];
  const described = fields.map((field) => /^(?:message|description):\s*([\s\S]*)$/.exec(field)?.[1]);
  return textOf(described.find((text) => text !== undefined) ?? "");
}

/** Replaces `${…}`, which may contain nested templates, by counting braces. */
function withoutFillings(text: string): string {
  let plain = "";
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== "$" || text[at + 1] !== "{") {
      plain += text[at];
      continue;
    }
    plain += "…";
    let depth = 0;
    for (at += 1; at < text.length; at++) {
      if (text[at] === "{") depth += 1;
      else if (text[at] === "}" && --depth === 0) break;
    }
  }
  return plain;
}
