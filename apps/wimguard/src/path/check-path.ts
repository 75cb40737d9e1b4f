import { Buffer } from "node:buffer";
import { basename, isAbsolute, normalize } from "node:path";
import { fail } from "../failure/failure.ts";

/** Linux's PATH_MAX without its final NUL. */
const maxPathBytes = 4095;
/** NAME_MAX of the common file systems. */
const maxNameBytes = 255;

/**
 * Returns the path of a request in its normal form, without `.`, `..` and a slash at the end.
 *
 * @throws FailureError FIELD_REQUIRED or PATH_INVALID that names the field
 */
export function checkPath(field: string, path: string): string {
  if (path === "") fail({ reason: "FIELD_REQUIRED", field, message: `${field} is required: pass an absolute path` });
  const problem = problemOf(path);
  if (problem !== undefined) {
    fail({ reason: "PATH_INVALID", field, path: path.slice(0, maxPathBytes), message: `invalid ${field}: ${problem}` });
  }
  const normal = normalize(path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

function problemOf(path: string): string | undefined {
  if (path.includes("\0")) return "the path contains a NUL character";
  if (!isAbsolute(path)) return `${JSON.stringify(path.slice(0, maxNameBytes))} is relative; pass an absolute path`;
  if (Buffer.byteLength(path) > maxPathBytes) return `the path is longer than ${maxPathBytes} bytes`;
  if (path.split("/").some((name) => Buffer.byteLength(name) > maxNameBytes)) {
    return `a name in the path is longer than ${maxNameBytes} bytes`;
  }
  return undefined;
}

/** The name of a backup: the last part of its source. */
export function nameOfSource(source: string): string {
  return basename(source) || "/";
}

/** Whether a path is one of the folders or inside one. All of them must be normal and without links. */
export function isInside(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => folder === "/" || path === folder || path.startsWith(`${folder}/`));
}
