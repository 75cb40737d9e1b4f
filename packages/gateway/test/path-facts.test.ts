import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsePathTemplate } from "../src/rules/path-template.ts";
import { readPathValues } from "../src/rules/path-values.ts";
import { parseRequestPath } from "../src/rules/request-path.ts";
import { type Route, RouteTree } from "../src/rules/route-tree.ts";

// How grpc-httpjson-transcoding (Envoy, ESPv2), grpc-gateway and vanguard-go handle templates and paths. If they differ from each other or from this
// package, the row names the difference; docs/specs/rest.md gives the reason.

/** A path, the template that matches it and the values of its variables. Without a template: 404. */
type Row = readonly [path: string, template?: string, ...values: string[]];

interface Facts {
  readonly title: string;
  readonly templates: readonly string[];
  readonly rows: readonly Row[];
}

const facts: readonly Facts[] = [
  {
    title: "** takes any number of segments, none included",
    templates: ["/**"],
    rows: [
      ["/", "/**"],
      ["/a", "/**"],
      ["/a/b/c", "/**"],
      ["/a/", "/**"],
    ],
  },
  {
    title: "* takes one segment that is not empty, and text goes before wildcards",
    templates: ["/a/**", "/b/*", "/c/*/d/**", "/c/*/d/e", "/c/f/d/e", "/"],
    rows: [
      ["/a", "/a/**"],
      ["/a/b", "/a/**"],
      ["/a/b/c", "/a/**"],
      ["/b/c", "/b/*"],
      ["/b"],
      ["/b/"],
      ["/b/c/d"],
      ["/c/u/d/v", "/c/*/d/**"],
      ["/c/u/d", "/c/*/d/**"],
      ["/c/v/d/w/x", "/c/*/d/**"],
      ["/c/x/y/d/z"],
      ["/c//v/d/w/x"],
      ["/c//d/w"],
      ["/c/x/d/e", "/c/*/d/e"],
      ["/c/f/d/e", "/c/f/d/e"],
      ["/c/f/d/g", "/c/*/d/**"],
      ["/", "/"],
      ["/x"],
    ],
  },
  {
    title: "variables take segments, with what is around them",
    templates: [
      ...["/a/{x}/c/d/e", "/{x=a/*}/b/{y=*}/c", "/a/{x=b/*}/{y=d/**}", "/alpha/{x=*}/beta/{y=**}/gamma"],
      ...["/{x=*}/a", "/{x=**}/a/b", "/a/b/{x=*}", "/a/b/c/{x=**}", "/{x=*}/d/e/f/{y=**}"],
    ],
    rows: [
      ["/a/book/c/d/e", "/a/{x}/c/d/e", "book"],
      ["/a/hello/b/world/c", "/{x=a/*}/b/{y=*}/c", "a/hello", "world"],
      ["/a/b/zoo/d/animal/tiger", "/a/{x=b/*}/{y=d/**}", "b/zoo", "d/animal/tiger"],
      ["/a/b/zoo/d", "/a/{x=b/*}/{y=d/**}", "b/zoo", "d"],
      ["/alpha/dog/beta/eat/bones/gamma", "/alpha/{x=*}/beta/{y=**}/gamma", "dog", "eat/bones"],
      ["/alpha/dog/beta/gamma", "/alpha/{x=*}/beta/{y=**}/gamma", "dog", ""],
      ["/foo/a", "/{x=*}/a", "foo"],
      ["/foo/bar/a/b", "/{x=**}/a/b", "foo/bar"],
      ["/a/b/foo", "/a/b/{x=*}", "foo"],
      ["/a/b/c/foo/bar/baz", "/a/b/c/{x=**}", "foo/bar/baz"],
      ["/a/b/c", "/a/b/c/{x=**}", ""],
      ["/foo/d/e/f/bar/baz", "/{x=*}/d/e/f/{y=**}", "foo", "bar/baz"],
    ],
  },
  {
    title: "a variable of one segment is decoded as a whole, and + is a plus",
    templates: ["/a/{x}/c", "/{x}"],
    rows: [
      ["/a/p%20q%2Fr+/c", "/a/{x}/c", "p q/r+"],
      ["/%21%23%24%26%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%40%5B%5D", "/{x}", "!#$&'()*+,/:;=?@[]"],
      ["/%c3%a9", "/{x}", "é"],
      ["/%e2%82%ac", "/{x}", "€"],
      ["/a%25b", "/{x}", "a%b"],
      ["/a%2525b", "/{x}", "a%25b"],
      ["/~_.-", "/{x}", "~_.-"],
      ["/%41", "/{x}", "A"],
    ],
  },
  {
    // Envoy decodes no reserved character by default; http.proto requires decoding all except the slash, which Envoy has an option for.
    title: "a variable of several segments is decoded but for %2F",
    templates: ["/a/{x=p/*/q/*}/c", "/b/{x=**}/c", "/d/{x=*}/{y=**}/c"],
    rows: [
      ["/a/p/foo%20foo/q/bar%2Fbar/c", "/a/{x=p/*/q/*}/c", "p/foo foo/q/bar%2Fbar"],
      ["/a/p/foo%2ffoo/q/bar/c", "/a/{x=p/*/q/*}/c", "p/foo%2ffoo/q/bar"],
      ["/b/p/foo%20foo/q/bar%2Fbar+/c", "/b/{x=**}/c", "p/foo foo/q/bar%2Fbar+"],
      ["/d/%21%2F/%23%24%2F%3F/c", "/d/{x=*}/{y=**}/c", "!/", "#$%2F?"],
      ["/b/%252F/c", "/b/{x=**}/c", "%2F"],
    ],
  },
  {
    title: "a verb is what follows the colon, where a rule has it; otherwise the colon is data",
    templates: ["/person", "/person/{id=*}", "/{x=**}:verb"],
    rows: [
      ["/person:verb", "/{x=**}:verb", "person"],
      ["/person/jason:verb", "/{x=**}:verb", "person/jason"],
      ["/animal:verb", "/{x=**}:verb", "animal"],
      ["/animal/cat:verb", "/{x=**}:verb", "animal/cat"],
      ["/person", "/person"],
      ["/person/jason", "/person/{id=*}", "jason"],
      ["/animal"],
      ["/animal/cat"],
      ["/person:other"],
      ["/person/jason:other", "/person/{id=*}", "jason:other"],
      ["/animal:other"],
      ["/animal/cat:other"],
      ["/person/jason%3Averb", "/person/{id=*}", "jason:verb"],
      ["/person/jason:other:verb", "/{x=**}:verb", "person/jason:other"],
    ],
  },
  {
    title: "verbs stand after wildcards, variables and text",
    templates: ["/some/const:verb", "/some/*:verb", "/some/*/foo:verb", "/other/**:verb", "/other/**/const:verb"],
    rows: [
      ["/some/const:verb", "/some/const:verb"],
      ["/some/other:verb", "/some/*:verb"],
      ["/some/other:verb/"],
      ["/some/bar/foo:verb", "/some/*/foo:verb"],
      ["/some/foo1/foo2/foo:verb"],
      ["/some/foo/bar:verb"],
      ["/other/bar/foo:verb", "/other/**:verb"],
      ["/other/bar/foo/const:verb", "/other/**/const:verb"],
      ["/other:verb", "/other/**:verb"],
    ],
  },
  {
    title: "only the last segment has a verb",
    templates: ["/{a=*}/{b=*}:verb", "/foo/*/hello", "/foo/{a=*}"],
    rows: [
      ["/some:verb/const:verb", "/{a=*}/{b=*}:verb", "some:verb", "const"],
      ["/foo/other:verb/hello", "/foo/*/hello"],
      ["/foo/other:verb", "/{a=*}/{b=*}:verb", "foo", "other"],
      ["/foo/other:none", "/foo/{a=*}", "other:none"],
    ],
  },
  {
    title: "the longest verb that leads to a match is it",
    templates: ["/v1/{name=*}:cancel", "/v1/{name=*}:batch:cancel", "/v1/{name=*}"],
    rows: [
      ["/v1/a:cancel", "/v1/{name=*}:cancel", "a"],
      ["/v1/a:batch:cancel", "/v1/{name=*}:batch:cancel", "a"],
      ["/v1/urn:x:7", "/v1/{name=*}", "urn:x:7"],
      ["/v1/urn:x:cancel", "/v1/{name=*}:cancel", "urn:x"],
      ["/v1/:cancel", "/v1/{name=*}", ":cancel"],
    ],
  },
  {
    title: "text after ** is part of the match",
    templates: [
      ...["/a/{x=b/**}", "/a/{x=b/**}/z", "/a/{x=b/**}/y/z", "/a/{x=b/**}:verb", "/a/{x=**}", "/c/{x=*}/{y=d/**}/e"],
      ...["/c/{x=*}/{y=d/**}/e:verb", "/f/{x=*}/{y=**}/g", "/f/{x=*}/{y=**}/g:verb", "/a/{x=b/*/y/z/**}/foo"],
      "/a/{x=b/*/**/y/z}/foo",
    ],
    rows: [
      ["/a/b/hello/world/c", "/a/{x=b/**}", "b/hello/world/c"],
      ["/a/b/world/c/z", "/a/{x=b/**}/z", "b/world/c"],
      ["/a/b/world/c/y/z", "/a/{x=b/**}/y/z", "b/world/c"],
      ["/a/b/world/c:verb", "/a/{x=b/**}:verb", "b/world/c"],
      ["/a/hello/b/world/c", "/a/{x=**}", "hello/b/world/c"],
      ["/c/hello/d/esp/world/e", "/c/{x=*}/{y=d/**}/e", "hello", "d/esp/world"],
      ["/c/hola/d/esp/mundo/e:verb", "/c/{x=*}/{y=d/**}/e:verb", "hola", "d/esp/mundo"],
      ["/f/foo/bar/baz/g", "/f/{x=*}/{y=**}/g", "foo", "bar/baz"],
      ["/f/foo/bar/baz/g:verb", "/f/{x=*}/{y=**}/g:verb", "foo", "bar/baz"],
      ["/a/b/foo/y/z/bar/baz/foo", "/a/{x=b/*/y/z/**}/foo", "b/foo/y/z/bar/baz"],
      ["/a/b/foo/bar/baz/y/z/foo", "/a/{x=b/*/**/y/z}/foo", "b/foo/bar/baz/y/z"],
    ],
  },
  {
    title: "part of a path is no match",
    templates: [
      "/prefix/middle/suffix",
      "/prefix/middle",
      "/prefix",
      "/prefix/othermiddle/suffix",
      "/otherprefix/suffix",
    ],
    rows: [
      ["/prefix/middle/suffix", "/prefix/middle/suffix"],
      ["/prefix/middle", "/prefix/middle"],
      ["/prefix", "/prefix"],
      ["/prefix/othermiddle/suffix", "/prefix/othermiddle/suffix"],
      ["/otherprefix/suffix", "/otherprefix/suffix"],
      ["/prefix/middle/suffix/other"],
      ["/prefix/middle/other"],
      ["/prefix/other"],
      ["/prefix/othermiddle"],
      ["/otherprefix"],
      ["/other"],
      ["/PREFIX"],
      // grpc-gateway and Envoy ignore a trailing slash that is not part of **.
      ["/prefix/"],
      ["/"],
    ],
  },
  {
    title: "a path that leads nowhere by text is tried with wildcards",
    templates: ["/a/b/c", "/a/{x}/d", "/{y=**}/e", "/a/b/{z=**}/f"],
    rows: [
      ["/a/b/c", "/a/b/c"],
      ["/a/b/d", "/a/{x}/d", "b"],
      ["/a/b/e", "/{y=**}/e", "a/b"],
      ["/e", "/{y=**}/e", ""],
      ["/a/b/f", "/a/b/{z=**}/f", ""],
      ["/a/b/c/f", "/a/b/{z=**}/f", "c"],
      ["/a/b/g"],
    ],
  },
  {
    // grpc-gateway uses the rule that was registered last.
    title: "text is compared decoded, on both sides",
    templates: ["/a%20b/c", "/é", "/d:e%3Af"],
    rows: [
      ["/a%20b/c", "/a%20b/c"],
      ["/%61%20b/%63", "/a%20b/c"],
      ["/%C3%A9", "/é"],
      ["/d:e%3Af", "/d:e%3Af"],
    ],
  },
];

