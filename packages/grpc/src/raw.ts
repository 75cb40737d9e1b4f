// Calls below codecs and descriptors: bytes in, bytes out, found by path.

export type {
  RawCallOptions,
  RawCalls,
  RawHandlerCall,
  RawMetadata,
  RawMethod,
  RawMethods,
  RawStreamResponse,
  RawUnaryResponse,
} from "./call/raw-call.ts";
export type { RpcStatus } from "./protocol/rpc-status.ts";
export { errorOfStatus, statusOfError } from "./protocol/trailers.ts";
