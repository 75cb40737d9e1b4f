import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsePathTemplate } from "./path-template.ts";

function shapeOf(source: string): string {
  const { segments, variables, verb } = parsePathTemplate(source);
  const path = segments.map((one) => (one.kind === "literal" ? one.text : one.kind === "one" ? "*" : "**")).join(" / ");
  const names = variables.map(
    ({ fieldPath, start, end, isMulti }) => `${fieldPath}:${start}-${end}${isMulti ? "+" : ""}`,
  );
  return [path, ...names, ...(verb === undefined ? [] : [`:${verb}`])].join("  ");
}

describe("a path template", () => {
  it("consists of text, wildcards, variables and a verb", () => {
    assert.equal(shapeOf("/v1/shelves"), "v1 / shelves");
    assert.equal(shapeOf("/v1/*/books"), "v1 / * / books");
    assert.equal(shapeOf("/v1/{id}"), "v1 / *  id:1-2");
    assert.equal(shapeOf("/v1/{name=shelves/*/books/**}"), "v1 / shelves / * / books / **  name:1-5+");
    assert.equal(shapeOf("/v1/{name=shelves/*}:cancel"), "v1 / shelves / *  name:1-3+  :cancel");
    assert.equal(shapeOf("/v1/{book.author.name}/{page}"), "v1 / * / *  book.author.name:1-2  page:2-3");
    assert.equal(shapeOf("/v1/files/{path=**}"), "v1 / files / **  path:2-3+");
    assert.equal(shapeOf("/v1/{id=*}"), "v1 / *  id:1-2");
    assert.equal(shapeOf("/v1:list"), "v1  :list");
  });

  it("may be /, and may have one ** before a fixed number of segments", () => {
    assert.equal(shapeOf("/"), "");
    assert.equal(shapeOf("/{name=**/sessions/*}"), "** / sessions / *  name:0-3+");
    assert.equal(shapeOf("/{parent=projects/**}/{id}"), "projects / ** / *  parent:0-2+  id:2-3");
  });

  it("has decoded literals", () => {
    assert.equal(shapeOf("/caf%C3%A9/x"), "café / x");
  });

  for (const [source, column, reason] of [
    ["v1", 1, "a path begins with /"],
    ["", 1, "a path begins with /"],
    ["/v1/", 5, "an empty segment"],
    ["//v1", 2, "an empty segment"],
    ["/v1/{a={b}}", 8, "a variable inside a variable"],
    ["/v1/{a}/{a}", 10, "the variable a occurs twice"],
    ["/v1/{a", 5, "a variable without }"],
    ["/v1/{}", 6, "a variable needs the name of a field"],
    ["/v1/{9a}", 6, "a variable needs the name of a field"],
    ["/v1/{a..b}", 6, "a variable needs the name of a field"],
    ["/v1/{a=}", 8, "an empty segment"],
    ["/v1/**/b/**", 10, "a second **"],
    ["/v1/a*", 6, "a segment is either text"],
    ["/v1/*a", 6, "a segment is either text"],
    ["/v1/{a}b", 8, "a segment is either text"],
    ["/v1/a:", 7, "a verb is text"],
    ["/v1/a:b/c", 7, "a verb is text"],
    ["/v1/a}", 6, "a segment is either text"],
    ["/v1/..", 5, "a segment of dots"],
    ["/v1/a?b", 5, '"a?b" cannot be part of a path'],
    ["/v1/a%2", 5, '"a%2" has an invalid escape'],
  ] as const) {
    it(`is refused as ${JSON.stringify(source)}, with the column`, () => {
      assert.throws(
        () => parsePathTemplate(source),
        (error: Error) => error instanceof SyntaxError && error.message.includes(`column ${column}: ${reason}`),
      );
    });
  }
});
