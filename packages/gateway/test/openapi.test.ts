import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { JsonObject } from "@bufbuild/protobuf";
import { Validator } from "@seriousme/openapi-schema-validator";
import { createGateway } from "@tercel/gateway";
import { createWebSockets } from "@tercel/gateway/websocket";
import { Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { type RunningLibrary, startLibrary } from "./support/library.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} } };

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; required?: boolean; schema?: JsonObject }[];
  requestBody?: { content: Record<string, { schema: JsonObject }> };
  responses: Record<string, { content?: Record<string, { schema: JsonObject }> }>;
  summary?: string;
  description?: string;
}

type Document = JsonObject & {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, JsonObject> };
  info: JsonObject;
};

describe("the OpenAPI document", () => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-openapi-"));
  let library: RunningLibrary;
  let document: Document;
  before(async () => {
    const file = join(folder, "api.binpb");
    execFileSync(join(root, "node_modules", ".bin", "buf"), ["build", "-o", file], {
      cwd: join(root, "packages", "gateway"),
    });
    library = await startLibrary(
      Library,
      {
        openapi: {
          title: "Library <1>",
          docs: "/docs",
          descriptorSet: readFileSync(file),
          overlay: { info: { contact: { name: "us" } } },
        },
      },
      quiet,
    );
    document = (await (await fetch(`${library.url}/openapi.json`)).json()) as Document;
  });
  after(async () => {
    await library.server.close({ deadlineMs: 0 });
    rmSync(folder, { recursive: true });
  });

  const operations = (): [string, string, Operation][] =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]): [string, string, Operation] => [path, method, operation]),
    );

  it("has each route that OpenAPI can describe, once", () => {
    assert.deepEqual(
      operations().map(([path, method, { operationId }]) => `${method} ${path} ${operationId}`),
      [
        "get /v1/shelves/{name}/books/{name_1} Library_GetBook",
        "patch /v1/shelves/{name}/books/{name_1} Library_UpdateBook",
        "delete /v1/shelves/{name}/books/{name_1} Library_DeleteBook",
        "get /v1/books/{name} Library_GetBook_2",
        "get /v1/shelves/{shelf}/books Library_ListBooks",
        "post /v1/shelves/{shelf}/books Library_CreateBook",
        "get /v1/shelves/{shelf}/books:list Library_ListBooks_2",
        "post /v1/shelves/{name}/books/{name_1}:lend Library_LendBook",
        "post /v1/tags Library_TagBooks",
        "get /v1/files/{path} Library_ReadFile",
        "put /v1/file Library_PutFile",
        "get /v1/books:watch Library_WatchBooks",
        "post /v1/books:import Library_ImportBooks",
        "get /v1/echo Library_Echo",
        "post /v1/echo Library_Echo_2",
      ],
    );
  });

  it("is what OpenAPI 3.1 demands: parameters of each path, references that lead somewhere, unique names", () => {
    assert.equal(document.openapi, "3.1.0");
    const ids = operations().map(([, , { operationId }]) => operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const [path, , { parameters = [], responses }] of operations()) {
      const inTemplate = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]);
      const inPath = parameters.filter((one) => one.in === "path");
      assert.deepEqual(
        inPath.map((one) => one.name),
        inTemplate,
      );
      assert.ok(inPath.every((one) => one.required === true));
      assert.equal(new Set(parameters.map((one) => `${one.in} ${one.name}`)).size, parameters.length);
      assert.ok("default" in responses);
    }
    const references = JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g);
    for (const [, pointer = ""] of references) {
      const found = pointer
        .split("/")
        .slice(1)
        .reduce<unknown>((at, name) => (at as JsonObject)?.[name], document);
      assert.notEqual(found, undefined, pointer);
    }
    for (const name of Object.keys(document.components.schemas)) assert.match(name, /^[a-zA-Z0-9._-]+$/);
  });

  it("is valid for a validator of OpenAPI 3.1, in every form that options give it", async () => {
    const validate = async (given: object): Promise<void> => {
      const validator = new Validator();
      const { valid, errors } = await validator.validate(structuredClone(given) as Record<string, unknown>);
      assert.ok(valid, JSON.stringify(errors));
      assert.equal(validator.version, "3.1");
    };
    await validate(document);
    const broken = { ...document, paths: { "no-slash": { get: { responses: {} } } } };
    await assert.rejects(validate(broken), "the validator sees what is wrong");
    for (const options of [
      { errorBody: "status" as const, openapi: {} },
      { errorBody: () => ({}), openapi: {}, webSockets: createWebSockets() },
    ]) {
      const other = await startLibrary(Library, options, quiet);
      await validate((await (await fetch(`${other.url}/openapi.json`)).json()) as object);
      await other.server.close({ deadlineMs: 0 });
    }
  });

  it("describes the errors that there are, files in forms, and streams over WebSockets", async () => {
    const other = await startLibrary(
      Library,
      { errorBody: "status", openapi: {}, webSockets: createWebSockets() },
      quiet,
    );
    const { components, paths } = (await (await fetch(`${other.url}/openapi.json`)).json()) as Document;
    assert.deepEqual((components.schemas.Error as { required: string[] }).required, ["code", "message"]);
    const types = (path: string) => Object.keys(paths[path]?.post?.requestBody?.content ?? {});
    assert.deepEqual(types("/v1/echo"), ["application/json", "multipart/form-data"]);
    assert.deepEqual(types("/v1/shelves/{shelf}/books"), ["application/json"]);
    const watch = paths["/v1/books:watch"]?.get as unknown as JsonObject;
    assert.deepEqual(watch["x-websocket"], ["tercel.v1+json", "tercel.v1+proto"]);
    assert.equal("x-websocket" in (document.paths["/v1/books:watch"]?.get ?? {}), false);
    await other.server.close({ deadlineMs: 0 });
  });

  it("has schemas that a validator of JSON Schema 2020-12 takes, and that the server's responses fit", async () => {
    const Ajv = createRequire(import.meta.url)("ajv/dist/2020.js").default;
    const ajv = new Ajv({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: "doc", ...document });
    for (const name of Object.keys(document.components.schemas)) ajv.getSchema(`doc#/components/schemas/${name}`);
    const check = async (path: string, template: string, status: number, init: RequestInit = {}) => {
      const response = await fetch(`${library.url}${path}`, init);
      assert.equal(response.status, status, path);
      const operation = document.paths[template]?.[(init.method ?? "GET").toLowerCase()];
      const described = operation?.responses[String(status)]?.content?.["application/json"]?.schema;
      const schema = described ?? { $ref: "#/components/schemas/Error" };
      const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc#/'));
      const validate = ajv.compile(absolute);
      assert.ok(validate(await response.json()), JSON.stringify(validate.errors));
    };
    const headers = { "content-type": "application/json" };
    await check("/v1/shelves/7/books/1", "/v1/shelves/{name}/books/{name_1}", 200);
    await check("/v1/shelves/7/books/none", "/v1/shelves/{name}/books/{name_1}", 404);
    await check("/v1/shelves/7/books", "/v1/shelves/{shelf}/books", 200);
    await check("/v1/shelves/7/books:list", "/v1/shelves/{shelf}/books:list", 200);
    const everything = {
      ...{
        flag: true,
        small: -1,
        large: "5",
        smallUnsigned: 1,
        largeUnsigned: "6",
        single: 1.5,
        text: "a",
        data: "AQ==",
      },
      ...{ genre: "GENRE_POEM", numbers: [1], genres: [1], child: {}, children: [{}], counts: { a: 1 }, left: "x" },
      ...{
        at: "2026-01-31T08:00:00Z",
        took: "1.5s",
        mask: "text",
        fields: { a: 1 },
        value: 1,
        list: [1],
        maybeText: "a",
        maybeLarge: "7",
      },
    };
    await check("/v1/echo", "/v1/echo", 200, { method: "POST", headers, body: JSON.stringify(everything) });
    await check("/v1/echo", "/v1/echo", 400, { method: "POST", headers, body: "{" });
    const book = ajv.getSchema("doc#/components/schemas/tercel.gateway.test.v1.Everything");
    assert.equal(book({ left: "a", right: 1 }), false);
    assert.equal(book({ large: "x" }), false);
    assert.equal(book({ genre: "NONE" }), false);
  });

  it("has the comments of the protos", () => {
    const get = document.paths["/v1/shelves/{name}/books/{name_1}"]?.get;
    assert.equal(get?.summary, "Returns one book.");
    const tags = document.tags as { name: string; description: string }[];
    assert.equal(tags[0]?.description, "Shelves and the books on them.\n\nEvery shape of rule is here once.");
    const book = document.components.schemas["tercel.gateway.test.v1.Book"] as {
      properties: Record<string, JsonObject>;
    };
    assert.equal(book.properties.name?.description, "Resource name, such as shelves/7/books/1.");
  });

  it("says what is required, and what only the server sets", () => {
    const book = document.components.schemas["tercel.gateway.test.v1.Book"] as {
      required: string[];
      properties: Record<string, JsonObject>;
    };
    assert.deepEqual(book.required, ["title"]);
    assert.equal(book.properties.createTime?.readOnly, true);
  });

  it("has query parameters for what neither path nor body holds", () => {
    const names = (path: string, method: string) =>
      (document.paths[path]?.[method]?.parameters ?? []).map((one) => `${one.in}:${one.name}`);
    assert.deepEqual(names("/v1/shelves/{shelf}/books", "get"), [
      "path:shelf",
      "query:pageSize",
      "query:pageToken",
      "query:genre",
    ]);
    assert.deepEqual(names("/v1/shelves/{shelf}/books", "post"), ["path:shelf", "query:idempotencyKey"]);
    assert.deepEqual(names("/v1/tags", "post"), ["query:dryRun"]);
    const body =
      document.paths["/v1/shelves/{name}/books/{name_1}:lend"]?.post?.requestBody?.content["application/json"]?.schema;
    assert.deepEqual(Object.keys((body as { properties: JsonObject }).properties), ["reader"]);
  });

  it("has the overlay laid over it", () => {
    assert.deepEqual(document.info, { title: "Library <1>", version: "1.0.0", contact: { name: "us" } });
  });

  it("is shown by a page that loads and runs nothing", async () => {
    const page = await fetch(`${library.url}/docs`);
    const html = await page.text();
    assert.match(page.headers.get("content-security-policy") ?? "", /^default-src 'none'; style-src 'sha256-/);
    assert.match(html, /Library &#60;1&#62;/);
    assert.doesNotMatch(html, /<script|https?:\/\/(?!127)/);
    for (const [, , { operationId }] of operations()) assert.ok(html.includes(`id="${operationId}"`), operationId);
    assert.equal((await fetch(`${library.url}/docs`, { method: "POST" })).status, 405);
    assert.equal((await fetch(`${library.url}/docs`, { method: "HEAD" })).status, 200);
  });
});

