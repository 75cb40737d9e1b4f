import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { assertStatus, createTestContext, type ExpectedError } from "@tercel/grpc/testing";
import { CreateUserRequestSchema, UserService } from "./gen/users/v1/users_pb.ts";
import { createUserService } from "./user-service.ts";

const { createUser } = UserService.method;

describe("createUser", () => {
  const refused: readonly (readonly [what: string, name: string, mail: string, code: Code, expected: ExpectedError])[] =
    [
      ["no name", "", "ada@example.com", Code.InvalidArgument, { fields: ["name"] }],
      ["no address", "Ada", "nowhere", Code.InvalidArgument, { fields: ["mail"] }],
      ["nothing at all", "", "", Code.InvalidArgument, { fields: ["name", "mail"] }],
      [
        "a second account",
        "Ada",
        "bob@example.com",
        Code.AlreadyExists,
        { resource: "users with mail bob@example.com" },
      ],
    ];
  for (const [what, name, mail, code, expected] of refused) {
    it(`refuses ${what}`, async () => {
      const handlers = createUserService([{ id: "1", name: "Bob", mail: "bob@example.com" }]);
      const request = create(CreateUserRequestSchema, { name, mail });
      await assertStatus(() => handlers.createUser(request, createTestContext(createUser)), code, expected);
    });
  }

  it("returns the location of the user", async () => {
    const context = createTestContext(createUser);
    const request = create(CreateUserRequestSchema, { name: "Ada", mail: "ada@example.com" });
    assert.equal((await createUserService().createUser(request, context)).id, "1");
    assert.equal(context.responseHeader.get("location"), "users/1");
  });
});
