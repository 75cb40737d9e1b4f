import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConnectError } from "@connectrpc/connect";
import { parseQuery } from "./query-parameters.ts";

describe("a query", () => {
  it("is names and values, decoded, with + for a space", () => {
    assert.deepEqual(parseQuery("a=1&b=x+y%2B&c&d=&a=%C3%A9=1"), ["a", "1", "b", "x y+", "c", "", "d", "", "a", "é=1"]);
    assert.deepEqual(parseQuery(""), []);
    assert.deepEqual(parseQuery("&&a=1&"), ["a", "1"]);
  });

  it("is refused with an escape that is none", () => {
    for (const query of ["a=%", "a=%zz", "%ff=1"]) assert.throws(() => parseQuery(query), ConnectError);
  });

  it("has 200 parameters at most", () => {
    assert.equal(parseQuery("a=1&".repeat(200)).length, 400);
    assert.throws(() => parseQuery("a=1&".repeat(201)), /more than 200 parameters/);
  });
});
