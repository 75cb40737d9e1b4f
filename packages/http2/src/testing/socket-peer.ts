import type { Duplex } from "node:stream";
import type { Role } from "../connection/role.ts";
import { clientPreface } from "../connection/settings/client-preface.ts";
import { ScriptedPeer } from "./scripted-peer.ts";

/** A scripted peer on a real socket, cleartext or TLS, that is connected already. `role` is the one that it plays. */
export function createSocketPeer(socket: Duplex, role: Role): ScriptedPeer {
  const peer = new ScriptedPeer({ send: (chunk) => socket.write(chunk), settle: undefined });
  // A client under test begins with the preface, which is not a frame.
  let prefaceLeft = role === "server" ? clientPreface.length : 0;
  socket.on("data", (chunk: Uint8Array) => {
    const skip = Math.min(prefaceLeft, chunk.length);
    prefaceLeft -= skip;
    if (skip < chunk.length) peer.receive(chunk.subarray(skip));
  });
  socket.on("end", () => peer.closed());
  socket.on("close", () => peer.closed());
  // A reset by the other side is one of the ways in which a connection ends.
  socket.on("error", () => peer.closed());
  return peer;
}
