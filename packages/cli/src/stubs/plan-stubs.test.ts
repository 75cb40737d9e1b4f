// Where handlers are found in code, and what is left to the caller.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, createFileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type GeneratedService, planStubs, type StubPlan } from "./plan-stubs.ts";

const method = (name: string, serverStreaming = false) => ({
  name,
  inputType: ".pet.v1.Pet",
  outputType: ".pet.v1.Pet",
  serverStreaming,
});
const file = create(FileDescriptorProtoSchema, {
  name: "pet/v1/pet.proto",
  package: "pet.v1",
  syntax: "proto3",
  messageType: [{ name: "Pet" }],
  service: [{ name: "PetService", method: [method("GetPet"), method("WatchPet", true), method("NamePet")] }],
});
const service = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getService("pet.v1.PetService");
assert.ok(service !== undefined);
const generated: GeneratedService = { service, name: "PetService", module: "/p/gen/pet/v1/pet_pb.ts", ending: ".ts" };
const imported = 'import { PetService } from "../gen/pet/v1/pet_pb.ts";\n';

function plan(sources: Readonly<Record<string, string>>): StubPlan {
  const files = Object.entries(sources).map(([path, text]) => [`/p/src/${path}`, text] as const);
  return planStubs([generated], new Map(files), "/p/src");
}

const namesOf = ({ added }: StubPlan): string[] => added.map(({ name }) => name);

const handlers = "{\n  getPet() {\n    return {};\n  },\n}";
const main = `${imported}export const routes = (router) => router.service(PetService, `;

/** Ways to write a registration whose handlers are sure to be found. */
const found: readonly [name: string, sources: Readonly<Record<string, string>>][] = [
  ["in the call itself", { "main.ts": `${main}${handlers});\n` }],
  [
    "in a constant before it",
    { "main.ts": `${imported}const pets = ${handlers};\nrouter.service(PetService, pets);\n` },
  ],
  [
    "in a constant with a type",
    {
      "main.ts": `${imported}const pets: Partial<ServiceImpl<typeof PetService>> = ${handlers};\nrouter.service(PetService, pets)\n`,
    },
  ],
  [
    "returned by a function of another file",
    {
      "main.ts": `import { createPets } from "./pets.ts";\n${main}createPets({ db, store: f(1) }));\n`,
      "pets.ts": `export function createPets({ db }: Parts = {}): ServiceImpl<typeof PetService> {\n  const x = () => { return 1; };\n  return ${handlers};\n}\n`,
    },
  ],
  [
    "returned by an arrow function",
    {
      "main.ts": `import { pets as createPets } from "./pets.ts";\n${main}await createPets());\n`,
      "pets.ts": `export const pets = (store: Store) => (${handlers});\n`,
    },
  ],
  [
    "in a constant that an arrow function returns",
    {
      "main.ts": `import { createPets } from "./pets.js";\n${main}createPets(), { maxBytes: 1 });\n`,
      "pets.ts": `export const createPets = async (store) => {\n  const made = ${handlers};\n  return made;\n};\n`,
    },
  ],
  [
    "under another name of the service",
    {
      "main.ts": `${main.replace("{ PetService }", "{ PetService as Pets }").replace("(PetService,", "(Pets,")}${handlers});\n`,
    },
  ],
  [
    "with other services around it",
    { "main.ts": `${main}${handlers});\nrouter.service(Other, other);\napp.service("x", {});\n` },
  ],
];

