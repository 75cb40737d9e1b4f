import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@tercel/grpc/protocols";

/** Returns the compression of a body with this encoding; undefined for an uncompressed one. */
export function findCompression(
  encoding: string | undefined,
  supported: readonly Compression[],
): { readonly compression: Compression | undefined } | { readonly error: ConnectError } {
  if (encoding === undefined || encoding === "" || encoding === "identity") return { compression: undefined };
  const compression = supported.find((one) => one.name === encoding);
  if (compression !== undefined) return { compression };
  const names = ["identity", ...supported.map((one) => one.name)].join(", ");
  const shown = JSON.stringify(encoding.slice(0, 64));
  return { error: new ConnectError(`unknown compression ${shown}; supported are ${names}`, Code.Unimplemented) };
}
