import type { DescMethod, JsonObject } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { FieldBehavior } from "../gen/google/api/field_behavior_pb.ts";
import { behaviorsOf, SchemaCollection } from "../openapi/json-schema.ts";
import type { ProtoComments } from "../openapi/proto-comments.ts";

/** The description of a method as a tool. */
export interface McpTool {
  readonly method: DescMethod;
  readonly name: string;
  readonly description: string;
  /** The JSON Schema of the request. */
  readonly inputSchema: JsonObject & { readonly type: "object" };
  readonly annotations: { readonly readOnlyHint: boolean; readonly idempotentHint: boolean };
}

/** The maximum length of a tool name in clients. */
const maxNameLength = 64;

/**
 * Describes methods as tools, with names such as `UserService_GetUser`.
 *
 * @throws TypeError for two methods with the same name, and for a name that is too long
 */
export function createTools(
  where: string,
  methods: readonly DescMethod[],
  comments: ProtoComments,
  describe: (method: DescMethod) => string | undefined,
): McpTool[] {
  const byName = new Map<string, McpTool>();
  for (const method of methods) {
    const tool = createTool(method, comments, describe);
    const other = byName.get(tool.name)?.method;
    if (other !== undefined) {
      throw new TypeError(
        `${where}: ${method.parent.typeName} and ${other.parent.typeName} both have a tool ${tool.name}; include one of them`,
      );
    }
    if (tool.name.length > maxNameLength) {
      throw new TypeError(`${where}: the tool ${tool.name} has a name of more than ${maxNameLength} characters`);
    }
    byName.set(tool.name, tool);
  }
  return [...byName.values()];
}

function createTool(
  method: DescMethod,
  comments: ProtoComments,
  describe: (method: DescMethod) => string | undefined,
): McpTool {
  const { typeName } = method.parent;
  const { idempotency } = method;
  const readOnlyHint = idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  return {
    method,
    name: `${method.parent.name}_${method.name}`,
    description: describe(method) ?? comments.get(`${typeName}.${method.name}`) ?? `Calls ${typeName}/${method.name}.`,
    inputSchema: describeInput(method, comments),
    annotations: {
      readOnlyHint,
      idempotentHint: readOnlyHint || idempotency === MethodOptions_IdempotencyLevel.IDEMPOTENT,
    },
  };
}

function describeInput({ input }: DescMethod, comments: ProtoComments): JsonObject & { readonly type: "object" } {
  const schemas = new SchemaCollection(comments, "#/$defs/");
  const fields = input.fields.filter((field) => !behaviorsOf(field).includes(FieldBehavior.OUTPUT_ONLY));
  const schema = schemas.object(input, fields);
  const definitions = schemas.all;
  return { ...schema, type: "object", ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions }) };
}