/** Columns start at 1. */
const refusedTemplates: readonly (readonly [template: string, column: number])[] = [
  ["", 1],
  ["a", 1],
  ["a/b", 1],
  ["//", 2],
  ["/a/", 4],
  ["/a//b", 4],
  ["/a{x=b/**}/{y=*}", 3],
  ["/{x}a", 5],
  ["/*a", 3],
  ["/***", 4],
  ["/a/**/**", 7],
  ["/a/**/foo/**", 11],
  ["/{x=**}/{y=**}", 12],
  ["/{x", 2],
  ["/{x=", 5],
  ["/{x=}", 5],
  ["/{x=a", 2],
  ["/{}", 3],
  ["/{=a}", 3],
  ["/{1x}", 3],
  ["/{x.}", 3],
  ["/{.x}", 3],
  ["/{x-y}", 2],
  ["/{x={y}}", 5],
  ["/{x}/{x}", 7],
  ["/}", 2],
  ["/a}", 3],
  ["/a:", 4],
  ["/a:b/c", 4],
  ["/a:{b}", 4],
  ["/a?b", 2],
  ["/a#b", 2],
  ["/a b", 2],
  ["/a%zz", 2],
  ["/a\\b", 2],
  ["/..", 2],
  ["/a/./b", 4],
];

