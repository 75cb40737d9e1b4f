import type { FileRegistry } from "@bufbuild/protobuf";

/** The declarations of services, from any source. */
export interface Schema {
  /** Name of the source in messages: `reflection of 127.0.0.1:50051`, `hello.proto`. */
  readonly origin: string;
  /** Returns the full names of all services, sorted. */
  listServices(signal: AbortSignal): Promise<string[]>;
  /** Returns the files that declare a service, method, message, enum or field, with their imports; undefined if it is unknown. */
  findSymbol(symbol: string, signal: AbortSignal): Promise<FileRegistry | undefined>;
}
