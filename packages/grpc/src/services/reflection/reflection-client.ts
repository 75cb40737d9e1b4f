import { type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { type CallOptions, Code, ConnectError, type Transport } from "@connectrpc/connect";
import { printable } from "../../logging/printable.ts";
import { registryOfFiles, wellKnownFile } from "./file-set.ts";
import { openReflectionStream, type ReflectionAnswer, type ReflectionStream } from "./reflection-stream.ts";

/** Reads what a server serves, for tools without the .proto files. */
export interface ReflectionClient {
  /** The full names of all services, sorted. */
  listServices(options?: CallOptions): Promise<string[]>;
  /**
   * The file that declares a service, method, message, enum, field or extension, with everything that it imports; undefined when
   * the server does not know the symbol.
   *
   * @throws ConnectError with the code Unimplemented when the server does not serve reflection, and DataLoss when what it sends is not a
   *   complete and correct set of files
   */
  findSymbol(symbol: string, options?: CallOptions): Promise<FileRegistry | undefined>;
}

/** The whole of Google's public APIs are fewer. */
const maxFiles = 10_000;
const maxBytes = 64 * 1024 * 1024;

/** Speaks grpc.reflection.v1, and v1alpha with servers that know nothing newer. */
export function createReflectionClient(transport: Transport): ReflectionClient {
  let knowsV1 = true;

  /** Runs a conversation, a second time with v1alpha when the server does not have v1. */
  async function converse<T>(options: CallOptions, work: (stream: ReflectionStream) => Promise<T>): Promise<T> {
    if (knowsV1) {
      try {
        return await withStream(transport, "v1", options, work);
      } catch (error) {
        if (!(error instanceof ConnectError) || error.code !== Code.Unimplemented) throw error;
      }
    }
    const result = await withStream(transport, "v1alpha", options, work);
    knowsV1 = false;
    return result;
  }

  return {
    listServices(options = {}) {
      return converse(options, async (stream) => {
        const answer = await stream.ask({ case: "listServices", value: "*" });
        if (answer.case !== "listServicesResponse") throw unexpected(answer, "a list of services");
        return answer.value.service.map(({ name }) => name).sort();
      });
    },
    findSymbol(symbol, options = {}) {
      return converse(options, async (stream) => {
        const answer = await stream.ask({ case: "fileContainingSymbol", value: symbol });
        if (answer.case === "errorResponse" && answer.value.errorCode === Code.NotFound) return undefined;
        return loadFiles(stream, answer);
      });
    },
  };
}

async function withStream<T>(
  transport: Transport,
  version: "v1" | "v1alpha",
  options: CallOptions,
  work: (stream: ReflectionStream) => Promise<T>,
): Promise<T> {
  const stream = openReflectionStream(transport, version, options);
  try {
    return await work(stream);
  } finally {
    await stream.close();
  }
}

/** Asks for imports until none is missing. Some servers send them unasked, others one at a time. */
async function loadFiles(stream: ReflectionStream, first: ReflectionAnswer): Promise<FileRegistry> {
  const files = new Map<string, FileDescriptorProto>();
  let bytes = 0;
  const take = (answer: ReflectionAnswer, what: string): void => {
    if (answer.case !== "fileDescriptorResponse") throw unexpected(answer, what);
    for (const serialized of answer.value.fileDescriptorProto) {
      bytes += serialized.byteLength;
      const file = parseFile(serialized);
      if (!files.has(file.name)) files.set(file.name, file);
    }
    if (files.size > maxFiles || bytes > maxBytes) {
      throw new ConnectError(
        `reflection sent more than ${maxFiles} files or ${maxBytes} bytes of descriptors`,
        Code.ResourceExhausted,
      );
    }
  };

  take(first, "a file");
  // Iterating a map includes entries that are added during the iteration.
  for (const file of files.values()) {
    for (const name of file.dependency) {
      if (files.has(name)) continue;
      const answer = await stream.ask({ case: "fileByFilename", value: name });
      const known = answer.case === "errorResponse" ? wellKnownFile(name) : undefined;
      if (known !== undefined) files.set(name, known);
      else take(answer, `${printable(name)}, which ${printable(file.name)} imports`);
      if (!files.has(name)) throw incomplete(`reflection sent another file than ${printable(name)}`);
    }
  }
  try {
    return registryOfFiles(files);
  } catch (error) {
    throw incomplete(
      `reflection sent descriptors that are wrong: ${printable(String((error as Error).message))}`,
      error,
    );
  }
}

function parseFile(serialized: Uint8Array): FileDescriptorProto {
  try {
    return fromBinary(FileDescriptorProtoSchema, serialized);
  } catch (error) {
    throw incomplete("reflection sent bytes that are not a file descriptor", error);
  }
}

function unexpected(answer: ReflectionAnswer, wanted: string): ConnectError {
  if (answer.case !== "errorResponse") {
    return incomplete(`reflection answered with ${answer.case ?? "nothing"} to a request for ${wanted}`);
  }
  const { errorCode, errorMessage } = answer.value;
  const code = errorCode >= Code.Canceled && errorCode <= Code.Unauthenticated ? (errorCode as Code) : Code.Unknown;
  return new ConnectError(`reflection refused a request for ${wanted}: ${printable(errorMessage)}`, code);
}

function incomplete(message: string, cause?: unknown): ConnectError {
  return new ConnectError(message, Code.DataLoss, undefined, undefined, cause);
}
