#!/usr/bin/env node
// A plugin for protoc and buf that writes the OpenAPI document of services: `- local: protoc-gen-tercel-openapi` in buf.gen.yaml.

import { readFileSync, writeSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema, CodeGeneratorResponseSchema } from "@bufbuild/protobuf/wkt";
import { generateDocument } from "./openapi/generate-document.ts";

const stdin = 0;
const stdout = 1;

const request = fromBinary(CodeGeneratorRequestSchema, readFileSync(stdin));
const response = toBinary(CodeGeneratorResponseSchema, generateDocument(request));
// A pipe may not accept everything in one write.
for (let at = 0; at < response.length; ) at += writeSync(stdout, response, at);