describe("handlers", () => {
  for (const [name, sources] of found) {
    it(`are found ${name}`, () => {
      const { edits, left, created, ...rest } = plan(sources);
      assert.deepEqual([left, created], [[], []]);
      assert.deepEqual(namesOf({ edits, left, created, ...rest }), ["WatchPet", "NamePet"]);
      const [edit, second] = edits;
      assert.ok(edit !== undefined && second === undefined);
      assert.match(edit.after, /import \{ Code, ConnectError \} from "@tercel\/grpc";\n/);
      assert.match(
        edit.after,
        /getPet\(\) \{\n +return \{\};\n +\},\n\n( *)watchPet\(\) \{\n +throw new ConnectError\("WatchPet is not implemented", Code\.Unimplemented\);\n +\},\n\n\1async namePet\(\) \{\n/,
      );
      // Once they are there, nothing is left to add.
      const again = new Map(Object.entries(sources).map(([path, text]) => [`/p/src/${path}`, text]));
      again.set(edit.path, edit.after);
      assert.deepEqual(planStubs([generated], again, "/p/src").edits, []);
    });
  }

  const unsure: readonly [name: string, sources: Readonly<Record<string, string>>][] = [
    ["a spread", { "main.ts": `${main}{ ...common, getPet });\n` }],
    ["a computed name", { "main.ts": `${main}{ [name]: f });\n` }],
    ["an object of a class", { "main.ts": `${main}new Pets());\n` }],
    ["a function of a package", { "main.ts": `import { createPets } from "pets";\n${main}createPets());\n` }],
    ["a parameter", { "main.ts": `${main}pets);\n` }],
    [
      "a function with two ways out",
      {
        "main.ts": `${imported}function createPets() {\n  if (x) { return {}; }\n  return ${handlers};\n}\nrouter.service(PetService, createPets());\n`,
      },
    ],
    [
      "two constants of one name",
      { "main.ts": `${imported}{ const pets = {}; }\nconst pets = ${handlers};\nrouter.service(PetService, pets);\n` },
    ],
    ["two registrations", { "main.ts": `${main}${handlers});\nrouter.service(PetService, {});\n` }],
    [
      "a function that calls itself",
      { "main.ts": `${imported}function a() { return a(); }\nrouter.service(PetService, a());\n` },
    ],
    [
      "handlers that no one registers here",
      { "pets.ts": `${imported}export const pets: ServiceImpl<typeof PetService> = ${handlers};\n` },
    ],
  ];
  for (const [name, sources] of unsure) {
    it(`are left to the caller for ${name}`, () => {
      const { edits, created, left } = plan(sources);
      assert.deepEqual([edits, created], [[], []]);
      assert.equal(left.length, 1);
      assert.ok(left[0]?.lines.includes("async getPet() {"));
    });
  }

  it("that are all there are left alone, however they are written", () => {
    const all = "{ getPet: (r) => r, async *watchPet({ id }) { yield id; }, /* last */ namePet, }";
    assert.deepEqual(plan({ "main.ts": `${main}${all});\n` }), { edits: [], added: [], created: [], left: [] });
  });

  it("of a service of that name in another module are not its handlers", () => {
    const { created } = plan({ "main.ts": `${main}${handlers});\n`.replace("pet_pb", "other_pb") });
    assert.equal(created[0]?.path, "/p/src/pet-service.ts");
  });

  it("that no one has go into a new file, which is not written over one that is there", () => {
    const { edits, created } = plan({});
    assert.deepEqual(
      created.map(({ path, factory }) => [path, factory]),
      [["/p/src/pet-service.ts", "createPetService"]],
    );
    assert.equal(edits[0]?.before, undefined);
    assert.match(edits[0]?.after ?? "", /^import type \{ ServiceImpl \} from "@connectrpc\/connect";\n/);
    assert.match(edits[0]?.after ?? "", /import type \{ PetService \} from "\.\.\/gen\/pet\/v1\/pet_pb\.ts";\n/);
    const taken = plan({ "pet-service.ts": "// mine\n" });
    assert.deepEqual(taken.edits, []);
    assert.match(taken.left[0]?.reason ?? "", /pet-service\.ts already exists$/);
  });

  it("keep comments, commas and imports in their places", () => {
    const before = `import { Code, createServer } from "@tercel/grpc";\n${imported}router.service(PetService, {\n  // first\n  getPet: () => ({}), // why\n  // more to come\n});\n`;
    const [edit] = plan({ "main.ts": before }).edits;
    assert.equal(
      edit?.after,
      `import { Code, ConnectError, createServer } from "@tercel/grpc";\n${imported}router.service(PetService, {\n  // first\n  getPet: () => ({}), // why\n  // more to come\n\n  watchPet() {\n    throw new ConnectError("WatchPet is not implemented", Code.Unimplemented);\n  },\n\n  async namePet() {\n    throw new ConnectError("NamePet is not implemented", Code.Unimplemented);\n  },\n});\n`,
    );
  });
});
