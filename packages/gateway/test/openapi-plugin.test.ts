import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { bundleProgram } from "@tercel/test-support/bundled-programs";
import { parse } from "yaml";
import { Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { startLibrary } from "./support/library.ts";

const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} } };
const folder = join(import.meta.dirname, "..");
const buf = join(folder, "..", "..", "node_modules", ".bin", "buf");
const plugin = [process.execPath, bundleProgram(join(folder, "src", "protoc-gen-tercel-openapi.ts"))];

describe("protoc-gen-tercel-openapi", () => {
  const out = mkdtempSync(join(tmpdir(), "tercel-openapi-plugin-"));
  before(() => {
    execFileSync(buf, ["build", "-o", join(out, "api.binpb")], { cwd: folder });
  });
  after(() => rmSync(out, { recursive: true }));

  const generate = (...opt: readonly string[]) => {
    const template = { version: "v2", plugins: [{ local: plugin, out, opt, strategy: "all" }] };
    const words = ["generate", "test/proto", "--template", JSON.stringify(template)];
    const { status, stderr } = spawnSync(buf, words, { cwd: folder, encoding: "utf8" });
    return { status, stderr };
  };
  const written = (name: string) => readFileSync(join(out, name), "utf8");

  it("writes the bytes that the gateway serves, with the comments of the protos", async () => {
    writeFileSync(join(out, "overlay.json"), '{"servers":[{"url":"https://api.example.com"}]}');
    const options = ["title=Library", "version=2.0.0", `overlay=${join(out, "overlay.json")}`];
    const created = "success_status=tercel.gateway.test.v1.Library/CreateBook:201";
    assert.deepEqual(generate(...options, created), { status: 0, stderr: "" });
    const { server, url } = await startLibrary(
      Library,
      {
        openapi: {
          ...{ title: "Library", version: "2.0.0", overlay: { servers: [{ url: "https://api.example.com" }] } },
          descriptorSet: readFileSync(join(out, "api.binpb")),
        },
        methods: [{ of: Library.method.createBook, successStatus: 201 }],
      },
      quiet,
    );
    try {
      assert.equal(written("openapi.json"), await (await fetch(`${url}/openapi.json`)).text());
    } finally {
      await server.close({ deadlineMs: 0 });
    }
    const document = JSON.parse(written("openapi.json"));
    assert.ok(document.paths["/v1/shelves/{shelf}/books"].post.responses["201"]);
    assert.ok(Object.values(document.paths).some((item) => JSON.stringify(item).includes('"summary"')));
    assert.equal((await new Validator().validate(document)).valid, true);
  });

  it("takes rules from a service config, in YAML or JSON, and from a list", () => {
    const http = { rules: [{ selector: "tercel.gateway.test.v1.Library.GetBook", get: "/v2/{name}" }] };
    for (const [file, content] of [
      ["rules.json", JSON.stringify({ http })],
      ["list.json", JSON.stringify(http.rules)],
      [
        "rules.yaml",
        `http:\n  rules:\n    - selector: ${http.rules[0]?.selector}\n      get: "${http.rules[0]?.get}"\n`,
      ],
    ] as const) {
      writeFileSync(join(out, file), content);
      assert.deepEqual(generate(`rules=${join(out, file)}`), { status: 0, stderr: "" });
      const { paths } = JSON.parse(written("openapi.json"));
      assert.equal(paths["/v2/{name}"].get.operationId, "Library_GetBook", file);
    }
  });

  it("writes YAML that holds the same", () => {
    assert.equal(generate("title=Library", "file=api.yaml").status, 0);
    assert.equal(generate("title=Library").status, 0);
    assert.deepEqual(parse(written("api.yaml")), JSON.parse(written("openapi.json")));
  });

  it("writes a document that the gateway serves from its file", async () => {
    assert.equal(generate("title=From a file").status, 0);
    const { server, url } = await startLibrary(Library, { openapi: { document: join(out, "openapi.json") } }, quiet);
    try {
      const served = (await (await fetch(`${url}/openapi.json`)).json()) as { info: { title: string } };
      assert.equal(served.info.title, "From a file");
    } finally {
      await server.close({ deadlineMs: 0 });
    }
  });

  it("says whether a document is up to date, and writes nothing then", () => {
    assert.equal(generate("title=A").status, 0);
    const before = written("openapi.json");
    const check = `check=${join(out, "openapi.json")}`;
    assert.deepEqual(generate("title=A", check), { status: 0, stderr: "" });
    const { status, stderr } = generate("title=B", check);
    assert.notEqual(status, 0);
    assert.match(stderr, /openapi\.json is out of date/);
    assert.equal(written("openapi.json"), before);
  });

  for (const [opt, problem] of [
    ["titel=A", /there is no option "titel"; did you mean "title"\?/],
    ["error_body=x", /error_body is "x"; it has to be aip or status/],
    ["websockets=1", /websockets is "1"/],
    ["success_status=x", /success_status is "x"/],
    ["success_status=a.B/C:201", /"a\.B\/C"/],
    ["overlay=/nowhere", /overlay: /],
    ["rules=/nowhere", /rules: ENOENT/],
  ] as const) {
    it(`refuses ${opt}`, () => {
      const { status, stderr } = generate(opt);
      assert.notEqual(status, 0);
      assert.match(stderr, problem);
    });
  }
});
