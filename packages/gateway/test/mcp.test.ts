// Own process: the SDK includes zod, which defines globals.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { CallToolResult, Tool } from "@modelcontextprotocol/sdk/types.js";
import { createGateway } from "@tercel/gateway";
import { createMcpFace, type McpFaceOptions } from "@tercel/gateway/mcp";
import { callInfo, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";
import { type Everything, Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { createLibrary, createLibraryState, type RunningLibrary, startLibrary } from "./support/library.ts";

const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} } };
const root = join(import.meta.dirname, "..", "..", "..");
const services = [Library];

/** The calls that the server's interceptors have seen. */
const seen: { path: string; authorization: string | null; peer: string | undefined }[] = [];
const guard: Interceptor = (next) => (request) => {
  const { url, header, contextValues } = request;
  seen.push({
    path: new URL(url).pathname,
    authorization: header.get("authorization"),
    peer: contextValues.get(callInfo)?.peerAddress,
  });
  if (header.get("authorization") === "Bearer stolen") throw new ConnectError("not you", Code.PermissionDenied);
  return next(request);
};

type Result = CallToolResult & { readonly refused?: string };

interface Call {
  readonly name: string;
  readonly arguments?: Record<string, unknown>;
}

/** Lists the tools and makes calls one after another with the client of the SDK. */
async function askBySdk(
  url: string,
  calls: readonly Call[] = [],
  headers: Record<string, string> = {},
): Promise<{ readonly tools: Tool[]; readonly results: Result[] }> {
  const program = join(import.meta.dirname, "support", "mcp-client.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[program, `${url}/mcp`, JSON.stringify({ headers, calls })],
  ]);
  return JSON.parse(stdout);
}

const textOf = (result: Result | undefined): string => {
  const [content] = result?.content ?? [];
  return content?.type === "text" ? content.text : "";
};

