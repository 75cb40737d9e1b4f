import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FieldDescriptorProtoSchema, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { completeAssignment } from "./complete-assignment.ts";

describe("an assignment that is not finished", () => {
  it("is completed to fields, with a dot where they have fields themselves", () => {
    assert.deepEqual(completeAssignment(FileDescriptorProtoSchema, "na"), ["name="]);
    assert.deepEqual(completeAssignment(FileDescriptorProtoSchema, "options"), ["options."]);
    assert.deepEqual(completeAssignment(FileDescriptorProtoSchema, "options.java_pack"), ["options.java_package="]);
  });

  it("is not completed to a field that has a value, unless it takes several", () => {
    assert.deepEqual(completeAssignment(FileDescriptorProtoSchema, "na", ["name=a.proto"]), []);
    assert.deepEqual(completeAssignment(FileDescriptorProtoSchema, "depend", ["dependency=a.proto"]), ["dependency="]);
  });

  it("is completed to the values of an enum, and true and false", () => {
    assert.deepEqual(completeAssignment(FieldDescriptorProtoSchema, "label=LABEL_REQ"), ["label=LABEL_REQUIRED"]);
    assert.deepEqual(completeAssignment(FieldDescriptorProtoSchema, "options.packed="), [
      "options.packed=true",
      "options.packed=false",
    ]);
    assert.deepEqual(completeAssignment(FieldDescriptorProtoSchema, "name=a"), []);
  });

  it("is left alone where there is nothing of that name", () => {
    for (const word of ["none.", "name.a", "none=", "options.none.x="]) {
      assert.deepEqual(completeAssignment(FieldDescriptorProtoSchema, word), [], word);
    }
  });
});
