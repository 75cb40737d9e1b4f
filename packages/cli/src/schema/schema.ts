import type { FileRegistry } from "@bufbuild/protobuf";

/** What is known of the services that are called, from whatever source. */
export interface Schema {
  /** The source, as messages name it: `reflection of 127.0.0.1:50051`, `hello.proto`. */
  readonly origin: string;
  /** The full names of all services, sorted. */
  listServices(signal: AbortSignal): Promise<string[]>;
  /** The files that declare a service, method, message, enum or field, and all that they import; undefined when it is unknown. */
  findSymbol(symbol: string, signal: AbortSignal): Promise<FileRegistry | undefined>;
}
