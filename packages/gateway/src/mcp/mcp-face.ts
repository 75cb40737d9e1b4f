import type { DescMethod } from "@bufbuild/protobuf";
import type { LocalResponse } from "../calls/local-exchange.ts";

/** Calls a method of the server with JSON for the client of a request, with its headers, its address and its certificate. */
export type CallMethod = (method: DescMethod, json: Uint8Array, signal: AbortSignal) => Promise<LocalResponse>;

/** Serves methods as tools of the Model Context Protocol. Created by `createMcpFace` of `@tercel/gateway/mcp`. */
export interface McpFace {
  /** The path of the endpoint. */
  readonly path: string;
  /** The methods that are tools. The server must serve all of them. */
  readonly methods: readonly DescMethod[];
  serve(request: Request, call: CallMethod): Promise<Response>;
}
