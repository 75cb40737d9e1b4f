// Long: it starts Redocly, openapi-typescript and the compiler for each form of the document.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { DescService } from "@bufbuild/protobuf";
import { createGateway, type GatewayOptions } from "@tercel/gateway";
import { createWebSockets } from "@tercel/gateway/websocket";
import { createServer } from "@tercel/grpc";
import { bundleProgram } from "@tercel/test-support/bundled-programs";
import { checkOpenApiTypes, lintOpenApi, withoutNpm } from "@tercel/test-support/peers";
import { Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { Transcoding } from "./gen/tercel/gateway/transcoding/v1/transcoding_pb.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const gatewayFolder = join(import.meta.dirname, "..");
const buf = join(gatewayFolder, "..", "..", "node_modules", ".bin", "buf");
const plugin = [process.execPath, bundleProgram(join(gatewayFolder, "src", "protoc-gen-tercel-openapi.ts"))];

/** Uses the types of the library's document. */
const program = `
import type { components, operations, paths } from "./api.ts";

type Book = components["schemas"]["tercel.gateway.test.v1.Book"];
const book: Book = { title: "Flatland", pageCount: "96", genre: "GENRE_NOVEL", labels: { a: "b" } };
// @ts-expect-error The title is required.
const untitled: Book = { pageCount: "96" };
// @ts-expect-error int64 is text.
const counted: Book = { title: "a", pageCount: 96 };
// @ts-expect-error The enum does not have this genre.
const named: Book = { title: "a", genre: "NOVEL" };

type Get = paths["/v1/shelves/{name}/books/{name_1}"]["get"];
const got: Get["responses"]["200"]["content"]["application/json"] = book;
const parameters: Get["parameters"]["path"] = { name: "7", name_1: "1" };
// @ts-expect-error Both parts of the path are needed.
const partial: Get["parameters"]["path"] = { name: "7" };

const query: operations["Library_ListBooks"]["parameters"]["query"] = { pageSize: 10, genre: "GENRE_POEM" };
const body: operations["Library_CreateBook"]["requestBody"]["content"]["application/json"] = book;
const failure: components["schemas"]["Error"] = { error: { code: 404, message: "no", status: "NOT_FOUND" } };
// @ts-expect-error PUT is not served here.
const put: NonNullable<paths["/v1/tags"]["put"]> = {};

export const used = [untitled, counted, named, got, parameters, partial, query, body, failure, put];
`;

describe("the OpenAPI document, judged by other programs", { skip: withoutNpm, timeout: 290_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-openapi-judges-"));
  before(() => {
    execFileSync(buf, ["build", "-o", join(folder, "api.binpb")], { cwd: gatewayFolder });
  });
  after(() => rmSync(folder, { recursive: true }));

  /** The file of the document that a gateway serves for a service. */
  async function served(service: DescService, options: GatewayOptions): Promise<string> {
    const server = createServer({
      routes: (router) => router.service(service, {}),
      gateway: createGateway({
        ...options,
        openapi: { descriptorSet: readFileSync(join(folder, "api.binpb")), ...options.openapi },
      }),
      log: quiet,
    });
    const { port } = await server.listen({ port: 0 });
    try {
      const file = join(folder, "openapi.json");
      writeFileSync(file, await (await fetch(`http://127.0.0.1:${port}/openapi.json`)).text());
      return file;
    } finally {
      await server.close({ deadlineMs: 0 });
    }
  }

  function written(...opt: readonly string[]): string {
    const template = { version: "v2", plugins: [{ local: plugin, out: folder, opt, strategy: "all" }] };
    execFileSync(buf, ["generate", "test/proto", "--template", JSON.stringify(template)], { cwd: gatewayFolder });
    return join(folder, opt.some((one) => one.endsWith(".yaml")) ? "openapi.yaml" : "openapi.json");
  }

  const isClean = (file: string): void => {
    const { isValid, output } = lintOpenApi(file);
    assert.ok(isValid, output);
  };

  it("is refused by Redocly's linter where it is wrong", async () => {
    const file = await served(Library, {});
    const document = JSON.parse(readFileSync(file, "utf8"));
    document.paths["/v1/tags"].post.parameters.push({ name: "nowhere", in: "path", required: true, schema: {} });
    writeFileSync(file, JSON.stringify(document));
    const { isValid, output } = lintOpenApi(file);
    assert.ok(!isValid);
    assert.match(output, /path-parameters-defined/);
  });

  const forms: readonly (readonly [title: string, service: DescService, options: GatewayOptions])[] = [
    ["of the library", Library, {}],
    [
      "with errors as google.rpc.Status, and WebSockets",
      Library,
      { errorBody: "status", webSockets: createWebSockets() },
    ],
    ["of a service with every type of field", Transcoding, {}],
  ];
  for (const [title, service, options] of forms) {
    it(`${title} passes Redocly's linter`, async () => isClean(await served(service, options)));
  }

  it("written by the plugin passes Redocly's linter, as JSON and as YAML", () => {
    isClean(written("title=Library", "websockets=true"));
    isClean(written("title=Library", "file=openapi.yaml"));
  });

  it("has types by openapi-typescript that hold what the protos say", async () => {
    for (const file of [await served(Library, {}), written("title=Library")]) {
      const { isValid, output } = checkOpenApiTypes(file, program);
      assert.ok(isValid, output);
    }
    const wrong = checkOpenApiTypes(
      written("title=Library"),
      program.replace("// @ts-expect-error int64 is text.\n", ""),
    );
    assert.match(wrong.output, /pageCount|TS2322/, "the check sees what is wrong");
  });

  it("has types by openapi-typescript for every type of field", async () => {
    const all = `
      import type { components } from "./api.ts";
      type Sample = components["schemas"]["tercel.gateway.transcoding.v1.Sample"];
      export const sample: Sample = {
        flag: true, small: 1, large: "1", precise: 1.5, text: "a", data: "AQI=", kind: "KIND_ONE", numbers: [1],
        children: [{ text: "a" }], labels: { a: "b" }, at: "2026-01-31T08:00:00Z", took: "1.5s", mask: "text",
        fields: { a: 1 }, value: null, list: [1], maybeSmall: 0, maybeText: "", left: "a", OddOne: "a",
      };
    `;
    const { isValid, output } = checkOpenApiTypes(await served(Transcoding, {}), all);
    assert.ok(isValid, output);
  });
});
