import { join } from "node:path";

const folder = import.meta.dirname;
export const root = join(folder, "..", "..", "..");
export const protoFolder = join(folder, "proto");
/** Downloads and builds, which are kept between runs. git ignores the folder. */
const cacheFolder = join(root, ".cache", "interop");

export function peerFolder(peer: string): string {
  return join(folder, "peers", peer);
}

export function peerCache(peer: string): string {
  return join(cacheFolder, peer);
}
