import { printable } from "@tercel/grpc/internal";
import { redacted } from "./readable-message.ts";

/** The maximum number of logged metadata entries. The server's limits on metadata would still allow lines that are too long. */
const maxHeaders = 32;

/** Converts metadata to a value that can be logged. Values of secret names are masked; of binary values, only the length is shown. */
export function readableMetadata(
  header: Headers,
  wanted: true | readonly string[],
  isSecret: (name: string) => boolean,
  maxChars: number,
): Record<string, string> {
  const shown: Record<string, string> = Object.create(null);
  const add = (name: string, value: string): void => {
    if (isSecret(name)) shown[name] = redacted;
    else if (name.endsWith("-bin")) shown[name] = `${binaryBytes(value)} bytes`;
    else shown[name] = printable(value, maxChars);
  };
  if (wanted === true) {
    let count = 0;
    for (const [name, value] of header) {
      if (count++ >= maxHeaders) break;
      add(name, value);
    }
    return shown;
  }
  for (const name of wanted) {
    const value = header.get(name);
    if (value !== null) add(name.toLowerCase(), value);
  }
  return shown;
}

/** Returns the number of bytes in base64, padded or not. A regular expression for the padding would take 0.2 s for 16 KiB of "=". */
function binaryBytes(base64: string): number {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  return Math.floor(((base64.length - padding) * 3) / 4);
}
