import { create, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { type Code, ConnectError, type UnaryRequest, type UnaryResponse } from "@connectrpc/connect";

/** The stored form of a response: JSON with base64, which operators can read in the store. */
interface Written {
  /** The version of the format. */
  readonly v: 1;
  readonly header: [string, string][];
  readonly trailer: [string, string][];
  /** The response message; absent for an error. */
  readonly message?: string;
  readonly error?: {
    readonly code: number;
    readonly text: string;
    readonly details: { type: string; value: string }[];
  };
}

/** Marks a repeated response. Stripe uses the same name. */
const replayedHeader = "idempotent-replayed";

export function writeResponse(response: UnaryResponse): Uint8Array {
  return write({
    v: 1,
    header: [...response.header],
    trailer: [...response.trailer],
    message: base64(toBinary(response.method.output as DescMessage, response.message as Message)),
  });
}

export function writeError(error: ConnectError): Uint8Array {
  const details = error.details.map((detail) => {
    if ("desc" in detail) {
      const { desc, value } = detail;
      return { type: desc.typeName, value: base64(toBinary(desc, create(desc, value))) };
    }
    return { type: detail.type, value: base64(detail.value) };
  });
  return write({
    v: 1,
    header: [...error.metadata],
    trailer: [],
    error: { code: error.code, text: error.rawMessage, details },
  });
}

/** Returns a stored response as if the handler had returned it. @throws ConnectError if it was an error */
export function replay(request: UnaryRequest, response: Uint8Array): UnaryResponse {
  const written = JSON.parse(new TextDecoder().decode(response)) as Written;
  const header = new Headers(written.header);
  header.set(replayedHeader, "true");
  if (written.error !== undefined) {
    const { code, text, details } = written.error;
    const error = new ConnectError(text, code as Code, header);
    error.details = details.map(({ type, value }) => ({ type, value: bytes(value) }));
    throw error;
  }
  return {
    stream: false,
    service: request.service,
    method: request.method,
    header,
    trailer: new Headers(written.trailer),
    message: fromBinary(request.method.output, bytes(written.message ?? "")),
  } as UnaryResponse;
}

function write(written: Written): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(written));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
