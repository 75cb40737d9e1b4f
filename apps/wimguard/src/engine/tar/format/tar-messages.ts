import { Buffer } from "node:buffer";
import type { EngineWarning, WarningReason } from "../../engine.ts";

/** What a line on GNU tar's standard error means. */
export type TarMessage =
  | { readonly kind: "warning"; readonly warning: EngineWarning }
  /** Says nothing that an earlier line has not said. */
  | { readonly kind: "summary" }
  | { readonly kind: "failure"; readonly text: string };

/** The end of a line, by which it is known: a name may hold anything, a colon too. tar is run with LC_ALL=C. */
const endings: readonly (readonly [RegExp, WarningReason, string])[] = [
  [/: file changed as we read it$/, "FILE_CHANGED", "the file changed while it was read"],
  [/: File shrank by \d+ bytes?; padding with zeros$/, "FILE_CHANGED", "the file shrank while it was read"],
  [/: File removed before we read it$/, "FILE_GONE", "the file was removed before it was read"],
  [
    /: Cannot (?:stat|open|savedir|readlink): No such file or directory$/,
    "FILE_GONE",
    "the file was removed before it was read",
  ],
  [/: socket ignored$/, "SOCKET_SKIPPED", "sockets cannot be backed up"],
  [
    /: (?:Warning: )?Cannot (?:\w*xattr\w*|acl_\w+|\w*acl\w*)[^:]*: .{1,200}$/,
    "METADATA_LOST",
    "extended attributes could not be read",
  ],
  [/: (?:Warning: )?Cannot (?:stat|open|read|savedir|readlink): ([^:]{1,200})$/, "UNREADABLE", "cannot be read"],
  [/: Read error at byte \d+, while reading \d+ bytes?: ([^:]{1,200})$/, "UNREADABLE", "cannot be read"],
];

const summaries = [
  /^tar: Exiting with failure status due to previous errors$/,
  /^tar: Error is not recoverable: exiting now$/,
  /^tar: Removing leading /,
];

/** Interprets one line of GNU tar with `--quoting-style=escape` and LC_ALL=C. */
export function parseTarMessage(line: string): TarMessage {
  if (summaries.some((summary) => summary.test(line))) return { kind: "summary" };
  const text = line.replace(/^tar: /, "");
  for (const [ending, reason, message] of endings) {
    const found = ending.exec(text);
    if (found === null) continue;
    const cause = found[1] === undefined ? "" : `: ${found[1].toLowerCase()}`;
    const path = memberPath(unescapeName(text.slice(0, found.index)));
    return { kind: "warning", warning: { reason, path, message: `${message}${cause}` } };
  }
  return { kind: "failure", text };
}

/** The path relative to the source of a member such as `./a/b`. */
export function memberPath(name: Buffer): Buffer {
  const text = name.toString("latin1");
  if (text === "." || text === "./") return Buffer.alloc(0);
  const start = text.startsWith("./") ? 2 : 0;
  const end = text.endsWith("/") ? name.length - 1 : name.length;
  return name.subarray(start, end);
}

const escapes: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, a: 7, b: 8, f: 12, v: 11 };

function unescapeName(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const unescaped: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte !== 0x5c) {
      unescaped.push(byte);
      continue;
    }
    const octal = /^[0-7]{3}/.exec(text.slice(at + 1, at + 4))?.[0];
    if (octal !== undefined) {
      unescaped.push(Number.parseInt(octal, 8));
      at += 3;
    } else {
      const next = text[++at] ?? "\\";
      unescaped.push(escapes[next] ?? next.charCodeAt(0));
    }
  }
  return Buffer.from(unescaped);
}
