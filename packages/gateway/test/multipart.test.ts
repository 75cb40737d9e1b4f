import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type Book,
  type CreateBookRequest,
  type Everything,
  Genre,
  Library,
} from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { type RunningLibrary, startLibrary } from "./support/library.ts";

const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} } };

describe("a multipart form", () => {
  let library: RunningLibrary;
  before(async () => {
    library = await startLibrary(Library, { cors: { origins: ["https://app.example.com"] } }, quiet);
  });
  after(() => library.server.close({ deadlineMs: 0 }));

  const send = (path: string, form: FormData, headers: Record<string, string> = {}) =>
    fetch(library.url + path, { method: "POST", body: form, headers });
  const echo = async (...parts: [string, string | Blob][]) => {
    const form = new FormData();
    for (const [name, value] of parts) {
      if (typeof value === "string") form.append(name, value);
      else form.append(name, value, "file.bin");
    }
    const response = await send("/v1/echo", form);
    const body = (await response.json()) as { error?: { message: string } };
    return {
      status: response.status,
      problem: body.error?.message,
      message: library.state.requests.at(-1) as Everything,
    };
  };

  it("sets fields by path: text as in a query, raw bytes, and JSON by content type", async () => {
    const bytes = new Uint8Array(70_000).map((_, at) => at);
    const { status, message } = await echo(
      ["text", "a b+c%20d"],
      ["large", "-5"],
      ["genre", "GENRE_POEM"],
      ["numbers", "1"],
      ["numbers", "2"],
      ["at", "2026-01-31T08:00:00Z"],
      ["maybeText", ""],
      ["child.text", "inner"],
      ["child.child.small", "7"],
      ["data", new Blob([bytes], { type: "image/png" })],
      ["counts", new Blob(['{"a":1}'], { type: "application/json" })],
      ["children", new Blob(['[{"text":"x"}]'], { type: "application/json" })],
    );
    assert.equal(status, 200);
    assert.deepEqual([message.text, message.large, message.genre], ["a b+c%20d", -5n, Genre.POEM]);
    assert.deepEqual([message.numbers, message.maybeText], [[1, 2], ""]);
    assert.deepEqual([message.child?.text, message.child?.child?.small], ["inner", 7]);
    assert.deepEqual(message.data, bytes);
    assert.deepEqual([message.counts.a, message.children[0]?.text], [1, "x"]);
    assert.equal(message.at?.seconds, 1_769_846_400n);
  });

  it("sets fields of the rule's body message, while the path takes precedence", async () => {
    const form = new FormData();
    form.append("title", "Flatland");
    form.append("author.given_name", "Edwin");
    const response = await send("/v1/shelves/7/books", form, { "idempotency-key": "k" });
    assert.equal(response.status, 200);
    assert.equal(((await response.json()) as Book).title, "Flatland");
    const { shelf, book, idempotencyKey } = library.state.requests.at(-1) as CreateBookRequest;
    assert.deepEqual([shelf, book?.author?.givenName, idempotencyKey], ["7", "Edwin", "k"]);
  });

  for (const [parts, problem] of [
    [[["txet", "a"]], /^txet: is not a field of tercel\.gateway\.test\.v1\.Everything; did you mean "text"\?$/],
    [[["child.txet", "a"]], /did you mean "child\.text"/],
    [[["text.a", "a"]], /leads into "text"/],
    [[["small", "x"]], /^small: has to be a whole number/],
    [
      [
        ["text", "a"],
        ["text", "b"],
      ],
      /^text: occurs twice/,
    ],
    [[["counts", "a"]], /^counts: is a map/],
    [[["child", "a"]], /^child: is a message/],
    [[["text", new Blob([new Uint8Array([0xff])])]], /^text: is not UTF-8/],
    [[["child", new Blob(["{"], { type: "application/json" })]], /^the body: line 1/],
    [Array.from({ length: 101 }, () => ["numbers", "1"]), /more than 100 parts/],
  ] as unknown as [[string, string | Blob][], RegExp][]) {
    it(`is refused: ${problem}`, async () => {
      const { status, problem: said } = await echo(...parts);
      assert.equal(status, 400);
      assert.match(said ?? "", problem);
    });
  }

  it("may have 100 parts", async () => {
    const { status, message } = await echo(...Array.from({ length: 100 }, (): [string, string] => ["numbers", "1"]));
    assert.equal(status, 200);
    assert.equal(message.numbers.length, 100);
  });

  it("is refused if it is incomplete or has no boundary, and reaches no handler", async () => {
    const before = library.state.requests.length;
    const post = (type: string, body: string) =>
      fetch(`${library.url}/v1/echo`, { method: "POST", headers: { "content-type": type }, body });
    assert.equal((await post("multipart/form-data", "--a--")).status, 400);
    const part = '--b\r\ncontent-disposition: form-data; name="text"\r\n\r\nabc';
    assert.equal((await post("multipart/form-data; boundary=b", part)).status, 400);
    assert.equal((await post("multipart/form-data; boundary=b", "nothing of the kind")).status, 400);
    assert.equal(library.state.requests.length, before);
    assert.equal((await post("multipart/form-data; boundary=b", `${part}\r\n--b--\r\n`)).status, 200);
  });

  it("is refused from a page of another origin: browsers send forms without a preflight", async () => {
    const before = library.state.requests.length;
    const form = () => {
      const made = new FormData();
      made.append("text", "a");
      return made;
    };
    for (const origin of ["https://evil.example.com", "null"]) {
      assert.equal((await send("/v1/echo", form(), { origin })).status, 403);
    }
    assert.equal(library.state.requests.length, before);
    for (const origin of ["https://app.example.com", library.url]) {
      assert.equal((await send("/v1/echo", form(), { origin })).status, 200);
    }
  });

  it("is refused for PATCH, and for a rule without a message body", async () => {
    const form = new FormData();
    form.append("tags", "a");
    const tags = await send("/v1/tags", form);
    assert.deepEqual([tags.status, tags.headers.get("accept")], [415, "application/json"]);
    const patched = await fetch(`${library.url}/v1/shelves/7/books/1`, { method: "PATCH", body: form });
    assert.equal(patched.status, 415);
  });

  it("is refused with 413 over the message limit", async () => {
    const form = new FormData();
    form.append("data", new Blob([new Uint8Array(5_000_000)]));
    assert.equal((await send("/v1/echo", form)).status, 413);
  });
});
