/** Format of the messages over a WebSocket. */
export type SocketFormat = "json" | "proto";

const formats: ReadonlyMap<string, SocketFormat> = new Map([
  ["tercel.v1+json", "json"],
  ["tercel.v1+proto", "proto"],
]);

/** Prefix of a subprotocol that contains a token: a web page cannot set headers of a WebSocket. */
const tokenPrefix = "authorization.bearer.";

/** Result of {@link chooseSubprotocol}. */
export interface ChosenSubprotocol {
  readonly format: SocketFormat;
  /** The subprotocol for the response; undefined if the client offers none, which means JSON. */
  readonly name: string | undefined;
  /** The token of the client. It must not appear in the response, where proxies would log it. */
  readonly token: string | undefined;
}

/**
 * Reads `Sec-WebSocket-Protocol`. Undefined: the client supports none of the subprotocols. A token alone is refused as well, because browsers
 * close a connection when the response has none of the subprotocols that they offered.
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