describe("methods as MCP tools", () => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-mcp-"));
  let library: RunningLibrary;
  before(async () => {
    const file = join(folder, "api.binpb");
    execFileSync(join(root, "node_modules", ".bin", "buf"), ["build", "-o", file], {
      cwd: join(root, "packages", "gateway"),
    });
    library = await startLibrary(
      Library,
      {
        mcp: createMcpFace({
          services,
          include: ["tercel.gateway.test.v1.Library/*"],
          descriptorSet: readFileSync(file),
          describe: (method) => (method.name === "DeleteBook" ? "Burns a book." : undefined),
        }),
        cors: { origins: ["https://app.example.com"] },
      },
      { ...quiet, interceptors: [guard], maxReceiveMessageBytes: 100_000 },
    );
  });
  after(async () => {
    await library.server.close({ deadlineMs: 0 });
    rmSync(folder, { recursive: true });
  });

  it("are listed for the client of the SDK with descriptions, schemas and annotations", async () => {
    const { tools } = await askBySdk(library.url);
    assert.deepEqual(
      tools.map((tool) => tool.name),
      [
        ...["Library_GetBook", "Library_ListBooks", "Library_CreateBook", "Library_UpdateBook", "Library_DeleteBook"],
        ...["Library_LendBook", "Library_TagBooks", "Library_ReadFile", "Library_PutFile", "Library_Echo"],
      ],
    );
    const [get, , create, , burn] = tools;
    assert.equal(get?.description, "Returns one book.");
    assert.deepEqual(get?.annotations, { readOnlyHint: true, idempotentHint: true });
    assert.deepEqual(get?.inputSchema, { type: "object", properties: { name: { type: "string" } } });
    assert.deepEqual(create?.annotations, { readOnlyHint: false, idempotentHint: false });
    const { properties, $defs } = (create ?? { inputSchema: {} }).inputSchema as unknown as {
      properties: Record<string, object>;
      $defs: Record<string, { required: string[] }>;
    };
    assert.deepEqual(properties.book, { $ref: "#/$defs/tercel.gateway.test.v1.Book" });
    assert.deepEqual($defs["tercel.gateway.test.v1.Book"]?.required, ["title"]);
    assert.equal(burn?.description, "Burns a book.");
  });

  it("are called with the caller's authorization and address, through the server's interceptors", async () => {
    const everything = { text: "a", large: "5", genre: "GENRE_POEM", child: { numbers: [1] } };
    const { results } = await askBySdk(
      library.url,
      [
        { name: "Library_Echo", arguments: everything },
        { name: "Library_GetBook", arguments: { name: "shelves/7/books/1" } },
      ],
      { authorization: "Bearer mine" },
    );
    const [echoed, book] = results;
    assert.deepEqual(echoed?.structuredContent, everything);
    assert.equal((library.state.requests.at(-2) as Everything).large, 5n);
    assert.equal(book?.structuredContent?.title, "Flatland");
    assert.equal(JSON.parse(textOf(book)).pageCount, "96");
    const last = seen.at(-1);
    assert.deepEqual([last?.path, last?.authorization], ["/tercel.gateway.test.v1.Library/GetBook", "Bearer mine"]);
    assert.match(last?.peer ?? "", /^127\.0\.0\.1:/);
  });

  it("return the errors of calls as tool results, so that the model sees them", async () => {
    const { results } = await askBySdk(library.url, [
      { name: "Library_GetBook", arguments: { name: "none" } },
      { name: "Library_Echo", arguments: { small: "x" } },
      { name: "Library_GetBok" },
    ]);
    const [missing, wrong, unknown] = results;
    assert.equal(missing?.isError, true);
    assert.match(textOf(missing), /"not_found".*none was not found/);
    assert.equal(wrong?.isError, true);
    assert.match(textOf(wrong), /invalid_argument/);
    assert.match(unknown?.refused ?? "", /did you mean Library_GetBook/);
    const stolen = await askBySdk(library.url, [{ name: "Library_GetBook" }], { authorization: "Bearer stolen" });
    assert.match(textOf(stolen.results[0]), /permission_denied.*not you/);
  });

  it("count as calls and obey the limits of the server", async () => {
    const { started } = library.server.calls;
    const { results } = await askBySdk(library.url, [
      { name: "Library_Echo", arguments: { text: "a".repeat(100_000) } },
    ]);
    assert.match(textOf(results[0]), /resource_exhausted/);
    assert.equal(library.server.calls.started, started + 1);
    assert.equal(library.server.openCalls, 0);
  });

  it("are listed and called with curl, without the SDK", async () => {
    const send = async (message: object): Promise<{ readonly status: string; readonly body: string }> => {
      const { stdout } = await promisify(execFile)("curl", [
        ...["--silent", "--show-error", "--write-out", "\n%{http_code}", "--header", "content-type: application/json"],
        ...["--header", "accept: application/json, text/event-stream", "--header", "mcp-protocol-version: 2025-06-18"],
        ...["--data", JSON.stringify({ jsonrpc: "2.0", ...message }), `${library.url}/mcp`],
      ]);
      const at = stdout.lastIndexOf("\n");
      return { status: stdout.slice(at + 1), body: stdout.slice(0, at) };
    };
    const resultOf = async (message: object) => {
      const { status, body } = await send(message);
      assert.equal(status, "200", body);
      const { jsonrpc, id, result } = JSON.parse(/^data: (.*)$/m.exec(body)?.[1] ?? body);
      assert.deepEqual([jsonrpc, id], ["2.0", (message as { id: number }).id]);
      return result;
    };
    const clientInfo = { name: "curl", version: "1" };
    const hello = await resultOf({
      ...{ id: 1, method: "initialize" },
      params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo },
    });
    assert.equal(hello.protocolVersion, "2025-06-18");
    assert.ok(hello.capabilities.tools);
    assert.equal((await send({ method: "notifications/initialized" })).status, "202");
    const { tools } = await resultOf({ id: 2, method: "tools/list" });
    assert.ok(tools.some(({ name }: Tool) => name === "Library_GetBook"));
    const call = (id: number, name: string) =>
      resultOf({ id, method: "tools/call", params: { name: "Library_GetBook", arguments: { name } } });
    assert.match(textOf(await call(3, "shelves/7/books/1")), /Flatland/);
    const missing = await call(4, "shelves/7/books/none");
    assert.equal(missing.isError, true);
    assert.match(textOf(missing), /not_found/i);
  });

  it("refuse pages of other origins, streams and sessions", async () => {
    const send = (origin?: string) =>
      fetch(`${library.url}/mcp`, {
        ...{ method: "POST", body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' },
        headers: {
          ...{ "content-type": "application/json", accept: "application/json, text/event-stream" },
          ...(origin === undefined ? {} : { origin }),
        },
      });
    assert.equal((await send()).status, 200);
    assert.equal((await send("https://evil.example.com")).status, 403);
    assert.equal((await send("https://app.example.com")).status, 200);
    for (const method of ["GET", "DELETE"]) {
      const response = await fetch(`${library.url}/mcp`, { method });
      assert.deepEqual([response.status, response.headers.get("allow")], [405, "POST"]);
    }
  });

  it("cancel the handler when the client disconnects", async () => {
    let begun: (() => void) | undefined;
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const server = createServer({
      routes: (router) =>
        router.service(Library, {
          ...createLibrary(createLibraryState()),
          async getBook(_request, { signal }) {
            begun?.();
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
            return {};
          },
        }),
      gateway: createGateway({ mcp: createMcpFace({ services, include: ["tercel.gateway.test.v1.Library/GetBook"] }) }),
      ...quiet,
    });
    const { port } = await server.listen({ port: 0 });
    const abort = new AbortController();
    const sent = fetch(`http://127.0.0.1:${port}/mcp`, {
      ...{ method: "POST", signal: abort.signal },
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"Library_GetBook","arguments":{}}}',
    });
    await hasBegun;
    abort.abort();
    await assert.rejects(sent);
    while (server.openCalls > 0) await new Promise((resolve) => setImmediate(resolve));
    await server.close({ deadlineMs: 0 });
  });
});

describe("createMcpFace", () => {
  for (const [options, problem] of [
    [{ includes: ["*"] }, /did you mean "include"/],
    [
      { include: ["tercel.gateway.test.v1.Library/GetBok"] },
      /did you mean "tercel\.gateway\.test\.v1\.Library\/GetBook"/,
    ],
    [{ include: ["tercel.gateway.test.v1.Library/WatchBooks"] }, /WatchBooks streams; tools are unary/],
    [{ include: ["other.Service/*"] }, /which none of the services has/],
    [{ path: "mcp" }, /path is "mcp"/],
    [{ services: [Library, Library] }, /both have a tool Library_GetBook/],
  ] as const) {
    it(`rejects ${Object.keys(options)}: ${problem}`, () => {
      assert.throws(() => createMcpFace({ services, include: ["*"], ...options } as McpFaceOptions), problem);
    });
  }

  it("is rejected by a server without its methods", () => {
    const make = () =>
      createServer({
        routes: createHealth().routes,
        gateway: createGateway({ mcp: createMcpFace({ services, include: ["*"] }) }),
      });
    assert.throws(
      make,
      /mcp has the tool tercel\.gateway\.test\.v1\.Library\/GetBook, which this server does not serve/,
    );
    assert.throws(() => createGateway({ mcp: {} as never }), /createMcpFace/);
  });
});
