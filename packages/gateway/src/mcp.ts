// Methods as tools of the Model Context Protocol, by its official SDK: `createGateway({ mcp: createMcpFace({ … }) })`.

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
   * The methods that are tools: `package.Service/Method`, `package.Service/*`, `*`. There is no default: what a model may do is chosen, and not what
   * happens to be there. Methods that stream cannot be tools; a `*` leaves them out.
   */
  readonly include: readonly string[];
  /** What a model is told of a method. Default: its comment in the protos, as `descriptorSet` has it. */
  readonly describe?: (method: DescMethod) => string | undefined;
  /** What `buf build -o api.binpb` writes, for the comments of methods and fields. Default: no texts but those of `describe`. */
  readonly descriptorSet?: Uint8Array;
  /** Default "/mcp". */
  readonly path?: string;
  /** What the server calls itself. Default "tercel", "1.0.0". */
  readonly name?: string;
  readonly version?: string;
}

/**
 * Serves unary methods as tools of the Model Context Protocol, by streamable HTTP without sessions. It needs the package
 * `@modelcontextprotocol/sdk`: `npm install @modelcontextprotocol/sdk`.
 *
 * A tool is a call of the method: with the interceptors of the server, the caller's `authorization` and other headers, limits and deadline. An error of
 * the call is the result of the tool, so that the model reads it. Methods with `idempotency_level = NO_SIDE_EFFECTS` are marked as read only.
 *
 * @throws TypeError for options that are unknown, a selector that names no method, and a method that streams
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
      // There is no stream of the server's own, and no session to end.
      if (request.method !== "POST") {
        return new Response("the Model Context Protocol is spoken by POST here\n", {
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

/** One for each request: without sessions there is nothing to keep. */
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

/** The JSON of Connect's protocol: the message, or code and message of an error. */
function toResult({ status, body }: { readonly status: number; readonly body: Uint8Array }): CallToolResult {
  const text = Buffer.from(body).toString();
  const json = JSON.parse(text) as JsonValue;
  if (status !== 200) return { content: [{ type: "text", text }], isError: true };
  const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
  return { content: [{ type: "text", text }], ...(isObject ? { structuredContent: json as JsonObject } : {}) };
}
