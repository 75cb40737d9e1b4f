/** A client's connection fulfils its contract for any bytes of a server. */
import { connectionDictionary, fuzzConnection } from "./connection.ts";

export function fuzz(bytes: Uint8Array): Promise<void> {
  return fuzzConnection("client", bytes);
}

export const dictionary = connectionDictionary;
export const maxBytes = 2048;
