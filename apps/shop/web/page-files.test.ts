import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { createPageFiles } from "./page-files.ts";

async function errorOf(response: Response): Promise<{ readonly status: string; readonly message: string }> {
  return ((await response.json()) as { readonly error: { readonly status: string; readonly message: string } }).error;
}

describe("the files of a page", () => {
  let folder: string;
  let serve: ReturnType<typeof createPageFiles>;
  const get = (path: string, init: RequestInit = {}) => serve(new Request(`http://127.0.0.1${path}`, init));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-page-"));
    writeFileSync(join(folder, "index.html"), "<!doctype html>");
    writeFileSync(join(folder, "main.js"), "1;");
    writeFileSync(join(folder, "secret.key"), "k");
    mkdirSync(join(folder, "inner"));
    writeFileSync(join(folder, "inner", "main.js"), "2;");
    serve = createPageFiles(pathToFileURL(`${folder}/`));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("are served with their types, the page with a policy that allows its own origin only", async () => {
    const page = get("/");
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(page.headers.get("content-security-policy") ?? "", /^default-src 'none'; script-src 'self';/);
    assert.equal(await page.text(), "<!doctype html>");
    const script = get("/main.js?v=1");
    assert.equal(script.headers.get("content-type"), "text/javascript; charset=utf-8");
    assert.equal(script.headers.get("content-security-policy"), null);
    assert.equal(await script.text(), "1;");
  });

  it("are not sent again to a client that has them", async () => {
    const etag = get("/main.js").headers.get("etag") ?? "";
    const again = get("/main.js", { headers: { "if-none-match": etag } });
    assert.deepEqual([again.status, await again.text()], [304, ""]);
    assert.equal(get("/main.js", { headers: { "if-none-match": '"other"' } }).status, 200);
  });

  it("can only be read", async () => {
    assert.equal(await get("/main.js", { method: "HEAD" }).text(), "");
    const posted = get("/main.js", { method: "POST", body: "x" });
    assert.deepEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD"]);
  });

  it("are the files of the folder with a known type", async () => {
    for (const path of ["/secret.key", "/inner/main.js", "/inner", "/index.html", "/..%2fsecret", "/nothing"]) {
      const response = get(path);
      assert.equal(response.status, 404, path);
      assert.equal((await errorOf(response)).status, "NOT_FOUND");
    }
  });

  it("are those of the last build, without a new start", async () => {
    const before = get("/main.js");
    const etag = before.headers.get("etag") ?? "";
    assert.equal(await before.text(), "1;");
    writeFileSync(join(folder, "main.js"), "10;");
    const after = get("/main.js", { headers: { "if-none-match": etag } });
    assert.deepEqual([after.status, await after.text()], [200, "10;"]);
    writeFileSync(join(folder, "style.css"), "a {}");
    assert.equal(get("/style.css").status, 200);
    rmSync(join(folder, "main.js"));
    assert.equal(get("/main.js").status, 404);
  });

  it("say how to build them if they are not built", async () => {
    serve = createPageFiles(pathToFileURL(`${folder}/missing/`));
    const response = get("/");
    assert.equal(response.status, 404);
    assert.match((await errorOf(response)).message, /npm run build:page/);
  });
});
