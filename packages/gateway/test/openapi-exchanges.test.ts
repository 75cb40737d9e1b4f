import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { DescService, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { createGateway } from "@tercel/gateway";
import { createServer } from "@tercel/grpc";
import { Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { Transcoding } from "./gen/tercel/gateway/transcoding/v1/transcoding_pb.ts";
import { playRow } from "./transcoding/play-row.ts";
import type { Row } from "./transcoding/row.ts";
import { rows } from "./transcoding/rows.ts";
import { startTranscoding } from "./transcoding/service.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const gatewayFolder = join(import.meta.dirname, "..");
const golden = join(import.meta.dirname, "golden", "library.openapi.txt");

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: JsonObject }>> }>
  >;
}

type Document = JsonObject & { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

/** What ProtoJSON writes and the schemas leave out: floats that are not numbers of JSON, and enums as numbers, which old clients would not know. */
function isUndescribed(json: JsonValue): boolean {
  return /"(?:NaN|-?Infinity)"|"kind":-?\d|^-?\d+$/.test(JSON.stringify(json));
}

describe("the OpenAPI document", () => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-openapi-exchanges-"));
  const documents = new Map<DescService, string>();
  before(async () => {
    execFileSync(
      join(gatewayFolder, "..", "..", "node_modules", ".bin", "buf"),
      ["build", "-o", join(folder, "api.binpb")],
      {
        cwd: gatewayFolder,
      },
    );
    for (const service of [Library, Transcoding]) {
      const server = createServer({
        routes: (router) => router.service(service, {}),
        gateway: createGateway({ openapi: { descriptorSet: readFileSync(join(folder, "api.binpb")) } }),
        log: quiet,
      });
      const { port } = await server.listen({ port: 0 });
      documents.set(service, await (await fetch(`http://127.0.0.1:${port}/openapi.json`)).text());
      await server.close({ deadlineMs: 0 });
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  it("is, byte by byte, what was reviewed", () => {
    if (process.env.UPDATE_GOLDEN === "1") writeFileSync(golden, documents.get(Library) ?? "");
    assert.equal(documents.get(Library), readFileSync(golden, "utf8"));
  });

  it("has a schema that fits each response of the table of requests", async (t) => {
    const document = JSON.parse(documents.get(Transcoding) ?? "") as Document;
    const Ajv = createRequire(import.meta.url)("ajv/dist/2020.js").default;
    const ajv = new Ajv({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: "doc", ...document });
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
    const operationOf = ({ method, target }: Row, json: JsonValue): Operation | undefined =>
      document.paths[target.split("?")[0] ?? ""]?.[method.toLowerCase()] ??
      operations.find(({ operationId }) => operationId === `Transcoding_${(json as JsonObject).method}`);
    const { server, port } = await startTranscoding();
    t.after(() => server.close({ deadlineMs: 0 }));
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    let checked = 0;
    for (const row of Object.values(rows).flat()) {
      if (row.response.json === undefined || isUndescribed(row.response.json) || row.method === "REPORT") continue;
      const { json } = await playRow(port, agent, row);
      const schema = operationOf(row, json ?? null)?.responses["200"]?.content?.["application/json"]?.schema;
      assert.ok(schema !== undefined, `${row.name} has an operation`);
      const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc#/')));
      // A field of a message that is not set has no schema of its own.
      if (json !== null) assert.ok(validate(json), `${row.name}: ${JSON.stringify(validate.errors)}`);
      checked++;
    }
    assert.ok(checked > 150, `${checked} responses were checked`);
  });
});
