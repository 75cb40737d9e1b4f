import { Buffer, isUtf8 } from "node:buffer";
import { fail } from "../../failure/failure.ts";
import { displayPath } from "../../manifest/manifest-entry.ts";

const slash = Buffer.from("/");
const special = new Set([..."\\*?["].map((one) => one.charCodeAt(0)));
const backslash = 0x5c;
const dollar = 0x24;

/** A path of a snapshot: absolute, as it was on the machine. */
export function joinRoot(root: string, path: Buffer): Buffer {
  if (path.length === 0) return Buffer.from(root);
  return Buffer.concat([Buffer.from(root === "/" ? "" : root), slash, path]);
}

/** Escapes a path as a pattern that matches it and nothing else. */
function toPattern(path: Buffer): Buffer {
  return Buffer.from([...path].flatMap((byte) => (special.has(byte) ? [backslash, byte] : [byte])));
}

/** What a backup leaves out: lines of a file for most, options for what a line cannot say. */
export interface ExcludeOptions {
  readonly lines: Buffer;
  readonly args: readonly string[];
}

/** @throws FailureError NAME_UNSUPPORTED for a name that neither of them can say */
export function formatExcludes(root: string, paths: readonly Buffer[]): ExcludeOptions {
  const lines: Buffer[] = [];
  const args: string[] = [];
  for (const path of paths) {
    const pattern = toPattern(joinRoot(root, path));
    // Lines are trimmed.
    if (!/[\n\r]|\s$/.test(pattern.toString())) {
      lines.push(Buffer.from([...pattern].flatMap((byte) => (byte === dollar ? [dollar, dollar] : [byte]))), newline);
    } else if (isUtf8(pattern)) {
      args.push(`--exclude=${pattern}`);
    } else {
      const name = displayPath(path);
      const message = `${JSON.stringify(name)} must be left out, and restic cannot be given its name: use .tar.zst`;
      fail({ reason: "NAME_UNSUPPORTED", engine: "restic", path: name, message });
    }
  }
  return { lines: Buffer.concat(lines), args };
}

const newline = Buffer.from("\n");

/**
 * Formats what a restore takes as options. A byte that is not UTF-8 cannot be in an option, and becomes a wildcard: the caller removes what that
 * takes too much.
 */
export function formatIncludes(root: string, paths: readonly Buffer[]): string[] {
  return paths.map((path) => `--include=${toGoText(toPattern(joinRoot(root, path))).replaceAll("\ufffd", "?")}`);
}

/** Decodes bytes as Go prints them in JSON: each byte that is not UTF-8 becomes one U+FFFD. */
export function toGoText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((count) => at + count <= bytes.length && isUtf8(bytes.subarray(at, at + count)));
    text += length === undefined ? "\ufffd" : bytes.toString("utf8", at, at + length);
    at += length ?? 1;
  }
  return text;
}
