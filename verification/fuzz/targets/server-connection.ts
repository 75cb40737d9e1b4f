/** A server's connection fulfils its contract for any bytes of a client. */
import { connectionDictionary, fuzzConnection } from "./connection.ts";

export function fuzz(bytes: Uint8Array): Promise<void> {
  return fuzzConnection("server", bytes);
}

export const dictionary = connectionDictionary;
export const maxBytes = 2048;
