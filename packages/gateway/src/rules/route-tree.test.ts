import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsePathTemplate } from "./path-template.ts";
import { readPathValues } from "./path-values.ts";
import { parseRequestPath, type RequestPath } from "./request-path.ts";
import { type Route, RouteTree } from "./route-tree.ts";

function treeOf(...routes: string[]): RouteTree<Route> {
  const tree = new RouteTree<Route>();
  for (const text of routes) {
    const [httpMethod = "", path = ""] = text.split(" ");
    tree.add({ httpMethod, template: parsePathTemplate(path), owner: text });
  }
  return tree;
}

/** Returns the route with the values of its variables, or the allowed methods in brackets, or undefined. */
function find(tree: RouteTree<Route>, request: string): string | undefined {
  const [httpMethod = "", path = ""] = request.split(" ");
  const parsed = parseRequestPath(path) as RequestPath;
  const found = tree.find(httpMethod, parsed);
  if (found === undefined) return undefined;
  if ("allowed" in found) return `[${found.allowed.join(" ")}]`;
  const { route, verbLength } = found;
  const values = readPathValues(route.template, parsed, verbLength);
  return [route.owner, ...values.map((value) => JSON.stringify(value))].join(" ");
}

describe("RouteTree", () => {
  it("prefers text over *, and * over **, in any order of additions", () => {
    for (const routes of [
      ["GET /v1/{id}", "GET /v1/me", "GET /v1/{rest=**}"],
      ["GET /v1/{rest=**}", "GET /v1/{id}", "GET /v1/me"],
    ]) {
      const tree = treeOf(...routes);
      assert.equal(find(tree, "GET /v1/me"), "GET /v1/me");
      assert.equal(find(tree, "GET /v1/you"), 'GET /v1/{id} "you"');
      assert.equal(find(tree, "GET /v1/you/too"), 'GET /v1/{rest=**} "you/too"');
      assert.equal(find(tree, "GET /v1"), 'GET /v1/{rest=**} ""');
    }
  });

  it("backtracks if the literal branch has no route", () => {
    const tree = treeOf("GET /a/b/c", "GET /a/{x}/d", "GET /{all=**}/e");
    assert.equal(find(tree, "GET /a/b/d"), 'GET /a/{x}/d "b"');
    assert.equal(find(tree, "GET /a/b/e"), 'GET /{all=**}/e "a/b"');
    assert.equal(find(tree, "GET /a/b/f"), undefined);
  });

  it("matches the HTTP method together with the path, so that no route hides another", () => {
    const tree = treeOf("GET /users/me", "POST /users/{id}");
    assert.equal(find(tree, "POST /users/me"), 'POST /users/{id} "me"');
    assert.equal(find(tree, "GET /users/7"), "[POST]");
    assert.equal(find(tree, "DELETE /users/me"), "[GET POST]");
  });

  it("prefers an HTTP method over the custom kind *", () => {
    const tree = treeOf("* /a", "GET /a");
    assert.equal(find(tree, "GET /a"), "GET /a");
    assert.equal(find(tree, "REPORT /a"), "* /a");
  });

  it("prefers the longest verb that matches, and treats other colons as data", () => {
    const tree = treeOf("GET /users/{id}", "POST /users/{id}:cancel", "POST /users/{id}:now:cancel", "GET /users:list");
    assert.equal(find(tree, "POST /users/7:cancel"), 'POST /users/{id}:cancel "7"');
    assert.equal(find(tree, "POST /users/7:now:cancel"), 'POST /users/{id}:now:cancel "7"');
    assert.equal(find(tree, "GET /users/urn:x:7"), 'GET /users/{id} "urn:x:7"');
    assert.equal(find(tree, "GET /users/7:cancel"), 'GET /users/{id} "7:cancel"');
    assert.equal(find(tree, "GET /users:list"), "GET /users:list");
    assert.equal(find(tree, "POST /users/a%3Acancel"), "[GET]");
    assert.equal(find(tree, "POST /users/a%20b:cancel"), 'POST /users/{id}:cancel "a b"');
  });

  it("requires a non-empty segment, except for **", () => {
    const tree = treeOf("GET /v1/{id}", "GET /files/{path=**}", "GET /");
    assert.equal(find(tree, "GET /v1/"), undefined);
    assert.equal(find(tree, "GET /v1//"), undefined);
    assert.equal(find(tree, "GET //v1/x"), undefined);
    assert.equal(find(tree, "GET /files/"), 'GET /files/{path=**} ""');
    assert.equal(find(tree, "GET /files/a//b/"), 'GET /files/{path=**} "a//b/"');
    assert.equal(find(tree, "GET /"), "GET /");
  });

  it("matches ** with the segments that the others leave", () => {
    const tree = treeOf("GET /{name=projects/**/sessions/*}/{id}:run", "GET /x/{a=**}/{b}/{c}");
    assert.equal(
      find(tree, "GET /projects/p/q/sessions/s/7:run"),
      'GET /{name=projects/**/sessions/*}/{id}:run "projects/p/q/sessions/s" "7"',
    );
    assert.equal(find(tree, "GET /x/1/2/3/4"), 'GET /x/{a=**}/{b}/{c} "1/2" "3" "4"');
    assert.equal(find(tree, "GET /x/3/4"), 'GET /x/{a=**}/{b}/{c} "" "3" "4"');
    assert.equal(find(tree, "GET /x/4"), undefined);
  });

  it("decodes values after matching, and escaped slashes by the kind of variable", () => {
    const tree = treeOf("GET /one/{id}", "GET /many/{path=**}");
    assert.equal(find(tree, "GET /one/a%2Fb%20c"), 'GET /one/{id} "a/b c"');
    assert.equal(find(tree, "GET /many/a%2Fb/c%20d"), 'GET /many/{path=**} "a%2Fb/c d"');
  });

  it("compares decoded text", () => {
    assert.equal(find(treeOf("GET /caf%C3%A9"), "GET /caf%c3%a9"), "GET /caf%C3%A9");
    assert.equal(find(treeOf("GET /a"), "GET /%61"), "GET /a");
  });

  it("rejects two routes of the same shape and method, and names both", () => {
    assert.throws(
      () => treeOf("GET /v1/{id}", "GET /v1/{name}"),
      /GET \/v1\/\{name\} and GET \/v1\/\{id\} have the same route/,
    );
    assert.throws(() => treeOf("GET /a:x", "GET /a:x"), TypeError);
    treeOf("GET /v1/{id}", "POST /v1/{id}", "GET /v1/{id}:x", "GET /v1/*/y");
  });

  it("finds a route among ten thousand without visiting them", () => {
    const tree = new RouteTree<Route>();
    for (let at = 0; at < 10_000; at++) {
      tree.add({ httpMethod: "GET", template: parsePathTemplate(`/v1/c${at}/{id}/x`), owner: String(at) });
    }
    assert.equal(find(tree, "GET /v1/c9999/7/x"), '9999 "7"');
    assert.equal(find(tree, "GET /v1/c9999/7/y"), undefined);
  });
});
