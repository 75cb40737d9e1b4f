import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FileDescriptorProtoSchema as schema } from "@bufbuild/protobuf/wkt";
import { completeJson } from "./json-completion.ts";

/** Text of a google.protobuf.FileDescriptorProto, a message that everyone has. */
function complete(text: string): string[] {
  const { candidates, replaced } = completeJson(schema, text);
  return candidates.map((one) => text.slice(0, text.length - replaced.length) + one);
}

describe("the completion of a message", () => {
  it("begins it", () => {
    assert.deepEqual(complete(""), ["{"]);
  });

  it("names the fields that are not set yet", () => {
    const names = complete("{");
    assert.ok(names.includes('{"name": ') && names.includes('{"messageType": '), String(names));
    assert.deepEqual(complete('{"name": "a", "na'), []);
    assert.deepEqual(complete('{"pack'), ['{"package": ']);
    assert.deepEqual(complete('{"name": "a", "pack'), ['{"name": "a", "package": ']);
  });

  it("names the fields of messages inside, in lists too, and finds out again", () => {
    assert.deepEqual(complete('{"options": {"javaPack'), ['{"options": {"javaPackage": ']);
    assert.deepEqual(complete('{"messageType": [{"name": "A"}, {"reservedN'), [
      '{"messageType": [{"name": "A"}, {"reservedName": ',
    ]);
    assert.deepEqual(complete('{"options": {"javaPackage": "a"}, "packa'), [
      '{"options": {"javaPackage": "a"}, "package": ',
    ]);
    assert.deepEqual(complete('{"message_type": [{"reservedN'), ['{"message_type": [{"reservedName": ']);
  });

  it("knows what a value begins with, and the values of an enum", () => {
    assert.deepEqual(complete('{"messageType": '), ['{"messageType": [']);
    assert.deepEqual(complete('{"sourceCodeInfo": {"location": [{"span": '), [
      '{"sourceCodeInfo": {"location": [{"span": [',
    ]);
    assert.deepEqual(complete('{"messageType": ['), ['{"messageType": [{']);
    assert.deepEqual(complete('{"options": {"optimizeFor": "SP'), ['{"options": {"optimizeFor": "SPEED"']);
    assert.deepEqual(complete('{"options": {"deprecated": t'), ['{"options": {"deprecated": true']);
  });

  it("knows nothing of fields that are not there, and of texts", () => {
    assert.deepEqual(complete('{"nonsense": {"a'), []);
    assert.deepEqual(complete('{"package": "x'), []);
  });
});
