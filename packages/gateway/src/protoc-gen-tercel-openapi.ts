#!/usr/bin/env node
// A plugin of protoc and buf that writes the OpenAPI document of the services it is given: `- local: protoc-gen-tercel-openapi` in buf.gen.yaml.

import { readFileSync, writeSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema, CodeGeneratorResponseSchema } from "@bufbuild/protobuf/wkt";
import { generateDocument } from "./openapi/generate-document.ts";

const stdin = 0;
const stdout = 1;

const request = fromBinary(CodeGeneratorRequestSchema, readFileSync(stdin));
const response = toBinary(CodeGeneratorResponseSchema, generateDocument(request));
// A pipe may take less than all of it at once.
for (let at = 0; at < response.length; ) at += writeSync(stdout, response, at);
