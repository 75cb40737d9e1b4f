import { readFileSync } from "node:fs";
import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescService,
  fromJson,
  type JsonObject,
  type JsonValue,
} from "@bufbuild/protobuf";
import {
  type CodeGeneratorRequest,
  type CodeGeneratorResponse,
  CodeGeneratorResponse_Feature,
  CodeGeneratorResponse_FileSchema,
  CodeGeneratorResponseSchema,
  Edition,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { nearestName } from "@tercel/grpc/internal";
import { parse, stringify } from "yaml";
import { type HttpRule, HttpSchema } from "../gen/google/api/http_pb.ts";
import { RestTable } from "../rules/rest-table.ts";
import { readSuccessStatuses } from "../success-statuses.ts";
import { createOpenApi } from "./create-openapi.ts";
import { commentsOf } from "./proto-comments.ts";

/** What the plugin's `opt` may say. */
interface PluginOptions {
  title?: string;
  version?: string;
  description?: string;
  /** Of the file that is written, from `out`. Default "openapi.json"; one that ends in .yaml or .yml is YAML. */
  file: string;
  /** A file of JSON that is laid over the document. */
  overlay?: string;
  /** A file of HTTP rules, as a service config has them, in YAML or JSON. */
  rules?: string;
  errorBody: "aip" | "status";
  webSockets: boolean;
  /** By `pkg.Service/Method`. */
  readonly successStatuses: { of: string; successStatus: number }[];
  /** A file that has to be as the one that would be written; nothing is written then. */
  check?: string;
}

const optionNames = [
  ...[
    "title",
    "version",
    "description",
    "file",
    "overlay",
    "rules",
    "error_body",
    "websockets",
    "success_status",
    "check",
  ],
];

/**
 * Describes the services of a compiler's request as OpenAPI 3.1: what `protoc-gen-tercel-openapi` answers. The same request makes the same bytes, which are
 * those that `createGateway` serves for the same services and options.
 *
 * @returns a response with an error, which the compiler shows, for options and rules that cannot be used
 */
export function generateDocument(request: CodeGeneratorRequest): CodeGeneratorResponse {
  const response = create(CodeGeneratorResponseSchema, {
    supportedFeatures: BigInt(
      CodeGeneratorResponse_Feature.PROTO3_OPTIONAL | CodeGeneratorResponse_Feature.SUPPORTS_EDITIONS,
    ),
    minimumEdition: Edition.EDITION_PROTO2,
    maximumEdition: Edition.EDITION_2024,
  });
  try {
    const options = parseOptions(request.parameter);
    const content = writeDocument(request, options);
    const { file: name } = options;
    if (options.check === undefined) response.file.push(create(CodeGeneratorResponse_FileSchema, { name, content }));
    else checkFile(options.check, content);
  } catch (error) {
    response.error = (error as Error).message;
  }
  return response;
}

function writeDocument(request: CodeGeneratorRequest, options: PluginOptions): string {
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }));
  const generated = new Set(request.fileToGenerate);
  const methods: DescMethod[] = [];
  for (const file of registry.files) {
    if (generated.has(`${file.name}.proto`)) methods.push(...file.services.flatMap((one: DescService) => one.methods));
  }
  const statuses = readSuccessStatuses(options.successStatuses, methods);
  const { title, version, description, overlay } = options;
  const document = createOpenApi({
    bindings: new RestTable(methods, options.rules === undefined ? [] : readRules(options.rules)).bindings,
    comments: commentsOf(request.protoFile),
    info: {
      ...(title === undefined ? {} : { title }),
      ...(version === undefined ? {} : { version }),
      ...(description === undefined ? {} : { description }),
      ...(overlay === undefined ? {} : { overlay: readOverlay(overlay) }),
    },
    errorForm: options.errorBody,
    hasWebSockets: options.webSockets,
    successStatusOf: (method) => statuses.get(method) ?? 200,
  });
  if (/\.ya?ml$/.test(options.file)) return stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 });
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function readOverlay(path: string): JsonObject {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as JsonObject;
  } catch (error) {
    throw new Error(`overlay: ${(error as Error).message}`);
  }
}

/** The rules below `http` (google.api.Service), or a list of them alone. */
function readRules(path: string): readonly HttpRule[] {
  try {
    const content = parse(readFileSync(path, "utf8")) as JsonValue;
    const isConfig = typeof content === "object" && content !== null && "http" in content;
    const http = isConfig ? (content.http as JsonValue) : { rules: content };
    return fromJson(HttpSchema, http).rules;
  } catch (error) {
    throw new Error(`rules: ${(error as Error).message}`);
  }
}

function checkFile(path: string, content: string): void {
  let present: string | undefined;
  try {
    present = readFileSync(path, "utf8");
  } catch {
    // Then it is not as it should be either.
  }
  if (present !== content) throw new Error(`${path} is out of date: generate it without the option check`);
}

/** @throws Error that names the option and what it may be */
function parseOptions(parameter: string): PluginOptions {
  const options: PluginOptions = { file: "openapi.json", errorBody: "aip", webSockets: false, successStatuses: [] };
  for (const pair of parameter === "" ? [] : parameter.split(",")) {
    const equals = pair.indexOf("=");
    const name = equals === -1 ? pair : pair.slice(0, equals);
    setOption(options, name, equals === -1 ? "true" : pair.slice(equals + 1));
  }
  return options;
}

function setOption(options: PluginOptions, name: string, value: string): void {
  switch (name) {
    case "title":
    case "version":
    case "description":
    case "file":
    case "overlay":
    case "rules":
    case "check":
      options[name] = value;
      return;
    case "error_body":
      if (value !== "aip" && value !== "status")
        throw new Error(`error_body is "${value}"; it has to be aip or status`);
      options.errorBody = value;
      return;
    case "websockets":
      if (value !== "true" && value !== "false")
        throw new Error(`websockets is "${value}"; it has to be true or false`);
      options.webSockets = value === "true";
      return;
    case "success_status": {
      const [, of, status] = /^(.+):(2[0-9]{2})$/.exec(value) ?? [];
      if (of === undefined) {
        throw new Error(
          `success_status is "${value}"; it has to be a method and a status, such as a.v1.Users/Create:201`,
        );
      }
      options.successStatuses.push({ of, successStatus: Number(status) });
      return;
    }
  }
  const nearest = nearestName(name, optionNames);
  const hint = nearest === undefined ? `; there are ${optionNames.join(", ")}` : `; did you mean "${nearest}"?`;
  throw new Error(`there is no option "${name}"${hint}`);
}
