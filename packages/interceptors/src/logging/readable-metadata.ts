import { printable } from "@tercel/grpc/internal";
import { redacted } from "./readable-message.ts";

/** More headers than people read; what a peer may send is bounded by the server, and would still fill a log. */
const maxHeaders = 32;

/** Metadata as it may be logged: what is named like a secret is masked, and binary values are shown by their length. */
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

/** The bytes that base64 encodes, padded or not. An expression that looks for padding anywhere takes 0.2 s for 16 KiB of it. */
function binaryBytes(base64: string): number {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  return Math.floor(((base64.length - padding) * 3) / 4);
}