const takenTemplates: readonly string[] = [
  ...["/", "/v1", "/v1/a/b", "/*", "/**", "/v1/*", "/v1/**", "/v1/{x}", "/v1/{x=*}", "/v1/{x=**}", "/v1/{x=a/*}"],
  ...["/v1/{x.y.z}", "/v1/{x_1=a/*/b/*}", "/v1:verb", "/v1/*:verb", "/v1/{x}:verb", "/v1/{x=**}:verb", "/a/**/b"],
  ...[
    "/{x=**}/a/*",
    "/a/**/*",
    "/a/**/foo/*",
    "/v1/{a}/{b}/{c}",
    "/a-b_c~d.e/f",
    "/a%2Fb",
    "/a:b:c",
    "/{a=b}",
    "/{a=b/c}",
  ],
];

const refusedPaths: readonly string[] = [
  ...["", "a", "a/b", "/a/../b", "/a/./b", "/..", "/.", "/%2e%2e/a", "/.%2E", "/%2e", "/a%", "/a%2", "/a%zz", "/a%00b"],
  ...["/%ff", "/%c3", "/%c3%28", "/%ed%a0%80", "/%c0%af", "http://a/b", "*"],
];

describe("the facts of other transcoders", () => {
  for (const { title, templates, rows } of facts) {
    it(title, () => {
      const tree = new RouteTree<Route>();
      for (const template of templates) {
        tree.add({ httpMethod: "GET", template: parsePathTemplate(template), owner: template });
      }
      for (const [path, template, ...values] of rows) {
        const parsed = parseRequestPath(path);
        assert.ok(!("problem" in parsed), path);
        const found = tree.find("GET", parsed);
        const route = found !== undefined && "route" in found ? found : undefined;
        assert.equal(route?.route.owner, template, path);
        if (route === undefined) continue;
        assert.deepEqual([...readPathValues(route.route.template, parsed, route.verbLength)], values, path);
      }
    });
  }

  it("errors of invalid templates have a position", () => {
    for (const [template, column] of refusedTemplates) {
      assert.throws(
        () => parsePathTemplate(template),
        (error) => error instanceof SyntaxError && error.message.includes(`column ${column}:`),
        `${template} has to be refused at column ${column}`,
      );
    }
  });

  it("templates of every form are accepted", () => {
    for (const template of takenTemplates) assert.doesNotThrow(() => parsePathTemplate(template), template);
  });

  it("ambiguous and invalid paths are refused", () => {
    for (const path of refusedPaths) assert.ok("problem" in parseRequestPath(path), path);
  });

  it("two routes of the same shape are rejected, whatever the names of their variables", () => {
    for (const [one, other] of [
      ["/a/{x}", "/a/{y}"],
      ["/a/{x}", "/a/*"],
      ["/a/{x=b/*}", "/a/b/{y}"],
      ["/a/{x=**}", "/a/**"],
      ["/a:v", "/a:v"],
      ["/%41", "/A"],
    ] as const) {
      const tree = new RouteTree<Route>();
      tree.add({ httpMethod: "GET", template: parsePathTemplate(one), owner: one });
      assert.throws(() => tree.add({ httpMethod: "GET", template: parsePathTemplate(other), owner: other }), TypeError);
      assert.doesNotThrow(() => tree.add({ httpMethod: "PUT", template: parsePathTemplate(other), owner: other }));
    }
  });
});
