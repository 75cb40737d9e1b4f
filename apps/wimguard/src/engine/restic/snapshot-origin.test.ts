import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatOriginTags, parseOriginTags } from "./snapshot-origin.ts";

const origin = {
  uuid: "6d3f0c5e-7a94-4b7c-9a61-0d6f5a1f2b3c",
  source: "/a, b & <c>",
  createTime: "2026-01-02T03:04:05.678Z",
  description: "one, two\nü",
};

describe("the tags of a snapshot", () => {
  it("say what backup has written it, without a comma", () => {
    const tags = formatOriginTags(origin);
    assert.equal(tags[0], `wimguard:${origin.uuid}`);
    assert.ok(tags.every((tag) => !tag.includes(",")));
    assert.deepEqual(parseOriginTags(tags), origin);
  });

  it("are not trusted", () => {
    const encode = (value: unknown) => [`wimguard-origin:${Buffer.from(JSON.stringify(value)).toString("base64url")}`];
    assert.equal(parseOriginTags([]), undefined);
    assert.equal(parseOriginTags(["wimguard-origin:%%%"]), undefined);
    assert.equal(parseOriginTags(encode(null)), undefined);
    assert.equal(parseOriginTags(encode({ ...origin, uuid: "../../x" })), undefined);
    assert.equal(parseOriginTags(encode({ ...origin, source: "relative" })), undefined);
  });
});
