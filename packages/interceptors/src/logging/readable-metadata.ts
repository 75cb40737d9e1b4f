import { printable } from "@tercel/grpc";
import { redacted } from "./readable-message.ts";

/** More headers than anybody reads; what a peer may send is bounded by the server, and is still a lot of log. */
const maxHeaders = 32;

/** Metadata as it may stand in a log: what is named like a secret is masked, and of binary values only the length is told. */
export function readableMetadata(
  header: Headers,
  wanted: true | readonly string[],
  isSecret: (name: string) => boolean,
  maxChars: number,
): Record<string, string> {
  const shown: Record<string, string> = Object.create(null);
  const add = (name: string, value: string): void => {
    if (isSecret(name)) shown[name] = redacted;
    else if (name.endsWith("-bin")) shown[name] = `${Math.floor((value.replace(/=+$/, "").length * 3) / 4)} bytes`;
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
