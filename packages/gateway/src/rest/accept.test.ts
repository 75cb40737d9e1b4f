import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseCoding, chooseType } from "./accept.ts";

const types = ["application/json", "text/event-stream"] as const;

describe("the type of a response", () => {
  it("is the first one offered for a client that takes anything", () => {
    for (const accept of [undefined, "", "*/*", "application/*"])
      assert.equal(chooseType(accept, types), "application/json");
  });

  it("is the one that the client wants most", () => {
    assert.equal(chooseType("application/json;q=0.5, text/event-stream", types), "text/event-stream");
    assert.equal(chooseType("text/*", types), "text/event-stream");
    assert.equal(chooseType("TEXT/Event-Stream", types), "text/event-stream");
    assert.equal(chooseType("*/*;q=0.1, text/event-stream;q=0.2", types), "text/event-stream");
  });

  it("is none where the client takes none, a more specific range deciding", () => {
    assert.equal(chooseType("image/png", types), undefined);
    assert.equal(chooseType("*/*, application/json;q=0, text/event-stream;q=0", types), undefined);
    assert.equal(chooseType("application/json;q=x", types), undefined);
  });
});

describe("the coding of a response", () => {
  it("is one that the client names, and none where it says nothing", () => {
    assert.equal(chooseCoding(undefined, ["gzip"]), undefined);
    assert.equal(chooseCoding("br, gzip;q=0.8", ["gzip"]), "gzip");
    assert.equal(chooseCoding("*", ["gzip"]), "gzip");
    assert.equal(chooseCoding("gzip;q=0", ["gzip"]), undefined);
    assert.equal(chooseCoding("identity", ["gzip"]), undefined);
  });
});
