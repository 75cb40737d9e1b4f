/** How messages are written over a WebSocket. */
export type SocketFormat = "json" | "proto";

const formats: ReadonlyMap<string, SocketFormat> = new Map([
  ["tercel.v1+json", "json"],
  ["tercel.v1+proto", "proto"],
]);

/** A web page cannot set headers of a WebSocket: a token goes here. */
const tokenPrefix = "authorization.bearer.";

/** What a client's list of subprotocols says. */
export interface ChosenSubprotocol {
  readonly format: SocketFormat;
  /** To be sent back; undefined where the client named none, and gets JSON. */
  readonly name: string | undefined;
  /** What it hands over as a token, which must never be sent back: it would be logged. */
  readonly token: string | undefined;
}

/**
 * Reads `Sec-WebSocket-Protocol`. Undefined: the client speaks none of those that there are. A token alone is refused as well, because browsers
 * close a connection on which none of their subprotocols comes back.
 */
export function chooseSubprotocol(offered: string | undefined): ChosenSubprotocol | undefined {
  const names = (offered ?? "").split(",").map((name) => name.trim());
  const token = names.find((name) => name.startsWith(tokenPrefix))?.slice(tokenPrefix.length);
  const others = names.filter((name) => name !== "" && !name.startsWith(tokenPrefix));
  if (others.length === 0 && token === undefined) return { format: "json", name: undefined, token };
  const name = others.find((one) => formats.has(one));
  if (name === undefined) return undefined;
  return { format: formats.get(name) as SocketFormat, name, token };
}

export const subprotocolNames: readonly string[] = [...formats.keys()];
