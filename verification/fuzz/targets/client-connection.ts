/** A client's connection keeps its promises whatever a server sends. */
import { connectionDictionary, fuzzConnection } from "./connection.ts";

export function fuzz(octets: Uint8Array): Promise<void> {
  return fuzzConnection("client", octets);
}

export const dictionary = connectionDictionary;
export const maxBytes = 2048;
