import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseSubprotocol } from "./subprotocols.ts";

describe("the subprotocol of a WebSocket", () => {
  it("is the first that there is", () => {
    assert.deepEqual(chooseSubprotocol("soap, tercel.v1+proto, tercel.v1+json"), {
      ...{ format: "proto", name: "tercel.v1+proto", token: undefined },
    });
  });

  it("is JSON, and not sent back, where the client names none", () => {
    for (const offered of [undefined, "", " "]) {
      assert.deepEqual(chooseSubprotocol(offered), { format: "json", name: undefined, token: undefined });
    }
  });

  it("carries a token, which is not among those that are sent back", () => {
    assert.deepEqual(chooseSubprotocol("authorization.bearer.a.b-c, tercel.v1+json"), {
      ...{ format: "json", name: "tercel.v1+json", token: "a.b-c" },
    });
  });

  it("is refused where the client speaks others only", () => {
    assert.equal(chooseSubprotocol("graphql-ws"), undefined);
    assert.equal(chooseSubprotocol("authorization.bearer.abc"), undefined);
  });
});
