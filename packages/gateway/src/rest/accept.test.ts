import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseCoding, chooseType } from "./accept.ts";

const types = ["application/json", "text/event-stream"] as const;

describe("chooseType", () => {
  it("returns the first offered type to a client that accepts any", () => {
    for (const accept of [undefined, "", "*/*", "application/*"])
      assert.equal(chooseType(accept, types), "application/json");
  });

  it("returns the type that the client prefers", () => {
    assert.equal(chooseType("application/json;q=0.5, text/event-stream", types), "text/event-stream");
    assert.equal(chooseType("text/*", types), "text/event-stream");
    assert.equal(chooseType("TEXT/Event-Stream", types), "text/event-stream");
    assert.equal(chooseType("*/*;q=0.1, text/event-stream;q=0.2", types), "text/event-stream");
  });

  it("returns undefined if the client accepts none, and lets the most specific range decide", () => {
    assert.equal(chooseType("image/png", types), undefined);
    assert.equal(chooseType("*/*, application/json;q=0, text/event-stream;q=0", types), undefined);
    assert.equal(chooseType("application/json;q=x", types), undefined);
  });
});

describe("chooseCoding", () => {
  it("returns a coding that the client names, and undefined without accept-encoding", () => {
    assert.equal(chooseCoding(undefined, ["gzip"]), undefined);
    assert.equal(chooseCoding("br, gzip;q=0.8", ["gzip"]), "gzip");
    assert.equal(chooseCoding("*", ["gzip"]), "gzip");
    assert.equal(chooseCoding("gzip;q=0", ["gzip"]), undefined);
    assert.equal(chooseCoding("identity", ["gzip"]), undefined);
  });
});
