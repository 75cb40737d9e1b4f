import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseSubprotocol } from "./subprotocols.ts";

describe("chooseSubprotocol", () => {
  it("returns the first supported subprotocol", () => {
    assert.deepEqual(chooseSubprotocol("soap, tercel.v1+proto, tercel.v1+json"), {
      ...{ format: "proto", name: "tercel.v1+proto", token: undefined },
    });
  });

  it("returns JSON without a name if the client offers none", () => {
    for (const offered of [undefined, "", " "]) {
      assert.deepEqual(chooseSubprotocol(offered), { format: "json", name: undefined, token: undefined });
    }
  });

  it("returns a token, which is not the name in the response", () => {
    assert.deepEqual(chooseSubprotocol("authorization.bearer.a.b-c, tercel.v1+json"), {
      ...{ format: "json", name: "tercel.v1+json", token: "a.b-c" },
    });
  });

  it("returns undefined if the client offers only unsupported ones", () => {
    assert.equal(chooseSubprotocol("graphql-ws"), undefined);
    assert.equal(chooseSubprotocol("authorization.bearer.abc"), undefined);
  });
});
