import type { DescMethod } from "@bufbuild/protobuf";
import type { LocalResponse } from "../calls/local-exchange.ts";

/** Calls a method of the server with JSON, as the client of a request: with its headers, its address and its certificate. */
export type CallMethod = (method: DescMethod, json: Uint8Array, signal: AbortSignal) => Promise<LocalResponse>;

/** Serves methods as tools of the Model Context Protocol: `createMcpFace` of `@tercel/gateway/mcp` makes one. */
export interface McpFace {
  /** Where it is served. */
  readonly path: string;
  /** The methods that are tools. A server without one of them is refused. */
  readonly methods: readonly DescMethod[];
  serve(request: Request, call: CallMethod): Promise<Response>;
}
