import { Code, ConnectError } from "@connectrpc/connect";

/**
 * One way to compress messages. Each message is compressed alone, without the state of earlier ones.
 *
 * Both methods may answer at once or later; they answer at once where that is cheaper than a turn of the event loop. The result
 * is a buffer of its own, which is freed when it has been used: do not keep it. The input must stay unchanged until then.
 */
export interface Compression {
  /** Content-coding in grpc-encoding, in lower case, for example "gzip". */
  readonly name: string;
  compress(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * Fails (throws or rejects) with a ConnectError: ResourceExhausted when the result would be longer than `maxBytes`, without
   * ever holding much more than that; Internal when the input is damaged, cut off or followed by something else. Work that has not
   * begun when `call` is cut off should not begin: reject with Canceled. Work that is done later waits for `call.takeRoom` first.
   */
  decompress(bytes: Uint8Array, maxBytes: number, call?: DecompressingCall): Uint8Array | Promise<Uint8Array>;
}

/** The call whose message is decompressed. */
export interface DecompressingCall {
  /** Cancelled, past its deadline, or its connection lost: the result is not needed. */
  readonly isCutOff: boolean;
  /**
   * Makes room for a result of up to `bytes` among all messages that the call's connection holds. A promise: wait for the room, begin
   * when it resolves. It does when the call is cut off, as well.
   */
  takeRoom(bytes: number): Promise<void> | undefined;
}

/**
 * Messages shorter than this are sent as they are even where compression was agreed on. Below about 1 KiB gzip saves less than
 * one packet, while it costs some 20 to 60 µs of CPU time and adds 18 bytes of header and checksum.
 */
export const defaultCompressMinBytes = 1024;

/** The outcome of looking at grpc-encoding; `undefined` as compression means identity. */
export type EncodingChoice = { readonly compression: Compression | undefined } | { readonly error: ConnectError };

/**
 * How a server reads the messages of a request with this grpc-encoding. An unknown encoding is Unimplemented and the message
 * names the supported ones; the response has to carry `formatAcceptEncoding` as well (gRPC compression, "Specification").
 */
export function chooseRequestDecoding(encoding: string | undefined, supported: readonly Compression[]): EncodingChoice {
  return findEncoding(encoding, supported, Code.Unimplemented);
}

/** The same for a client and the response. There an unknown encoding is Internal: the server ignored grpc-accept-encoding. */
export function chooseResponseDecoding(
  encoding: string | undefined,
  supported: readonly Compression[],
): EncodingChoice {
  return findEncoding(encoding, supported, Code.Internal);
}

/**
 * How a server compresses its messages: the first coding of the client's grpc-accept-encoding that is supported here. A client
 * that sends no such field gets the coding it used itself, for it can surely read that. `undefined` means identity.
 */
export function chooseResponseEncoding(
  acceptEncoding: string | undefined,
  requestCompression: Compression | undefined,
  supported: readonly Compression[],
): Compression | undefined {
  if (supported.length === 0) return undefined;
  if (acceptEncoding === undefined || acceptEncoding === "") return requestCompression;
  let start = 0;
  while (start <= acceptEncoding.length) {
    let comma = acceptEncoding.indexOf(",", start);
    if (comma < 0) comma = acceptEncoding.length;
    const found = findByName(acceptEncoding.slice(start, comma).trim(), supported);
    if (found !== undefined) return found;
    start = comma + 1;
  }
  return undefined;
}

/** The grpc-accept-encoding value to send; empty without compressions. */
export function formatAcceptEncoding(supported: readonly Compression[]): string {
  return supported.map((compression) => compression.name).join(",");
}

/** The error of a message whose flag says compressed while no encoding was declared (gRPC compression, last test case). */
export function undeclaredCompressionError(): ConnectError {
  return new ConnectError("message is flagged as compressed, but grpc-encoding is missing or identity", Code.Internal);
}

const identity: EncodingChoice = { compression: undefined };

function findEncoding(
  encoding: string | undefined,
  supported: readonly Compression[],
  codeIfUnknown: Code,
): EncodingChoice {
  if (encoding === undefined || encoding === "identity") return identity;
  const compression = findByName(encoding, supported);
  if (compression !== undefined) return { compression };
  const names = supported.length === 0 ? "identity" : `identity,${formatAcceptEncoding(supported)}`;
  const shown = JSON.stringify(encoding.slice(0, 64));
  return { error: new ConnectError(`unknown grpc-encoding ${shown}; supported are ${names}`, codeIfUnknown) };
}

function findByName(name: string, supported: readonly Compression[]): Compression | undefined {
  for (const compression of supported) {
    if (compression.name === name) return compression;
  }
  return undefined;
}