describe("the option openapi", () => {
  it("is off by default", async () => {
    const library = await startLibrary(Library, {}, quiet);
    assert.equal((await fetch(`${library.url}/openapi.json`)).status, 404);
    await library.server.close();
  });

  it("serves a document that is given, at the path that is given", async () => {
    const library = await startLibrary(
      Library,
      { openapi: { path: "/api/v1.json", document: { openapi: "3.1.0" } } },
      quiet,
    );
    assert.deepEqual(await (await fetch(`${library.url}/api/v1.json`)).json(), { openapi: "3.1.0" });
    await library.server.close();
  });

  it("serves a document that is in a file, and says what is wrong with one that is not", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-openapi-"));
    const file = join(folder, "openapi.json");
    writeFileSync(file, '{"openapi":"3.1.0"}');
    const library = await startLibrary(Library, { openapi: { document: file } }, quiet);
    assert.deepEqual(await (await fetch(`${library.url}/openapi.json`)).json(), { openapi: "3.1.0" });
    await library.server.close();
    await assert.rejects(
      startLibrary(Library, { openapi: { document: join(folder, "none") } }, quiet),
      /document: ENOENT/,
    );
    rmSync(folder, { recursive: true });
  });

  it("imports the document when it is first asked for, and tells the log where that fails", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-openapi-"));
    const file = join(folder, "openapi.json");
    const logged: string[] = [];
    const log = { ...quiet.log, error: (message: string) => void logged.push(message) };
    let imports = 0;
    const document = () => {
      imports++;
      return import(`${file}?${imports}`, { with: { type: "json" } }) as Promise<object>;
    };
    const library = await startLibrary(Library, { openapi: { document, docs: "/docs" } }, { log });
    assert.equal(imports, 0, "no one has asked");
    assert.equal((await fetch(`${library.url}/openapi.json`)).status, 500);
    assert.deepEqual(logged, ["a page of documentation could not be made"]);
    writeFileSync(file, '{"openapi":"3.1.0","info":{"title":"From a module","version":"1"}}');
    for (let count = 0; count < 2; count++) {
      const served = (await (await fetch(`${library.url}/openapi.json`)).json()) as Document;
      assert.equal(served.info.title, "From a module");
      assert.match(await (await fetch(`${library.url}/docs`)).text(), /From a module/);
    }
    assert.equal(imports, 3, "once for each page, and once in vain");
    await library.server.close();
    rmSync(folder, { recursive: true });
    assert.throws(() => createGateway({ openapi: { document: 1 as never } }), /document has to be a document/);
  });

  it("shows document and page to those only whom the guard lets pass", async () => {
    const guard = (request: Request) =>
      request.headers.get("authorization") === "Bearer me" ? undefined : new Response("no", { status: 401 });
    const library = await startLibrary(Library, { openapi: { docs: "/docs", guard } }, quiet);
    for (const path of ["/openapi.json", "/docs"]) {
      const refused = await fetch(library.url + path);
      assert.deepEqual([refused.status, await refused.text()], [401, "no"]);
      const passed = await fetch(library.url + path, { headers: { authorization: "Bearer me" } });
      assert.equal(passed.status, 200);
      assert.match(await passed.text(), /Library/);
      if (path === "/docs") assert.match(passed.headers.get("content-security-policy") ?? "", /default-src 'none'/);
    }
    await library.server.close();
    assert.throws(() => createGateway({ openapi: { guard: true as never } }), /guard has to be a function/);
  });

  it("is refused with an unknown option or something that is not a path", () => {
    assert.throws(() => createGateway({ openapi: { titel: "a" } as never }), /did you mean "title"/);
    assert.throws(() => createGateway({ openapi: { docs: "docs" } }), /has to be a path/);
    assert.throws(() => createGateway({ openapi: { docs: "/openapi.json" } }), /the same/);
  });
});
