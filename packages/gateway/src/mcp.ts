// Methods as tools of the Model Context Protocol, with its official SDK: `createGateway({ mcp: createMcpFace({ … }) })`.

import type { DescMethod, DescService, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
} from "@modelcontextprotocol/sdk/types.js";
import { nearestName, refuseUnknownOptions } from "@tercel/grpc/internal";
import type { CallMethod, McpFace } from "./mcp/mcp-face.ts";
import { selectMethods } from "./mcp/select-methods.ts";
import { createTools, type McpTool } from "./mcp/tools.ts";
import { readComments } from "./openapi/proto-comments.ts";

export type { LocalResponse } from "./calls/local-exchange.ts";
export type { CallMethod, McpFace } from "./mcp/mcp-face.ts";

export interface McpFaceOptions {
  /** The services whose methods may be tools. */
  readonly services: readonly DescService[];
  /**
   * The methods that are tools: `package.Service/Method`, `package.Service/*`, `*`. Required, because you should decide what a model may
   * do. Streaming methods cannot be tools; `*` leaves them out.
   */
  readonly include: readonly string[];
  /** Returns the description of a method for models. Default: its comment in `descriptorSet`. */
  readonly describe?: (method: DescMethod) => string | undefined;
  /** A descriptor set, as from `buf build -o api.binpb`, with the comments of methods and fields. Default: only the texts of `describe`. */
  readonly descriptorSet?: Uint8Array;
  /** The path of the endpoint. Default "/mcp". */
  readonly path?: string;
  /** The name and version of the server in the protocol. Default "tercel", "1.0.0". */
  readonly name?: string;
  readonly version?: string;
}

/**
 * Serves unary methods as tools of the Model Context Protocol, with streamable HTTP and without sessions. It needs the package
 * `@modelcontextprotocol/sdk`: `npm install @modelcontextprotocol/sdk`.
 *
 * A tool calls the method with the server's interceptors, limits and deadline, and with the caller's `authorization` and other headers. An error of
 * the call is the result of the tool, so that the model can read it. Methods with `idempotency_level = NO_SIDE_EFFECTS` are marked as read only.
 *
 * @throws TypeError for unknown options, a selector that matches no method, and a streaming method
 */
export function createMcpFace(options: McpFaceOptions): McpFace {
  const where = "createMcpFace";
  refuseUnknownOptions(where, options, [
    ...["services", "include", "describe", "descriptorSet", "path", "name", "version"],
  ]);
  const { path = "/mcp", name = "tercel", version = "1.0.0" } = options;
  if (!/^\/[A-Za-z0-9/._-]*$/.test(path)) {
    throw new TypeError(`${where}: path is ${JSON.stringify(path)}; it has to be a path such as /mcp`);
  }
  const methods = selectMethods(where, options.services, options.include);
  const comments = options.descriptorSet === undefined ? new Map() : readComments(options.descriptorSet);
  const tools = createTools(where, methods, comments, options.describe ?? (() => undefined));
  return {
    path,
    methods,
    async serve(request, call) {
      // The server has no stream for GET, and no session for DELETE.
      if (request.method !== "POST") {
        return new Response("requests of the Model Context Protocol must use POST\n", {
          ...{ status: 405, headers: { allow: "POST" } },
        });
      }
      const server = createMcpServer({ name, version }, tools, call);
      const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
      await server.connect(transport);
      try {
        return await transport.handleRequest(request);
      } finally {
        await server.close();
      }
    },
  };
}

/** Creates a server for one request, because there are no sessions. */
function createMcpServer(info: { name: string; version: string }, tools: readonly McpTool[], call: CallMethod): Server {
  const server = new Server(info, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(({ name, description, inputSchema, annotations }) => ({
      ...{ name, description, inputSchema, annotations },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => {
    const tool = tools.find((one) => one.name === params.name);
    if (tool === undefined) throw unknownTool(params.name, tools);
    const json = Buffer.from(JSON.stringify(params.arguments ?? {}));
    return toResult(await call(tool.method, json, signal));
  });
  return server;
}

function unknownTool(name: string, tools: readonly McpTool[]): McpError {
  const nearest = nearestName(
    name.slice(0, 128),
    tools.map((tool) => tool.name),
  );
  const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  return new McpError(ErrorCode.InvalidParams, `there is no tool ${JSON.stringify(name.slice(0, 128))}${hint}`);
}

/** Converts a response of the Connect protocol: the JSON of the message, or of an error. */
function toResult({ status, body }: { readonly status: number; readonly body: Uint8Array }): CallToolResult {
  const text = Buffer.from(body).toString();
  const json = JSON.parse(text) as JsonValue;
  if (status !== 200) return { content: [{ type: "text", text }], isError: true };
  const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
  return { content: [{ type: "text", text }], ...(isObject ? { structuredContent: json as JsonObject } : {}) };
}
