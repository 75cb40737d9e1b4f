import { isSecretName } from "@tercel/interceptors/logging";
import { hideUrlPassword, secretMask } from "./mask.ts";
import type { Origin } from "./origin.ts";

const maxShownLength = 120;
/** Matches keys in a line, also in flow style: `{ user: a, password: b }`. */
const keyPattern = /([\w.-]+)["']?\s*:(?=\s|$)/g;

/**
 * Formats the line of a problem with a caret below the column, as compilers do. Masks values of keys with names such as `password`, since the
 * secrets of an invalid file are real.
 */
export function yamlFrame(text: string, origin: Origin): string {
  if (origin.kind !== "file") return "";
  const lines = text.split(/\r?\n/);
  const number = String(origin.line);
  const shown = hideSecrets(lines, origin.line - 1).slice(0, maxShownLength);
  // Tabs are kept, so that the caret is aligned with any tab stops.
  const before = shown.slice(0, origin.column - 1).replace(/[^\t]/g, " ");
  return `  ${number} | ${shown}\n  ${" ".repeat(number.length)} | ${before}^`;
}

function hideSecrets(lines: readonly string[], index: number): string {
  const line = lines[index] ?? "";
  const keys = [...line.matchAll(keyPattern)];
  const secret = keys.find(([, name = ""]) => isSecretName(name));
  if (secret !== undefined) return `${line.slice(0, secret.index + secret[0].length)} ${secretMask}`;
  if (keys.length === 0 && isInsideSecret(lines, index)) return `${/^\s*/.exec(line)?.[0]}${secretMask}`;
  return hideUrlPassword(line);
}

/** Whether a line without a key continues a secret value above it, such as a private key of several lines. */
function isInsideSecret(lines: readonly string[], index: number): boolean {
  for (let above = index - 1; above >= 0; above--) {
    const last = [...(lines[above] ?? "").matchAll(keyPattern)].at(-1);
    if (last !== undefined) return isSecretName(last[1] ?? "");
  }
  return false;
}
